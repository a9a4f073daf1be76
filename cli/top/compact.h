// SPDX-License-Identifier: MIT
// Numbers in five or six characters, so that no column of `top` moves from sample to sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/views/numerals.h"

namespace zctrace {

// At most five characters: "0", "0.5", "1234", "12.3k", "1.2M".
std::string compact_count(double count);
// The same in powers of 1024: "1023", "1.0K", "12.3M".
std::string compact_bytes(double bytes);
// With its unit: "1023 B", "1.0 KiB", "12.3 MiB".
std::string compact_size(double bytes);
// Two or three digits and a unit: "999ns", "1.2us", "12ms", "3m20s", "5h03m".
std::string compact_ns(std::uint64_t ns);
// "99%": 100% only for all of it, 0% only for nothing.
std::string compact_share(double share);

// Counts as they are, or by the second of an interval.
class CompactNumerals : public Numerals {
 public:
  // Totals, or an interval of so many seconds.
  CompactNumerals() = default;
  explicit CompactNumerals(double seconds) : seconds_(seconds) {}

  std::string count(std::uint64_t n) const override;
  std::string bytes(std::uint64_t n) const override;
  // By the second: percent of one CPU, without the sign.
  std::string time(std::uint64_t ns) const override;
  std::string size(std::uint64_t bytes) const override;
  std::string duration(std::uint64_t ns) const override;
  std::string share(double share) const override;

  double by_second(std::uint64_t n) const;

 private:
  std::optional<double> seconds_;
};

}  // namespace zctrace
