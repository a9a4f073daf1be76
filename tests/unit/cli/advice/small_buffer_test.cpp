// SPDX-License-Identifier: MIT
// Calls that move few bytes each.
#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

Process small(std::string syscall = "read", Kind from = Kind::file, Kind to = Kind::user) {
  return process_of({row(std::move(syscall), from, to, Copy::copied, 20'000, 20'000 * 512)});
}

TEST(SmallBufferAdvice, SavesTheCallsThat64KiBBuffersNeedNot) {
  const Advice advice = only_advice(report_of({small()}));
  EXPECT_EQ(advice.kind, AdviceKind::small_buffer);
  EXPECT_EQ(advice.saves.syscalls, 20'000 - 157);  // 10,240,000 bytes
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 0u);
  EXPECT_EQ(advice.instead, "a buffer of 64 KiB");
  EXPECT_TRUE(advice.legal);
  EXPECT_EQ(advice.from.kind, Kind::file);
  EXPECT_EQ(advice.to.kind, Kind::user);
  EXPECT_NE(advice.sentence.find("512 B on average"), std::string::npos) << advice.sentence;
}

TEST(SmallBufferAdvice, IsOneForReadsAndWrites) {
  Process process = small();
  process.rows.push_back(small("write", Kind::user, Kind::file).rows.front());
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.saves.syscalls, 2 * (20'000 - 157));
  EXPECT_EQ(advice.via, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(advice.to.kind, Kind::file);
}

TEST(SmallBufferAdvice, IsOnlyForCallsWhoseSizeTheProgramChooses) {
  EXPECT_EQ(advise(report_of({small("write", Kind::user, Kind::pipe)}), {}).size(), 1u);
  for (const Process& process :
       {small("pread64"), small("read", Kind::pipe), small("read", Kind::socket),
        small("write", Kind::user, Kind::socket), small("sendto", Kind::user, Kind::socket),
        small("read", Kind::device)})
    EXPECT_TRUE(advise(report_of({process}), {}).empty()) << process.rows[0].syscall;
}

TEST(SmallBufferAdvice, IsNotForLargeOrFewCalls) {
  Process process = small();
  process.rows[0].bytes = 20'000 * 8192;
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
  process.rows[0].calls = 900;
  process.rows[0].bytes = 900 * 512;
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
  // Nor if they are few of all that the process calls.
  process = small();
  process.rows.push_back(row("other", Kind::other, Kind::other, Copy::none, 5'000'000, 0));
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
}

TEST(SmallBufferAdvice, IsNotForManySmallFiles) {
  // As of grep: two calls for each of many files.
  Process process =
      process_of({row("read", Kind::file, Kind::user, Copy::copied, 20'000, 1'000'000)});
  for (std::uint64_t file = 1; file <= 10'000; file++)
    process.flows.push_back(
        flow(channel(file), {}, row("read", Kind::file, Kind::user, Copy::copied, 2, 100)));
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
}

TEST(SmallBufferAdvice, NamesTheFile) {
  Process process = small();
  process.flows = {flow(channel(3), {}, process.rows[0])};
  Report report = report_of({process});
  report.channel_names[channel(3)] = file_named("/var/data");
  EXPECT_EQ(only_advice(report).from.name, "/var/data");
}

TEST(SmallBufferAdvice, IsDroppedWhereCompareShowsThatSizeDoesNotMatter) {
  Process process = small();
  process.rows.push_back(small("write", Kind::user, Kind::file).rows.front());
  process.flows = {flow(channel(3), {}, process.rows[0]), flow({}, channel(4), process.rows[1])};
  Report report = report_of({process});
  report.channel_names[channel(3)] = file_named("/var/data");
  Basis basis = {{"saved", "disk", "file", "read_write", 512, 2.0},
                 {"saved", "disk", "file", "read_write", 65536, 0.5}};
  EXPECT_GT(only_advice(report, basis).saves.cpu_ns, 0);
  basis[0].cpu_ns_per_byte = 0.5;
  EXPECT_TRUE(advise(report, basis).empty());
}

}  // namespace
}  // namespace zctrace
