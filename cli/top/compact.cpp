// SPDX-License-Identifier: MIT
// Three digits at most before the unit, one behind the point while there is space.
#include "cli/top/compact.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace zctrace {
namespace {

struct Compact {
  std::string number;
  std::string unit;  // a letter, or none
};

Compact compact(double number, double step, std::string_view units) {
  if (number > 0 && number < 0.05) return {"<0.1", ""};
  if (number < 9.95) {
    const double tenths = std::round(number * 10) / 10;
    return {fmt::format("{:.{}f}", tenths, tenths == std::floor(tenths) ? 0 : 1), ""};
  }
  if (number < (step == 1000 ? 9999.5 : 1023.5)) return {fmt::format("{:.0f}", number), ""};
  std::size_t unit = 0;
  for (number /= step; number >= step - 0.5 && unit + 1 < units.size(); ++unit) number /= step;
  return {fmt::format("{:.{}f}", number, number < 99.95 ? 1 : 0), std::string(1, units[unit])};
}

Compact compact_binary(double bytes) { return compact(bytes, 1024, "KMGTPE"); }

}  // namespace

std::string compact_count(double count) {
  const Compact text = compact(count, 1000, "kMGTPE");
  return text.number + text.unit;
}

std::string compact_bytes(double bytes) {
  const Compact text = compact_binary(bytes);
  return text.number + text.unit;
}

std::string compact_size(double bytes) {
  const Compact text = compact_binary(bytes);
  return text.unit.empty() ? text.number + " B" : fmt::format("{} {}iB", text.number, text.unit);
}

std::string compact_ns(std::uint64_t ns) {
  if (ns == 0) return "0";
  if (ns < 1000) return fmt::format("{}ns", ns);
  static constexpr std::array kNames{"us", "ms", "s"};
  auto value = static_cast<double>(ns) / 1e3;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kNames.size(); ++unit) value /= 1e3;
  if (unit + 1 < kNames.size() || value < 99.5)
    return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, kNames[unit]);
  const auto seconds = static_cast<std::uint64_t>(std::llround(value));
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  const std::uint64_t minutes = seconds / 60;
  if (minutes < 6000) return fmt::format("{}h{:02}m", minutes / 60, minutes % 60);
  return fmt::format("{}d{:02}h", minutes / 1440, minutes / 60 % 24);
}

std::string compact_share(double share) {
  if (share > 0 && share < 0.01) return "<1%";
  return fmt::format("{:.0f}%", std::floor(share * 100));
}

double CompactNumerals::by_second(std::uint64_t n) const {
  const double seconds = seconds_.value_or(1);
  return static_cast<double>(n) / (seconds > 0 ? seconds : 1);
}

std::string CompactNumerals::count(std::uint64_t n) const { return compact_count(by_second(n)); }

std::string CompactNumerals::bytes(std::uint64_t n) const { return compact_bytes(by_second(n)); }

std::string CompactNumerals::time(std::uint64_t ns) const {
  if (!seconds_) return compact_ns(ns);
  const double percent = by_second(ns) / 1e7;
  return fmt::format("{:.{}f}", percent, percent < 99.95 ? 1 : 0);
}

std::string CompactNumerals::size(std::uint64_t bytes) const {
  return compact_bytes(static_cast<double>(bytes));
}

std::string CompactNumerals::duration(std::uint64_t ns) const { return compact_ns(ns); }

std::string CompactNumerals::share(double share) const { return compact_share(share); }

}  // namespace zctrace
