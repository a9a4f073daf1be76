// SPDX-License-Identifier: MIT
// Totals, written out.
#include "cli/views/numerals.h"

#include "cli/text/units.h"
#include "cli/views/wording.h"

namespace zctrace {
namespace {

class FullNumerals : public Numerals {
 public:
  std::string count(std::uint64_t n) const override { return format_count(n); }
  std::string bytes(std::uint64_t n) const override { return format_bytes(n); }
  std::string time(std::uint64_t ns) const override { return format_ns(ns); }
  std::string size(std::uint64_t bytes) const override { return format_bytes(bytes); }
  std::string duration(std::uint64_t ns) const override { return format_ns(ns); }
  std::string share(double share) const override { return percent_text(share); }
};

}  // namespace

const Numerals& full_numerals() {
  static const FullNumerals numerals;
  return numerals;
}

}  // namespace zctrace
