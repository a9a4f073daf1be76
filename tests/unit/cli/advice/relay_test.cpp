// SPDX-License-Identifier: MIT
// Bytes that a process only passes on.
#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

const Relay::End kFile = relay_end("", Kind::file, channel(10));
const Relay::End kOtherFile = relay_end("", Kind::file, channel(11));
const Relay::End kSocket = relay_end("", Kind::socket, channel(20, 8), Protocol::tcp);

TEST(RelayAdvice, NamesCallsEndsAndWhatSendfileSaves) {
  Report report = report_of({relaying("pread64", "writev", kFile, kSocket, 10 * kMiB, 320)});
  report.channel_names[channel(10)] = file_named("/srv/big");
  report.channel_names[channel(20, 8)] = peer_named("127.0.0.1:80", "127.0.0.1:5000");
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.kind, AdviceKind::relay);
  EXPECT_EQ(advice.process, "server");
  EXPECT_EQ(advice.pids, std::vector<std::int64_t>{7});
  EXPECT_EQ(advice.from.name, "/srv/big");
  EXPECT_EQ(advice.to.name, "127.0.0.1:80 - 127.0.0.1:5000");
  EXPECT_EQ(advice.to.protocol, Protocol::tcp);
  EXPECT_EQ(advice.via, (std::vector<std::string>{"pread64", "writev"}));
  EXPECT_EQ(advice.bytes, 10 * kMiB);
  EXPECT_EQ(advice.instead, "sendfile");
  EXPECT_TRUE(advice.legal);
  EXPECT_EQ(advice.saves.syscalls, 320);
  EXPECT_EQ(advice.saves.syscalls_most, 639);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 20 * kMiB);
  EXPECT_FALSE(advice.saves.cpu_ns);
  EXPECT_EQ(advice.share_of_delivered, 1.0);
  EXPECT_EQ(advice.sentence,
            "server (process 7) reads 10.0 MiB from /srv/big and writes it to 127.0.0.1:80 - "
            "127.0.0.1:5000 unchanged (pread64 and writev): use sendfile instead; that saves 320 "
            "syscalls and 20.0 MiB of CPU copies");
}

TEST(RelayAdvice, LeavesACopyBetweenFiles) {
  const Report report = report_of({relaying("read", "write", kFile, kOtherFile, 64 * kMiB, 1024)});
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.instead, "copy_file_range");
  EXPECT_EQ(advice.saves.syscalls, 1024);
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 64 * kMiB);
}

TEST(RelayAdvice, SavesNoCopyThatWasNotMade) {
  Report report = report_of({relaying("read", "write", kFile, kOtherFile, 64 * kMiB, 1024)});
  report.processes[0].rows[0].cpu_copied_bytes = 0;  // O_DIRECT
  EXPECT_EQ(only_advice(report).saves.cpu_copied_bytes, 0u);
}

TEST(RelayAdvice, AddsUpAServersClients) {
  Process process = relaying("pread64", "writev", kFile, kSocket, 10 * kMiB, 320);
  process.relays.clear();
  process.rows[0].bytes = process.rows[1].bytes = 3000 * 10 * kMiB;
  process.rows[0].cpu_copied_bytes = process.rows[1].cpu_copied_bytes = 3000 * 10 * kMiB;
  for (std::uint64_t client = 0; client < 3000; client++)
    process.relays.push_back(
        relay(relay_end("pread64", Kind::file, channel(10 + client % 2)),
              relay_end("writev", Kind::socket, channel(1000 + client, 8), Protocol::tcp),
              10 * kMiB, 320));
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.bytes, 30'000 * kMiB);
  EXPECT_EQ(advice.from.channels, 2u);
  EXPECT_EQ(advice.to.channels, 3000u);
  EXPECT_EQ(advice.to.name, "");
  EXPECT_EQ(advice.saves.syscalls, 3000 * 320);
  EXPECT_NE(advice.sentence.find("from 2 files and writes it to 3,000 tcp sockets"),
            std::string::npos)
      << advice.sentence;
}

TEST(RelayAdvice, AddsUpWorkersWithTheSameName) {
  const Report report =
      report_of({relaying("pread64", "writev", kFile, kSocket, 10 * kMiB, 320, 7),
                 relaying("pread64", "writev", kFile, kSocket, 20 * kMiB, 640, 8)});
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.pids, (std::vector<std::int64_t>{8, 7}));
  EXPECT_EQ(advice.bytes, 30 * kMiB);
  EXPECT_TRUE(advice.sentence.starts_with("server (2 processes) reads 30.0 MiB"))
      << advice.sentence;
}

TEST(RelayAdvice, KeepsDifferentWaysApart) {
  Process process = relaying("read", "write", kFile, kSocket, 10 * kMiB, 320);
  process.relays.push_back(relay(relay_end("read", Kind::file, channel(10)),
                                 relay_end("write", Kind::file, channel(11)), 5 * kMiB, 160));
  EXPECT_EQ(advise(report_of({process}), {}).size(), 2u);
}

TEST(RelayAdvice, SaysWhyAnAppendingSinkForbidsIt) {
  Report report = report_of({relaying("read", "write", kFile, kOtherFile, 64 * kMiB, 1024)});
  report.processes[0].relays[0].appends = true;
  const Advice advice = only_advice(report);
  EXPECT_FALSE(advice.legal);
  EXPECT_EQ(advice.instead, "copy_file_range");
  EXPECT_NE(advice.sentence.find("O_APPEND"), std::string::npos) << advice.sentence;
  EXPECT_NE(advice.sentence.find("would save"), std::string::npos) << advice.sentence;
}

TEST(RelayAdvice, SaysThatDatagramsHaveNoOtherWay) {
  const Relay::End datagrams = relay_end("", Kind::socket, channel(30, 8), Protocol::udp);
  const Report report =
      report_of({relaying("recvfrom", "sendto", datagrams, kSocket, 64 * kMiB, 50'000)});
  // It would save nothing, so there is nothing to say.
  EXPECT_TRUE(advise(report, {}).empty());
}

TEST(RelayAdvice, ThroughAPipeSavesCopiesRatherThanCalls) {
  const Relay::End client = relay_end("", Kind::socket, channel(21, 8), Protocol::tcp);
  const Advice advice = only_advice(
      report_of({relaying("read", "write", client, kSocket, 64 * kMiB, 64 * kMiB / 8192)}));
  EXPECT_EQ(advice.instead, "splice");
  EXPECT_EQ(advice.saves.syscalls, 0);
  EXPECT_EQ(advice.saves.syscalls_most, static_cast<std::int64_t>(2 * 8192 - 2 * 64));
  EXPECT_EQ(advice.saves.cpu_copied_bytes, 128 * kMiB);
  EXPECT_NE(advice.sentence.find("through a pipe as large as the buffer"), std::string::npos)
      << advice.sentence;
}

TEST(RelayAdvice, SaysWhatALargeBufferCosts) {
  const Relay::End client = relay_end("", Kind::socket, channel(21, 8), Protocol::tcp);
  const Advice advice =
      only_advice(report_of({relaying("read", "write", client, kSocket, 64 * kMiB, 16)}));
  EXPECT_EQ(advice.saves.syscalls, 32 - 128);
  EXPECT_NE(advice.sentence.find("costs 96 syscalls more"), std::string::npos) << advice.sentence;
}

TEST(RelayAdvice, IsSilentAboutWhatIsNextToNothing) {
  // As of gzip: a few bytes look passed on.
  Process process =
      process_of({row("read", Kind::file, Kind::user, Copy::copied, 4096, 256 * kMiB),
                  row("write", Kind::user, Kind::file, Copy::copied, 500, 30 * kMiB)});
  process.relays = {relay(relay_end("read", Kind::file, channel(1)),
                          relay_end("write", Kind::file, channel(2)), 2 * kMiB, 30)};
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
  process.relays[0].bytes = 1000;
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
  process.relays.clear();
  EXPECT_TRUE(advise(report_of({process}), {}).empty());
}

TEST(RelayAdvice, IsSilentAboutOneFileAndDevices) {
  EXPECT_TRUE(
      advise(report_of({relaying("read", "write", kFile, kFile, 64 * kMiB, 1024)}), {}).empty());
  const Relay::End null = relay_end("", Kind::device, channel(5, 5));
  EXPECT_TRUE(
      advise(report_of({relaying("read", "write", kFile, null, 64 * kMiB, 1024)}), {}).empty());
}

TEST(RelayAdvice, CoversProcessesThatAreNotListed) {
  Report report = report_of({});
  report.others.sum = relaying("read", "write", kFile, kOtherFile, 64 * kMiB, 1024, 0);
  report.others.sum.name = "";
  report.others.processes = 20;
  const Advice advice = only_advice(report);
  EXPECT_EQ(advice.kind, AdviceKind::relay);
  EXPECT_TRUE(advice.pids.empty());
  EXPECT_TRUE(advice.sentence.starts_with("(other processes) reads")) << advice.sentence;
}

TEST(RelayAdvice, KeepsTheEndOfALongName) {
  Report report = report_of({relaying("read", "write", kFile, kOtherFile, 64 * kMiB, 1024)});
  report.channel_names[channel(10)] = file_named("/" + std::string(4000, 'a') + "/the-end");
  const Advice advice = only_advice(report);
  EXPECT_GT(advice.from.name.size(), 4000u);
  EXPECT_LT(advice.sentence.size(), 400u);
  EXPECT_NE(advice.sentence.find("aaa/the-end "), std::string::npos) << advice.sentence;
}

}  // namespace
}  // namespace zctrace
