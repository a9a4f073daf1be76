// SPDX-License-Identifier: MIT
// Calls in the kernel that failed, and what read and write moved instead.
#include <cerrno>

#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

Row failed(std::string syscall, Kind from, Kind to, unsigned number) {
  Row failure = row(std::move(syscall), from, to, Copy::in_kernel, 1, 0);
  failure.errors = 1;
  failure.errors_by[number] = 1;
  return failure;
}

// A process that tried `failure`, then read with one call more than it wrote, which met the end.
Process fell_back(Row failure, std::uint64_t bytes = 64 * kMiB, std::uint64_t calls = 2048) {
  const Row read = row("read", failure.from, Kind::user, Copy::copied, calls + 1, bytes);
  const Row written = row("write", Kind::user, failure.to, Copy::copied, calls, bytes);
  Process process = process_of({failure, read, written});
  process.name = "copier";
  return process;
}

TEST(FallbackAdvice, UsesSendfileAcrossFileSystems) {
  const Process process = fell_back(failed("copy_file_range", Kind::file, Kind::file, EXDEV));
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.kind, AdviceKind::fallback);
  EXPECT_EQ(advice.instead, "sendfile");
  EXPECT_TRUE(advice.legal);
  EXPECT_EQ(advice.bytes, 64 * kMiB);
  EXPECT_EQ(advice.saves.syscalls, 2048);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 64 * kMiB);
  EXPECT_TRUE(advice.why.starts_with("copy_file_range failed with EXDEV because")) << advice.why;
  EXPECT_NE(advice.sentence.find("after copy_file_range failed with EXDEV: use sendfile instead"),
            std::string::npos)
      << advice.sentence;
}

TEST(FallbackAdvice, UsesSendfileWhereTheFileSystemLacksTheCall) {
  const Process process = fell_back(failed("copy_file_range", Kind::file, Kind::file, EOPNOTSUPP));
  EXPECT_EQ(only_advice(report_of({process})).instead, "sendfile");
}

TEST(FallbackAdvice, SplicesThroughAPipeWhereNeitherEndIsOne) {
  Row failure = failed("splice", Kind::file, Kind::socket, EINVAL);
  failure.protocol = Protocol::tcp;
  EXPECT_EQ(only_advice(report_of({fell_back(failure)})).instead, "sendfile");
  failure = failed("splice", Kind::socket, Kind::file, EINVAL);
  failure.protocol = Protocol::tcp;
  const Advice advice = only_advice(report_of({fell_back(failure)}));
  EXPECT_EQ(advice.instead, "splice");
  EXPECT_TRUE(advice.legal);
  EXPECT_NE(advice.why.find("neither end is a pipe"), std::string::npos) << advice.why;
}

TEST(FallbackAdvice, SplicesWhereSendfileHasNoFileToReadFrom) {
  Row failure = failed("sendfile", Kind::socket, Kind::socket, EINVAL);
  failure.protocol = Protocol::tcp;
  Process process = fell_back(failure);
  process.rows[1].protocol = process.rows[2].protocol = Protocol::tcp;
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.instead, "splice");
  EXPECT_NE(advice.why.find("its source is not a file"), std::string::npos) << advice.why;
}

TEST(FallbackAdvice, SaysThatOAppendForbidsIt) {
  for (const auto& [call, number] :
       {std::pair("sendfile", EINVAL), std::pair("copy_file_range", EBADF)}) {
    const Process process =
        fell_back(failed(call, Kind::file, Kind::file, static_cast<unsigned>(number)));
    const Advice advice = only_advice(report_of({process}));
    EXPECT_FALSE(advice.legal) << call;
    EXPECT_NE(advice.why.find("O_APPEND"), std::string::npos) << advice.why;
  }
}

TEST(FallbackAdvice, CountsOnlyTheFilesThatFailed) {
  Process process = fell_back(failed("copy_file_range", Kind::file, Kind::file, EXDEV));
  // It also reads and writes other files, for other reasons.
  process.rows.push_back(row("read", Kind::file, Kind::user, Copy::copied, 9, 500 * kMiB));
  process.rows.push_back(row("write", Kind::user, Kind::file, Copy::copied, 9, 500 * kMiB));
  process.flows = {flow(channel(1), channel(2, 2), process.rows[0]),
                   flow(channel(1), {}, process.rows[1]), flow({}, channel(2, 2), process.rows[2]),
                   flow(channel(3), {}, process.rows[3]), flow({}, channel(4), process.rows[4])};
  Report report = report_of({process});
  report.channel_names[channel(1)] = file_named("/disk/a");
  report.channel_names[channel(2, 2)] = file_named("/memory/b", "tmpfs");
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.bytes, 64 * kMiB);
  EXPECT_EQ(advice.from.name, "/disk/a");
  EXPECT_EQ(advice.to.name, "/memory/b");
  EXPECT_EQ(advice.saves.syscalls, 2048);
}

TEST(FallbackAdvice, TakesThePlaceOfARelay) {
  Process process = fell_back(failed("copy_file_range", Kind::file, Kind::file, EXDEV));
  process.flows = {flow(channel(1), channel(2, 2), process.rows[0]),
                   flow(channel(1), {}, process.rows[1]), flow({}, channel(2, 2), process.rows[2])};
  process.relays = {relay(relay_end("read", Kind::file, channel(1)),
                          relay_end("write", Kind::file, channel(2, 2)), 64 * kMiB, 2048)};
  EXPECT_EQ(only_advice(report_of({process})).kind, AdviceKind::fallback);
  // Of other files it is still a relay.
  process.relays[0].to.channel = channel(5, 2);
  EXPECT_EQ(advise(report_of({process}), {}).size(), 2u);
}

TEST(FallbackAdvice, IsSilentIfNothingWasMovedInstead) {
  Process process = fell_back(failed("copy_file_range", Kind::file, Kind::file, EXDEV));
  process.rows.pop_back();
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
  // Nor is another error a reason to use another call.
  EXPECT_TRUE(
      advise(report_of({fell_back(failed("sendfile", Kind::file, Kind::socket, EAGAIN))}), {})
          .empty());
  EXPECT_TRUE(
      advise(report_of({fell_back(failed("ioctl:FICLONE", Kind::file, Kind::file, EOPNOTSUPP))}),
             {})
          .empty());
}

}  // namespace
}  // namespace zctrace
