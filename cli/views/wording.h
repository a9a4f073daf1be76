// SPDX-License-Identifier: MIT
// Words and numbers that several tables share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/views/numerals.h"
#include "collector/model/report.h"

namespace zctrace {

enum class GroupBy { process, thread, syscall, flow, file, peer, port };

std::optional<GroupBy> parse_group_by(std::string_view text);

struct Wording {
  bool unicode = false;
  bool narrow = false;  // "file>sock" for "file -> socket"
  bool latency = true;  // false: no column shows a time inside a call
};

// "file -> socket"; "-" where no bytes move.
std::string flow_text(const Row& row, const Wording& wording);
// CPU copies for each byte: "0", "1", "0.37"; "-" where no bytes moved.
std::string copies_text(std::uint64_t copied_bytes, std::uint64_t bytes);
// "100.0%" only if it is all.
std::string percent_text(double share);
// Before a figure that is a bound.
const char* at_least(bool unicode);
const char* at_most(bool unicode);
// As many cells, filled in proportion to the share.
std::string bar(double share, std::size_t cells, bool unicode);
std::string share_bar(double share, bool unicode);
// Whether no CPU copied its bytes.
bool is_without_copy(const Row& row);
// The title of a column of switches_text().
inline constexpr std::string_view kSwitchesTitle = "SWITCHES";
// "voluntary/involuntary"
std::string switches_text(std::uint64_t voluntary, std::uint64_t involuntary,
                          const Numerals& numerals);
// Of one count; "-" where too few bytes moved to extrapolate.
std::string per_gb_text(std::uint64_t count, std::uint64_t bytes);
// From fewer bytes a count per GB would be noise, made more than ten times greater.
inline constexpr std::uint64_t kPerGbFloor = 100'000'000;
// Of a count per GB.
std::string amount_text(double amount);

// The kernel's share of the CPU time; nullopt if it was measured by too few ticks.
std::optional<double> system_share(const Process& process);

}  // namespace zctrace
