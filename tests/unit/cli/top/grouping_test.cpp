// SPDX-License-Identifier: MIT
// Sums of processes by name.
#include <gtest/gtest.h>

#include <chrono>

#include "cli/top/model.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using std::chrono::seconds;

Process named(std::int64_t pid, const char* name, std::uint64_t writes) {
  Process process;
  process.pid = pid;
  process.start_ns = 5;
  process.name = name;
  process.user_ns = writes * 11;
  process.rows = {row("write", Kind::user, Kind::socket, Copy::copied, writes, writes * 13)};
  return process;
}

TEST(Grouping, AddsUpTheProcessesOfAName) {
  TopModel model;
  model.add(report_of({named(1, "grep", 3), named(2, "grep", 5), named(3, "curl", 7)}), seconds(0));
  Process ended = named(2, "grep", 10);
  ended.end_ns = 9;
  const auto sample =
      model.add(report_of({named(1, "grep", 3 + 17), ended, named(3, "curl", 7)}), seconds(1));
  const auto groups = grouped(sample, TopGroup::name);
  ASSERT_EQ(groups->processes.size(), 2u);

  const TopProcess* grep = groups->find({0, 0, 0, "grep"});
  ASSERT_NE(grep, nullptr);
  EXPECT_EQ(grep->members, 2u);
  EXPECT_FALSE(grep->ended) << "one of them runs";
  EXPECT_EQ(grep->total->name, "grep");
  EXPECT_EQ(grep->total_figures.syscalls, 30u);
  EXPECT_EQ(grep->interval_figures.syscalls, 22u);
  EXPECT_EQ(grep->interval_figures.cpu_ns, 22u * 11);
  ASSERT_NE(grep->interval, nullptr);
  ASSERT_EQ(grep->interval->rows.size(), 1u);
  EXPECT_EQ(grep->interval->rows[0].bytes, 22u * 13);

  const TopProcess* curl = groups->find({0, 0, 0, "curl"});
  ASSERT_NE(curl, nullptr);
  EXPECT_EQ(curl->members, 1u);
  EXPECT_EQ(curl->interval, nullptr) << "it did nothing";
  EXPECT_EQ(groups->sum(true).syscalls, sample->sum(true).syscalls);
}

TEST(Grouping, IsEndedWithTheLastOfItsProcesses) {
  Process one = named(1, "grep", 3);
  Process other = named(2, "grep", 5);
  one.end_ns = other.end_ns = 9;
  TopModel model;
  const auto groups = grouped(model.add(report_of({one, other}), seconds(0)), TopGroup::name);
  ASSERT_EQ(groups->processes.size(), 1u);
  EXPECT_TRUE(groups->processes[0].ended);
}

TEST(Grouping, ByProcessIsTheSampleItself) {
  TopModel model;
  const auto sample = model.add(report_of({named(1, "grep", 3)}), seconds(0));
  EXPECT_EQ(grouped(sample, TopGroup::process), sample);
}

TEST(Grouping, ByContainerHasNamesWhereFilesTell) {
  Process in_pod = named(104, "envoy", 3);
  Process in_docker = named(102, "redis", 5);
  Process in_none = named(101, "nginx", 7);
  OwnerCache owners("tests/fixtures/containers");
  const Report report = report_of({in_pod, in_docker, in_none});
  owners.update(report.processes);
  TopModel model;
  const auto groups = grouped(model.add(report, seconds(0), owners), TopGroup::container);
  EXPECT_NE(groups->find({0, 0, 0, "mesh/envoy-0/proxy"}), nullptr);
  EXPECT_NE(groups->find({0, 0, 0, "redis"}), nullptr);
  EXPECT_NE(groups->find({0, 0, 0, "(no container)"}), nullptr);
}

TEST(Grouping, HasAWordForEachGroup) {
  for (const TopGroup by : {TopGroup::process, TopGroup::name, TopGroup::unit, TopGroup::container})
    EXPECT_EQ(parse_top_group(group_name(by)), by);
  EXPECT_EQ(parse_top_group("thread"), std::nullopt);
}

}  // namespace
}  // namespace zctrace
