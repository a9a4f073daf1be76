// SPDX-License-Identifier: MIT
// Sizes and durations: an accepted value is the right one, and can be shown.
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "tests/fuzz/require.h"

namespace {

using namespace zctrace;

// The leading digits of `text`.
std::uint64_t leading_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_one_printable_line(const std::string& text) { return printable(text, true) == text; }

void check_size(std::string_view text) {
  std::uint64_t bytes = 0;
  try {
    bytes = parse_size(text);
  } catch (const std::invalid_argument& error) {
    require(std::string_view(error.what()).find('\n') == std::string_view::npos, "one line");
    return;
  }
  const std::uint64_t number = leading_number(text);
  require(number == 0 ? bytes == 0 : bytes % number == 0, "a size is its number times a unit");
  require(number == 0 || ((bytes / number) & (bytes / number - 1)) == 0, "units are powers of 2");
  require(parse_size(std::to_string(bytes)) == bytes, "plain bytes are read as they are");
  require(bytes % 1024 != 0 || parse_size(std::to_string(bytes / 1024) + "KiB") == bytes,
          "1K is 1024");
  require(is_one_printable_line(format_bytes(bytes)), "shown as a line");
}

void check_duration(std::string_view text) {
  std::uint64_t ns = 0;
  try {
    ns = parse_duration(text);
  } catch (const std::invalid_argument& error) {
    require(std::string_view(error.what()).find('\n') == std::string_view::npos, "one line");
    return;
  }
  require(!text.empty() &&
              (std::isdigit(static_cast<unsigned char>(text.front())) != 0 || text.front() == '.'),
          "a duration begins with a digit or a point");
  if (text.find_first_not_of("0123456789") == std::string_view::npos)
    require(ns == leading_number(text) * 1'000'000'000, "a plain number is in seconds");
  require(parse_duration(std::to_string(ns) + "ns") == ns, "nanoseconds are read as they are");
  // What commands do with it: a sanitizer stops if the sum overflows the clock.
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
  require(end >= std::chrono::steady_clock::now() - std::chrono::hours(1), "never in the past");
  require(is_one_printable_line(format_ns(ns)), "shown as a line");
}

void check_count(std::uint64_t count) {
  std::string digits = format_count(count);
  std::erase(digits, ',');
  require(digits == std::to_string(count), "a count keeps each digit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_size(text);
  check_duration(text);
  check_count(leading_number(text));
  return 0;
}
