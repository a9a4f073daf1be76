// SPDX-License-Identifier: MIT
// Parsing is strict: a size that is misread moves the wrong number of bytes.
#include "cli/text/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "cli/text/letter_case.h"
#include "cli/text/printable.h"

namespace zctrace {
namespace {

struct NamedFactor {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<NamedFactor, 13> kSizes{{{"", 1},
                                              {"k", 1ULL << 10},
                                              {"kib", 1ULL << 10},
                                              {"m", 1ULL << 20},
                                              {"mib", 1ULL << 20},
                                              {"g", 1ULL << 30},
                                              {"gib", 1ULL << 30},
                                              {"t", 1ULL << 40},
                                              {"tib", 1ULL << 40},
                                              {"p", 1ULL << 50},
                                              {"pib", 1ULL << 50},
                                              {"e", 1ULL << 60},
                                              {"eib", 1ULL << 60}}};

constexpr std::array<NamedFactor, 7> kDurations{{{"", 1'000'000'000},
                                                 {"ns", 1},
                                                 {"us", 1'000},
                                                 {"ms", 1'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"h", 3'600'000'000'000}}};

// A hundred years: a time so far from now still fits the clock's signed nanoseconds.
constexpr std::uint64_t kLongestDurationNs = 100ULL * 365 * 24 * 3'600'000'000'000;

// What a user may write.
template <std::size_t N>
struct Notation {
  std::string_view what;
  std::string_view examples;
  const std::array<NamedFactor, N>& units;
  bool any_case;
  bool fractions;
  std::uint64_t largest;
};

// The digits after the point, in units of 1/10^digits.
struct Fraction {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
};

constexpr std::size_t kMostDecimals = 9;

template <std::size_t N>
std::uint64_t parse(std::string_view text, const Notation<N>& notation) {
  const auto refuse = [&](std::string_view why) {
    return std::invalid_argument(fmt::format("invalid {} '{}': {}; give {}", notation.what,
                                             printable(text, false), why, notation.examples));
  };
  if (text.empty()) throw refuse("it is empty");
  if (text.front() == '-') throw refuse("it is negative");
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  // ".5" is 0.5, as for sleep(1).
  if (notation.fractions && text.front() == '.') error = {};
  if (error == std::errc::result_out_of_range) throw refuse("it is too large");
  if (error != std::errc{}) throw refuse("it does not begin with a digit");

  Fraction fraction;
  if (notation.fractions && rest != end && *rest == '.') {
    const char* const first = rest + 1;
    const char* const most = std::min(end, first + kMostDecimals);
    for (rest = first; rest != most && *rest >= '0' && *rest <= '9'; ++rest) {
      fraction.numerator = fraction.numerator * 10 + static_cast<std::uint64_t>(*rest - '0');
      fraction.denominator *= 10;
    }
    if (rest == first) throw refuse("no digit follows the point");
    if (rest != end && *rest >= '0' && *rest <= '9') throw refuse("it has more than nine decimals");
  }

  const std::string_view written(rest, static_cast<std::size_t>(end - rest));
  const std::string suffix = notation.any_case ? lower_case(written) : std::string(written);
  const auto unit = std::find_if(notation.units.begin(), notation.units.end(),
                                 [&suffix](const NamedFactor& u) { return u.name == suffix; });
  if (unit == notation.units.end())
    throw refuse(fmt::format("unknown unit '{}'", printable(written, false)));
  if (number > notation.largest / unit->factor) throw refuse("it is too large");
  // Units of a size or a duration with decimals are at most an hour, so this easily fits an
  // unsigned 128-bit number; less than one nanosecond is cut off.
  const auto part = static_cast<std::uint64_t>(static_cast<unsigned __int128>(fraction.numerator) *
                                               unit->factor / fraction.denominator);
  return number * unit->factor + part;
}

}  // namespace

std::uint64_t parse_size(std::string_view text) {
  return parse(
      text, Notation<kSizes.size()>{"size", "bytes, or powers of 1024 such as 4K, 64M, 1G", kSizes,
                                    true, false, std::numeric_limits<std::uint64_t>::max()});
}

std::uint64_t parse_duration(std::string_view text) {
  return parse(text, Notation<kDurations.size()>{"duration",
                                                 "seconds (10, 0.5) or a unit (500ms, 10s, 5m, 1h)",
                                                 kDurations, false, true, kLongestDurationNs});
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  static constexpr std::array kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would print as 1024.0.
  for (; value >= 1023.95 && unit + 1 < kNames.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string format_ns(std::uint64_t ns) {
  if (ns < 1000) return fmt::format("{} ns", ns);
  static constexpr std::array kNames{"us", "ms", "s"};
  auto value = static_cast<double>(ns) / 1e3;
  std::size_t unit = 0;
  // 999.5 would print as 1000.
  for (; value >= 999.5 && unit + 1 < kNames.size(); ++unit) value /= 1e3;
  if (unit + 1 == kNames.size() && value >= 59.95) {
    const std::uint64_t seconds = ns / 1'000'000'000 + (ns % 1'000'000'000 >= 500'000'000);
    if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
    const std::uint64_t minutes = seconds / 60;
    return fmt::format("{}h {:02}m", format_count(minutes / 60), minutes % 60);
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kNames[unit]);
}

std::string format_count(std::uint64_t count) {
  const std::string digits = fmt::format("{}", count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", format_count(count), count == 1 ? one : many);
}

}  // namespace zctrace
