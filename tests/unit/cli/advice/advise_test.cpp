// SPDX-License-Identifier: MIT
// Which advice a report gets, and in which order.
#include "cli/advice/advise.h"

#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

const Relay::End kFile = relay_end("", Kind::file, channel(10));

Process relaying_to(ChannelId sink, std::uint64_t bytes, std::int64_t pid, std::string name) {
  Process process =
      relaying("read", "write", kFile, relay_end("", Kind::file, sink), bytes, bytes / 65536, pid);
  process.name = std::move(name);
  return process;
}

TEST(Advise, IsSilentAboutAReportWithNothingToSay) {
  EXPECT_TRUE(advise(Report{}, {}).empty());
  // sendfile to a socket, and a few large reads.
  const Report report = report_of(
      {process_of({row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 100, 100 * kMiB),
                   row("read", Kind::file, Kind::user, Copy::copied, 100, 10 * kMiB),
                   row("read", Kind::file, Kind::user, Copy::copied, 12, 6000)})});
  EXPECT_TRUE(advise(report, {}).empty());
}

TEST(Advise, PutsWhatSavesMostFirst) {
  const Report report = report_of({relaying_to(channel(11), 10 * kMiB, 7, "small"),
                                   relaying_to(channel(12), 90 * kMiB, 8, "large"),
                                   relaying_to(channel(13), 50 * kMiB, 9, "middle")});
  const std::vector<Advice> advice = advise(report, {});
  ASSERT_EQ(advice.size(), 3u);
  EXPECT_EQ(advice[0].process, "large");
  EXPECT_EQ(advice[1].process, "middle");
  EXPECT_EQ(advice[2].process, "small");
}

TEST(Advise, PutsWhatIsNotAllowedLast) {
  Report report = report_of({relaying_to(channel(11), 10 * kMiB, 7, "legal"),
                             relaying_to(channel(12), 90 * kMiB, 8, "appending")});
  report.processes[1].relays[0].appends = true;
  const std::vector<Advice> advice = advise(report, {});
  ASSERT_EQ(advice.size(), 2u);
  EXPECT_EQ(advice[0].process, "legal");
}

TEST(Advise, RanksByCpuTimeWhereAllHaveOne) {
  Report report = report_of({relaying_to(channel(11), 90 * kMiB, 7, "disk"),
                             relaying_to(channel(12, 2), 10 * kMiB, 8, "other")});
  report.channel_names[channel(10)] = file_named("/a");
  Basis basis = {{"b", "disk", "file", "read_write", 65536, 1.0},
                 {"b", "disk", "file", "copy_file_range", 65536, 0.9}};
  EXPECT_EQ(advise(report, basis).at(0).process, "disk");
  basis.push_back({"b", "disk", "file:other-fs", "read_write", 65536, 9.0});
  basis.push_back({"b", "disk", "file:other-fs", "sendfile", 65536, 1.0});
  const std::vector<Advice> advice = advise(report, basis);
  EXPECT_EQ(advice.at(0).process, "other");
  EXPECT_EQ(advice.at(0).saves.cpu_ns, static_cast<std::int64_t>(80 * kMiB));
}

TEST(Advise, SaysThatAMeasurementSpeaksAgainstIt) {
  Report report = report_of({relaying_to(channel(11), 64 * kMiB, 7, "copier")});
  report.channel_names[channel(10)] = file_named("/a");
  const Basis basis = {{"b", "disk", "file", "read_write", 65536, 1.0},
                       {"b", "disk", "file", "copy_file_range", 65536, 1.5}};
  const Advice advice = only_advice(report, basis);
  EXPECT_LT(advice.saves.cpu_ns, 0);
  EXPECT_NE(advice.sentence.find("but costs 33.6 ms of CPU time more"), std::string::npos)
      << advice.sentence;
}

TEST(Advise, GivesAtMostTen) {
  Report report;
  for (std::int64_t pid = 1; pid <= 30; pid++)
    report.processes.push_back(relaying_to(channel(100), static_cast<std::uint64_t>(pid) * kMiB * 2,
                                           pid, "program" + std::to_string(pid)));
  const std::vector<Advice> advice = advise(report, {});
  ASSERT_EQ(advice.size(), kMostAdvice);
  EXPECT_EQ(advice.front().process, "program30");
  EXPECT_EQ(advice.back().process, "program21");
}

TEST(Advise, OfUnnamedEndsSaysTheirKind) {
  const Relay::End pipe = relay_end("", Kind::pipe, {});
  Process process = relaying("read", "write", kFile, pipe, 64 * kMiB, 1024);
  process.relays[0].from.channel = {};
  const Advice advice = only_advice(report_of({process}));
  EXPECT_EQ(advice.from.channels, 0u);
  EXPECT_NE(advice.sentence.find("from a file and writes it to a pipe"), std::string::npos)
      << advice.sentence;
}

}  // namespace
}  // namespace zctrace
