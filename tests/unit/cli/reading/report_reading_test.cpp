// SPDX-License-Identifier: MIT
// A report that was saved and read again is the same report, in every format.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/reading/saved_report.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount/mount_view.h"
#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace {
namespace {

Report read_again(const std::string& json) {
  return std::get<Report>(parse_saved_reports("f", json).reports.at(0).report);
}

// Reads what `report` is saved as, and compares all that the two reports look like.
void expect_same_when_read_again(const Report& report, const std::string& by = "") {
  const std::string json = report_json(report, by).dump(2);
  const Report again = read_again(json);
  EXPECT_EQ(report_json(again, by).dump(2), json);
  const std::optional<GroupBy> groups[] = {std::nullopt,  GroupBy::process, GroupBy::syscall,
                                           GroupBy::flow, GroupBy::file,    GroupBy::peer,
                                           GroupBy::port};
  for (const auto& group : groups) {
    if (is_by_channel(group) && !report.channels) continue;
    EXPECT_EQ(table_view(again, group, {false, true, 0}),
              table_view(report, group, {false, true, 0}));
    EXPECT_EQ(csv_view(again, group), csv_view(report, group));
    EXPECT_EQ(markdown_view(again, group), markdown_view(report, group));
  }
}

TEST(ReportReading, KeepsAReportOfOneProcessAndOfMany) {
  expect_same_when_read_again(make_report());
  expect_same_when_read_again(make_report(3), "process");
  Report attached = make_report(2);
  attached.command = "attach";
  attached.argv = {"zctrace", "attach", "-n", "nginx"};
  attached.targets = "processes named nginx";
  attached.exit_code.reset();
  attached.processes[0].end_ns.reset();
  attached.processes[0].exit_code.reset();
  attached.processes[1].signal = 9;
  attached.processes[1].exit_code = 137;
  expect_same_when_read_again(attached);
  expect_same_when_read_again(Report());
}

TEST(ReportReading, KeepsUnitsAndContainers) {
  Report attached = make_report(3);
  attached.command = "attach";
  attached.processes[0].owner.unit = "nginx.service";
  attached.processes[1].owner = {"", std::string(64, 'a'), "uid", {"web", "nginx-0", "default"}};
  attached.processes[2].owner.container_id = std::string(64, 'b');
  expect_same_when_read_again(attached);
  expect_same_when_read_again(attached, "process");
}

TEST(ReportReading, KeepsNamesThatWouldActOnATerminal) {
  Report report = evil_report();
  report.processes[0].rows[0].syscall = "read";
  // JSON has no bytes that are not UTF-8: they have become U+FFFD.
  const std::string evil = valid_utf8(kEvil);
  report.argv = {evil};
  report.host.kernel = evil;
  report.processes[0].name = evil;
  report.processes[0].argv = {evil, ""};
  report.completeness.lost_by_reason = {{evil, 1}};
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsRowsThatAreNotSelected) { expect_same_when_read_again(selected_report()); }

TEST(ReportReading, KeepsTimesOfMergedRowsAndBounds) {
  Report report = make_report(2);
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket)
    report.processes[0].rows[0].latency.add(bucket, bucket + 1);
  report.processes[0].rows[0].max_is_bound = true;
  report.processes[0].rows[0].max_ns = 123'456'789'012;
  report.processes[1].rows[0].min_ns = 3;
  expect_same_when_read_again(report);
  report.latency = false;
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsEstimatedTimes) {
  Report report = make_report(3);
  report.adaptive = true;
  for (Process& process : report.processes)
    for (Row& row : process.rows) {
      row.latency.add(9, 4'321);
      row.sample.untimed = 54'321;
      row.wall_variance = variance_of(76'543);
    }
  expect_same_when_read_again(report);
  const Report again = read_again(report_json(report).dump());
  EXPECT_EQ(again.timing(), Timing::adaptive);
  EXPECT_EQ(again.processes[0].rows[0].wall_error_ns(), 76'543U);
  EXPECT_EQ(again.processes[0].rows[0].clocked_calls(),
            report.processes[0].rows[0].clocked_calls());
}

TEST(ReportReading, KeepsEveryError) {
  Report report = make_report();
  Row& row = report.processes[0].rows[0];
  for (unsigned error = 1; error <= 20; ++error) row.errors_by[error] = error;
  row.errors_by[512] = 7;  // ERESTARTSYS has no name outside the kernel
  row.errors = 300;
  expect_same_when_read_again(report);
  EXPECT_EQ(read_again(report_json(report).dump()).processes[0].rows[0].errors_by, row.errors_by);
}

TEST(ReportReading, KeepsWhatIsNotKnown) {
  Report report = make_report(2);
  report.processes[0].rows[0].charges = Charges::unknown;
  report.processes[0].rows[0].asynchronous = true;
  expect_same_when_read_again(report);
  report.processes[0].rows[0] = make_row("write", Kind::user, Kind::file, Copy::copied, 1, 7);
  report.processes[0].rows[0].in_memory = true;
  expect_same_when_read_again(report);
  for (Process& process : report.processes)
    for (Row& row : process.rows)
      if (row.charges == Charges::measured) row.charges = Charges::unknown;
  report.unknown["disk_read_bytes"] = report.unknown["dirtied_bytes"] = "the kernel does not say";
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsPipesProtocolsVerdictsAndParts) {
  Report report = make_report(2);
  Process& process = report.processes[0];
  process.delivered_to_pipes = -5;
  process.delivered_to_pipes_in_kernel = 70;
  process.spliced_from_user = 30;
  process.rows[2].protocol = Protocol::tcp;
  process.rows[2].verdict = Verdict::by_reference;
  process.rows[3].protocol = Protocol::tls;
  process.rows.push_back(process.rows[3]);
  process.rows.back().protocol = Protocol::tcp;
  process.rows.back().verdict = Verdict::zerocopy_copied;
  process.rows[0].zeroed_bytes = 11;
  process.rows[0].discarded_bytes = 13;
  report.processes[1].rows[2].verdict = Verdict::zerocopy_loopback;
  report.processes[1].rows[3].verdict = Verdict::copied;
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsAdvice) {
  Report report = make_report();
  report.advice.emplace();
  expect_same_when_read_again(report);
  Advice advice;
  advice.pids = {100, 101};
  advice.process = "tar\x1b[31m";
  advice.kind = AdviceKind::blocked;
  advice.from = {Kind::file, Protocol::none, {}, "/srv/a b", 1};
  advice.to = {Kind::socket, Protocol::tcp, {}, "127.0.0.1:80 - 127.0.0.1:5", 1};
  advice.via = {"pread64", "writev"};
  advice.bytes = 5 << 20;
  advice.share_of_delivered = 0.25;
  advice.instead = "sendfile";
  advice.legal = true;
  advice.why = "a file can be sent";
  advice.saves = {-7, 300, 5 << 20, -9, "arithmetic"};
  advice.sentence = "use sendfile";
  advice.waited_ns = 11;
  advice.stack = {"copy", "main"};
  report.advice->push_back(advice);
  advice.kind = AdviceKind::relay;
  advice.from = {Kind::pipe, Protocol::none, {}, "pipe:[5]", 1};
  advice.to = {Kind::device, Protocol::none, {}, "", 0};
  advice.pids.clear();
  advice.share_of_delivered.reset();
  advice.saves.cpu_ns.reset();
  advice.waited_ns.reset();
  advice.stack.clear();
  report.advice->push_back(advice);
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsAProfile) {
  Report report = make_report(2);
  for (Process& process : report.processes) {
    process.cpu_outside.hz = 997;
    process.cpu_outside.of(CpuClass::user) = 1'000'003;
    for (Row& row : process.rows) row.cpu.hz = 997;
    process.rows[0].cpu.of(CpuClass::copy) = 7;
    process.rows[0].cpu.of(CpuClass::page_cache) = 3;
  }
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsAVerificationAndWhatWasLost) {
  Report report = make_report();
  Verification& verification = report.completeness.verification.emplace();
  verification.compared = 3;
  verification.not_compared = {{"changed_while_read", 2}, {"dumped_core", 0}};
  verification.counters[0] = {10, 11, 1, std::nullopt};
  verification.counters[5] = {4, 4, 0, 2};
  verification.waited_children = Verification::WaitedCounters{7, {1, 2, 3, 4, 5, 6}, {}};
  verification.differences = {{7, true, KernelCounter::rchar, 5, 6}};
  verification.lost_operations = 9;
  report.completeness.lost_by_reason["no_room"] = 4;
  report.completeness.folded_rows = 2;
  report.completeness.in_flight_at_end = 1;
  expect_same_when_read_again(report);
  verification.io_not_verified = "the kernel does not count them";
  expect_same_when_read_again(report);
}

TEST(ReportReading, KeepsTheSumOfOtherProcesses) {
  Report report = make_report(2);
  report.others.add(make_process(500));
  report.others.add(make_process(501));
  expect_same_when_read_again(report);
}

// A copy from one file to another, sends of both, and a pipe without a name.
Report report_with_flows() {
  Report report = make_report(2);
  report.channels = true;
  const ChannelId a{10, 8 << 20 | 1, 3};
  const ChannelId b{11, 8 << 20 | 1, 0};
  const ChannelId peer{77, 9, 0};
  const ChannelId pipe{78, 12, 0};
  ChannelName name;
  name.kind = Kind::file;
  name.path = "/srv/a\x1b file";
  name.file_system = "ext4";
  name.deleted = true;
  report.channel_names[a] = name;
  name.path = "b";
  name.deleted = false;
  name.cut = true;
  report.channel_names[b] = name;
  ChannelName socket;
  socket.kind = Kind::socket;
  socket.protocol = Protocol::tcp;
  socket.local = {"127.0.0.1:80", 80};
  socket.remote = {"127.0.0.1:5123", 5123};
  socket.bound = true;
  report.channel_names[peer] = socket;
  const auto flow = [](ChannelId from, ChannelId to, Row row) { return Flow{from, to, row}; };
  const Row copy = row("copy_file_range", Kind::file, Kind::file, Copy::in_kernel, 2, 2000);
  report.processes[0].flows = {
      flow(a, b, copy), flow(b, a, copy),
      flow(a, peer, row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 500)),
      flow({}, pipe, row("write", Kind::user, Kind::pipe, Copy::copied, 1, 9))};
  report.processes[1].flows = {
      flow(b, {}, row("read", Kind::file, Kind::user, Copy::copied, 3, 30))};
  report.others.processes = 1;
  report.others.sum.flows = {flow(b, b, copy)};
  return report;
}

TEST(ReportReading, KeepsFilesPeersAndPorts) {
  expect_same_when_read_again(report_with_flows(), "file");
}

TEST(ReportReading, KeepsWhatAReportListsOfTooManyFiles) {
  const Report report = report_with_flows();
  const std::string json = report_json(report, "file", {1, 1}).dump();
  const Report again = read_again(json);
  const FileUses files = files_of(again, 1);
  ASSERT_EQ(files.listed.size(), 1U);
  EXPECT_EQ(files.listed[0].read_bytes, files_of(report, 1).listed[0].read_bytes);
  EXPECT_EQ(files.other.written_bytes, files_of(report, 1).other.written_bytes);
}

TEST(ReportReading, KeepsAMount) {
  Report report = fuse::sample_report();
  report.started_at = "2026-01-01T00:00:00Z";
  ObservedCalls& observed = report.mount->observed.emplace();
  observed.applications.rows = {row("read", Kind::fuse, Kind::user, Copy::copied, 10, 100)};
  observed.applications.outside_syscalls = {3, 4, 0};
  observed.daemon.rows = {row("splice", Kind::pipe, Kind::fuse, Copy::in_kernel, 42, 100)};
  report.mount->daemon.proc_calls = 17;
  report.mount->other_requesters = {report.processes[1]};
  report.mount->summed_requesters = 4;
  report.others.sum.requests[Operation::read].calls = 4;
  const std::string json = mount_json(report).dump(2);
  const Report again = read_again(json);
  EXPECT_EQ(mount_json(again).dump(2), json);
  EXPECT_EQ(mount_table(again, {}), mount_table(report, {}));
  EXPECT_EQ(mount_csv(again), mount_csv(report));
  EXPECT_EQ(mount_markdown(again), mount_markdown(report));
}

}  // namespace
}  // namespace zctrace
