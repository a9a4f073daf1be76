// SPDX-License-Identifier: MIT
// Sizes, durations and counts; a misread size moves the wrong number of bytes.
#include "cli/text/units.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace zctrace {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

std::string refusal(std::uint64_t (*parse)(std::string_view), std::string_view text) {
  try {
    return "accepted as " + std::to_string(parse(text));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(ParseSize, TakesPowersOf1024) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("4K"), 4096u);
  EXPECT_EQ(parse_size("4k"), 4096u);
  EXPECT_EQ(parse_size("64M"), 64u << 20);
  EXPECT_EQ(parse_size("1G"), 1u << 30);
  EXPECT_EQ(parse_size("2T"), 2ULL << 40);
  EXPECT_EQ(parse_size("4KiB"), 4096u);
  EXPECT_EQ(parse_size("3mib"), 3u << 20);
  EXPECT_EQ(parse_size("1GIB"), 1u << 30);
  EXPECT_EQ(parse_size("18446744073709551615"), kMax);
  EXPECT_EQ(parse_size("15E"), 15ULL << 60);
}

TEST(ParseSize, SaysWhatIsWrong) {
  EXPECT_EQ(refusal(parse_size, ""),
            "invalid size '': it is empty; give bytes, or powers of 1024 such as 4K, 64M, 1G");
  EXPECT_NE(refusal(parse_size, "-4K").find("it is negative"), std::string::npos);
  EXPECT_NE(refusal(parse_size, "4KX").find("unknown unit 'KX'"), std::string::npos);
  EXPECT_NE(refusal(parse_size, "4KB").find("unknown unit 'KB'"), std::string::npos);
  EXPECT_NE(refusal(parse_size, "1.5G").find("unknown unit '.5G'"), std::string::npos);
  EXPECT_NE(refusal(parse_size, "16E").find("too large"), std::string::npos);
  EXPECT_NE(refusal(parse_size, "18446744073709551616").find("too large"), std::string::npos);
  for (const char* text : {"K", "+4K", " 4K", "4K ", "4 K", "0x10", "whole"}) {
    EXPECT_NE(refusal(parse_size, text).find("invalid size"), std::string::npos) << text;
  }
  EXPECT_NE(refusal(parse_size, std::string_view("4\0K", 3)).find("invalid size"),
            std::string::npos);
}

TEST(ParseDuration, TakesNanosecondsToHours) {
  EXPECT_EQ(parse_duration("0s"), 0u);
  EXPECT_EQ(parse_duration("7ns"), 7u);
  EXPECT_EQ(parse_duration("250us"), 250'000u);
  EXPECT_EQ(parse_duration("500ms"), 500'000'000u);
  EXPECT_EQ(parse_duration("10s"), 10'000'000'000u);
  EXPECT_EQ(parse_duration("5m"), 300'000'000'000u);
  EXPECT_EQ(parse_duration("1h"), 3'600'000'000'000u);
}

TEST(ParseDuration, TakesPlainSeconds) {
  EXPECT_EQ(parse_duration("10"), 10'000'000'000u);
  EXPECT_EQ(parse_duration("0"), 0u);
  EXPECT_EQ(parse_duration("0.5"), 500'000'000u);
  EXPECT_EQ(parse_duration(".5"), 500'000'000u);  // as sleep(1) does
  EXPECT_EQ(parse_duration(".25ms"), 250'000u);
}

TEST(ParseDuration, TakesDecimals) {
  EXPECT_EQ(parse_duration("1.5s"), 1'500'000'000u);
  EXPECT_EQ(parse_duration("0.25ms"), 250'000u);
  EXPECT_EQ(parse_duration("0.5h"), 1'800'000'000'000u);
  EXPECT_EQ(parse_duration("1.000000001"), 1'000'000'001u);
  EXPECT_EQ(parse_duration("0.9ns"), 0u);
  EXPECT_NE(refusal(parse_duration, "1.").find("no digit follows"), std::string::npos);
  EXPECT_NE(refusal(parse_duration, "1.s").find("no digit follows"), std::string::npos);
  EXPECT_NE(refusal(parse_duration, ".").find("no digit follows"), std::string::npos);
  EXPECT_NE(refusal(parse_size, ".5").find("does not begin with a digit"), std::string::npos);
  EXPECT_NE(refusal(parse_duration, "0.1234567891").find("nine decimals"), std::string::npos);
  EXPECT_NE(refusal(parse_duration, "1.5.5").find("unknown unit '.5'"), std::string::npos);
}

TEST(ParseDuration, SaysWhatIsWrong) {
  EXPECT_EQ(refusal(parse_duration, "10x"),
            "invalid duration '10x': unknown unit 'x'; give seconds (10, 0.5) or a unit "
            "(500ms, 10s, 5m, 1h)");
  EXPECT_NE(refusal(parse_duration, "-1s").find("it is negative"), std::string::npos);
  EXPECT_NE(refusal(parse_duration, "99999999999h").find("too large"), std::string::npos);
  // Fits 64 bits, but added to a clock it would overflow into the past.
  EXPECT_NE(refusal(parse_duration, "3000000h").find("too large"), std::string::npos);
  for (const char* text : {"", "s", "1d", ".", ".s", "1S", "1s 2", "forever"}) {
    EXPECT_NE(refusal(parse_duration, text).find("invalid duration"), std::string::npos) << text;
  }
}

TEST(FormatBytes, MovesToTheNextUnitBeforeItShows1024) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(10485760), "10.0 MiB");
  EXPECT_EQ(format_bytes((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(kMax), "16.0 EiB");
}

TEST(FormatNs, ShowsThreeDigits) {
  EXPECT_EQ(format_ns(0), "0 ns");
  EXPECT_EQ(format_ns(999), "999 ns");
  EXPECT_EQ(format_ns(1000), "1.00 us");
  EXPECT_EQ(format_ns(1'234'567), "1.23 ms");
  EXPECT_EQ(format_ns(9'994'999), "9.99 ms");
  EXPECT_EQ(format_ns(9'996'000), "10.0 ms");
  EXPECT_EQ(format_ns(99'960'000), "100 ms");
  EXPECT_EQ(format_ns(999'600'000), "1.00 s");
  EXPECT_EQ(format_ns(59'900'000'000), "59.9 s");
  EXPECT_EQ(format_ns(59'960'000'000), "1m 00s");
  EXPECT_EQ(format_ns(123'400'000'000), "2m 03s");
  EXPECT_EQ(format_ns(3'599'600'000'000), "1h 00m");
  EXPECT_EQ(format_ns(kMax), "5,124,095h 34m");
}

TEST(FormatCount, SeparatesThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(kMax), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace zctrace
