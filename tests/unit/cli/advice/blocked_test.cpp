// SPDX-License-Identifier: MIT
// Sends in the kernel that wait for their reader.
#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

Process blocked(Kind to = Kind::socket) {
  Row sends = row("sendfile", Kind::file, to, Copy::in_kernel, 10, 64 * kMiB);
  sends.wall_ns = 10 * kSecond;
  sends.off_cpu_ns = 9 * kSecond;
  sends.voluntary_switches = 256;
  return process_of({sends});
}

TEST(BlockedAdvice, SaysHowLongTheReaderKeptItWaiting) {
  const Advice advice = only_advice(report_of({blocked()}));
  EXPECT_EQ(advice.kind, AdviceKind::blocked);
  EXPECT_EQ(advice.waited_ns, 9 * kSecond);
  EXPECT_EQ(advice.instead, "a larger send buffer (SO_SNDBUF)");
  EXPECT_TRUE(advice.legal);
  EXPECT_EQ(advice.saves.syscalls, 0);
  EXPECT_NE(advice.sentence.find("waited 9.00 s of 10.0 s in sendfile"), std::string::npos)
      << advice.sentence;
  EXPECT_EQ(only_advice(report_of({blocked(Kind::pipe)})).instead, "a larger pipe (F_SETPIPE_SZ)");
}

TEST(BlockedAdvice, NeedsTimes) {
  Report report = report_of({blocked()});
  report.latency = false;
  EXPECT_TRUE(advise(report, {}).empty());
}

TEST(BlockedAdvice, IsSilentAboutOtherWaits) {
  Process disk = blocked();
  disk.rows[0].disk_read_bytes = 64 * kMiB;
  Process unknown = blocked();
  unknown.rows[0].charges = Charges::unknown;
  Process short_wait = blocked();
  short_wait.rows[0].off_cpu_ns = kSecond / 100;
  short_wait.rows[0].wall_ns = kSecond / 100;
  Process mostly_working = blocked();
  mostly_working.rows[0].off_cpu_ns = 4 * kSecond;
  Process preempted = blocked();
  preempted.rows[0].involuntary_switches = 300;
  Process file = blocked();
  file.rows[0].to = Kind::file;
  Process from_pipe = blocked();
  from_pipe.rows[0].from = Kind::pipe;
  for (const Process& process :
       {disk, unknown, short_wait, mostly_working, preempted, file, from_pipe})
    EXPECT_TRUE(advise(report_of({process}), {}).empty());
}

}  // namespace
}  // namespace zctrace
