// SPDX-License-Identifier: MIT
// Converts sizes, durations and counts between text and numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zctrace {

// "4096", "4K", "64M", "1G", "4KiB" … to bytes, powers of 1024, letters in either case.
// Throws std::invalid_argument, with a text for the user, on anything else or more than 2^64-1.
std::uint64_t parse_size(std::string_view text);

// "250us", "500ms", "0.5s", "10s", "5m", "1h" to nanoseconds; a plain number is in seconds. Less
// than a nanosecond is cut off. Throws as parse_size, also on more than a hundred years, so that
// now and the duration together fit the clock.
std::uint64_t parse_duration(std::string_view text);

std::string format_bytes(std::uint64_t bytes);  // "512 B", "10.0 MiB"
std::string format_ns(std::uint64_t ns);        // three digits: "999 ns", "1.23 ms", "2m 03s"
std::string format_count(std::uint64_t count);  // every digit: "1,234,567"
// "1 process", "2 processes".
std::string plural(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace zctrace
