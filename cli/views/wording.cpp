// SPDX-License-Identifier: MIT
// How each kind of figure is written for people.
#include "cli/views/wording.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/text/units.h"
#include "collector/model/process_summary.h"

namespace zctrace {
namespace {

std::string_view short_kind_name(Kind kind) {
  switch (kind) {
    case Kind::socket: return "sock";
    case Kind::device: return "dev";
    default: return kind_name(kind);
  }
}

}  // namespace

std::optional<GroupBy> parse_group_by(std::string_view text) {
  if (text == "process") return GroupBy::process;
  if (text == "thread") return GroupBy::thread;
  if (text == "syscall") return GroupBy::syscall;
  if (text == "flow") return GroupBy::flow;
  if (text == "file") return GroupBy::file;
  if (text == "peer") return GroupBy::peer;
  if (text == "port") return GroupBy::port;
  return std::nullopt;
}

std::string flow_text(const Row& row, const Wording& wording) {
  if (row.copy == Copy::none) return "-";
  if (wording.narrow) {
    return fmt::format("{}{}{}", short_kind_name(row.from), wording.unicode ? "→" : ">",
                       short_kind_name(row.to));
  }
  return fmt::format("{} {} {}", kind_name(row.from), wording.unicode ? "→" : "->",
                     kind_name(row.to));
}

std::string copies_text(std::uint64_t copied_bytes, std::uint64_t bytes) {
  if (bytes == 0) return "-";
  if (copied_bytes == 0) return "0";
  const double copies = static_cast<double>(copied_bytes) / static_cast<double>(bytes);
  if (copies < 0.005) return "<0.01";
  std::string text = fmt::format("{:.2f}", copies);
  if (text.ends_with(".00")) text.resize(text.size() - 3);
  return text;
}

std::string percent_text(double share) {
  if (share > 0 && share < 0.001) return "<0.1%";
  // 100.0% only if it is all.
  return fmt::format("{:.1f}%", std::floor(share * 1000) / 10);
}

const char* at_least(bool unicode) { return unicode ? "≥" : ">="; }
const char* at_most(bool unicode) { return unicode ? "≤" : "<="; }

std::string bar(double share, std::size_t cells, bool unicode) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string text;
  for (std::size_t i = 0; i < cells; ++i)
    text += unicode ? (i < filled ? "█" : "░") : (i < filled ? "#" : ".");
  return text;
}

std::string share_bar(double share, bool unicode) {
  constexpr std::size_t kWidth = 20;
  const std::string cells = bar(share, kWidth, unicode);
  return unicode ? cells : "[" + cells + "]";
}

bool is_without_copy(const Row& row) {
  return row.cpu_copied_bytes == 0 &&
         (row.copy == Copy::in_kernel || row.copy == Copy::lent || row.verdict == Verdict::direct ||
          row.verdict == Verdict::zerocopy);
}

std::string switches_text(std::uint64_t voluntary, std::uint64_t involuntary,
                          const Numerals& numerals) {
  return fmt::format("{}/{}", numerals.count(voluntary), numerals.count(involuntary));
}

std::string amount_text(double amount) {
  return amount >= 9.5 ? format_count(static_cast<std::uint64_t>(std::llround(amount)))
                       : fmt::format("{:.2g}", amount);
}

std::string per_gb_text(std::uint64_t count, std::uint64_t bytes) {
  return bytes < kPerGbFloor ? "-" : amount_text(*per_gb(count, bytes));
}

std::optional<double> system_share(const Process& process) {
  const std::uint64_t cpu_ns = process.user_ns + process.system_ns;
  if (cpu_ns < kLeastCpuToDivideNs) return std::nullopt;
  return static_cast<double>(process.system_ns) / static_cast<double>(cpu_ns);
}

}  // namespace zctrace
