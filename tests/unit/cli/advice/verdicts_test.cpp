// SPDX-License-Identifier: MIT
// Bytes that the kernel copied although it was asked not to.
#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

Process with_verdict(Row one, Verdict verdict) {
  one.verdict = verdict;
  Process process = process_of({std::move(one)});
  process.name = "sender";
  return process;
}

Process direct_reader() {
  return with_verdict(row("read", Kind::file, Kind::user, Copy::copied, 64, 64 * kMiB),
                      Verdict::buffered);
}

TEST(DirectFallbackAdvice, SaysThatFilesInMemoryHaveNoDisk) {
  Process process = direct_reader();
  process.flows = {flow(channel(1), {}, process.rows[0])};
  Report report = report_of({process});
  report.channel_names[channel(1)] = file_named("/dev/shm/a", "tmpfs");
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.kind, AdviceKind::direct_fallback);
  EXPECT_FALSE(advice.legal);
  EXPECT_EQ(advice.instead, "");
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 0u);
  EXPECT_NE(advice.why.find("in memory"), std::string::npos);
  EXPECT_NE(advice.sentence.find("with 64.0 MiB from /dev/shm/a (read) and got the page cache"),
            std::string::npos)
      << advice.sentence;
}

TEST(DirectFallbackAdvice, KnowsWritesToMemoryByTheRow) {
  Process process = with_verdict(row("write", Kind::user, Kind::file, Copy::copied, 64, 64 * kMiB),
                                 Verdict::buffered);
  process.rows[0].in_memory = true;
  EXPECT_NE(only_advice(report_of({process})).why.find("in memory"), std::string::npos);
}

TEST(DirectFallbackAdvice, LeavesOutFilesThatWereOpenedOtherwise) {
  // As of the libraries that every program reads.
  Process process = direct_reader();
  Row other = row("read", Kind::file, Kind::user, Copy::copied, 5, 3000);
  process.flows = {flow(channel(1), {}, process.rows[0]), flow(channel(2), {}, other)};
  process.rows[0].bytes += 3000;
  EXPECT_EQ(only_advice(report_of({process})).bytes, 64 * kMiB);
  process.rows[0].verdict = Verdict::mixed;
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.bytes, 64 * kMiB);
  EXPECT_EQ(advice.from.channels, 1u);
}

TEST(DirectFallbackAdvice, SaysThatADiskFileSystemDecided) {
  const Advice advice = only_advice(report_of({direct_reader()}));
  EXPECT_NE(advice.why.find("page cache"), std::string::npos);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 64 * kMiB);
}

TEST(DirectFallbackAdvice, IsSilentAboutDirectBytes) {
  const Process process = with_verdict(
      row("read", Kind::file, Kind::user, Copy::copied, 64, 64 * kMiB), Verdict::direct);
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
}

// A sender that reads its notifications from the same socket, 40 times.
Report zerocopy_report(Verdict verdict) {
  Row sends = row("sendmsg", Kind::user, Kind::socket, Copy::copied, 1000, 64 * kMiB);
  sends.protocol = Protocol::tcp;
  Process process = with_verdict(sends, verdict);
  Row notifications = row("recvmsg", Kind::socket, Kind::user, Copy::copied, 40, 0);
  process.rows.push_back(notifications);
  process.flows = {flow({}, channel(9, 8), process.rows[0]), flow(channel(9, 8), {}, notifications),
                   flow(channel(10, 8), {}, notifications)};
  return report_of({process});
}

TEST(ZerocopyAdvice, SaysThatTheLoopbackCopies) {
  const Advice advice = only_advice(zerocopy_report(Verdict::zerocopy_loopback));
  EXPECT_EQ(advice.kind, AdviceKind::zerocopy_copied);
  EXPECT_EQ(advice.instead, "sendmsg without MSG_ZEROCOPY");
  EXPECT_TRUE(advice.legal);
  EXPECT_NE(advice.why.find("loopback"), std::string::npos);
  // Only those of this socket.
  EXPECT_EQ(advice.saves.syscalls, 40);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 0u);
}

TEST(ZerocopyAdvice, BlamesTheDeviceElsewhere) {
  const Advice advice = only_advice(zerocopy_report(Verdict::zerocopy_copied));
  EXPECT_NE(advice.why.find("device"), std::string::npos);
  EXPECT_EQ(advice.why.find("loopback"), std::string::npos);
}

TEST(ZerocopyAdvice, TakesTheCpuTimeOfThePlainSend) {
  const Basis basis = {{"saved", "tmpfs", "tcp", "msg_zerocopy", 65536, 0.50},
                       {"saved", "tmpfs", "tcp", "mmap_send", 65536, 0.25}};
  EXPECT_EQ(only_advice(zerocopy_report(Verdict::zerocopy_loopback), basis).saves.cpu_ns,
            static_cast<std::int64_t>(16 * kMiB));
  EXPECT_FALSE(only_advice(zerocopy_report(Verdict::zerocopy_copied), basis).saves.cpu_ns);
}

TEST(ZerocopyAdvice, OfIoUringIsTheOtherOperation) {
  Row sends = row("io_uring:send_zc", Kind::user, Kind::socket, Copy::copied, 1000, 64 * kMiB);
  sends.asynchronous = true;
  const Advice advice = only_advice(report_of({with_verdict(sends, Verdict::zerocopy_copied)}));
  EXPECT_EQ(advice.instead, "send");
  EXPECT_EQ(advice.saves.syscalls, 0);
}

TEST(TlsAdvice, IsAboutTheDevice) {
  Row sends = row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 100, 64 * kMiB);
  sends.protocol = Protocol::tls;
  sends.cpu_copied_bytes = sends.bytes;
  const Advice advice = only_advice(report_of({with_verdict(sends, Verdict::tls_software)}));
  EXPECT_EQ(advice.kind, AdviceKind::tls_software);
  EXPECT_FALSE(advice.legal);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 64 * kMiB);
  EXPECT_EQ(advice.to.protocol, Protocol::tls);
}

TEST(VerdictAdvice, IsSilentAboutFewBytes) {
  Row sends = row("sendmsg", Kind::user, Kind::socket, Copy::copied, 10, 1000);
  EXPECT_TRUE(advise(report_of({with_verdict(sends, Verdict::zerocopy_copied)}), {}).empty());
}

}  // namespace
}  // namespace zctrace
