// SPDX-License-Identifier: MIT
// JSON reports: every field, the schema, and hostile names.
#include "cli/views/json_view.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "cli/views/json_schema.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

TEST(JsonView, HasEveryFieldOfTheInterface) {
  const ordered_json json = report_json(make_report());
  for (const char* name : {"schema", "command", "version", "host", "argv", "exit_code",
                           "started_at", "duration_ns", "completeness", "totals", "processes"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  const ordered_json& process = json["processes"][0];
  for (const char* name : {"pid", "parent_pid", "name", "argv"}) {
    EXPECT_TRUE(process.contains(name)) << name;
    EXPECT_FALSE(json["totals"].contains(name)) << name;
  }
  for (const char* name : {"user_ns",
                           "system_ns",
                           "minor_faults",
                           "major_faults",
                           "max_rss_bytes",
                           "voluntary_switches",
                           "involuntary_switches",
                           "outside_syscalls",
                           "syscalls",
                           "crossings",
                           "copied_bytes",
                           "in_kernel_bytes",
                           "delivered_bytes",
                           "cpu_copied_bytes",
                           "cpu_copied_measured_bytes",
                           "uncopied_bytes",
                           "uncopied_measured_bytes",
                           "copies_evidence",
                           "cpu_copies_per_byte",
                           "kernel_only_bytes",
                           "kernel_only_share",
                           "zero_copy_bytes",
                           "zero_copy_at_most_bytes",
                           "zero_copy_share",
                           "disk_read_bytes",
                           "dirtied_bytes",
                           "rows"}) {
    EXPECT_TRUE(process.contains(name)) << name;
    EXPECT_TRUE(json["totals"].contains(name)) << name;
  }
  EXPECT_EQ(json["schema"], "zctrace/2");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["completeness"]["lost"]["no_room"], 0);
  EXPECT_EQ(process["zero_copy_share"], 0.75);
  EXPECT_EQ(process["crossings"], 4558);
  EXPECT_FALSE(process.contains("tid"));
  EXPECT_EQ(process["ended_ns"], 10);
}

TEST(JsonView, OfAnOwnerHasWhatIsKnown) {
  Report report = make_report(2);
  report.processes[0].owner = {"", "1d", "", {"web", "nginx-0", "default"}};
  const ordered_json processes = report_json(report)["processes"];
  const ordered_json expected = {
      {"container_id", "1d"}, {"container", "web"}, {"pod", "nginx-0"}, {"namespace", "default"}};
  EXPECT_EQ(processes[0]["owner"], expected);
  EXPECT_FALSE(processes[1].contains("owner"));
}

TEST(JsonView, OfARowIsAsExpected) {
  const Row row = make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 7);
  EXPECT_EQ(row_json(row, {}).dump(),
            R"({"syscall":"sendfile","from":"file","to":"socket","copy":"in_kernel",)"
            R"("protocol":null,"asynchronous":false,"calls":1,"errors":0,"restarts":0,"bytes":7,)"
            R"("cpu_copied_bytes":0,"cpu_copied_measured_bytes":0,"uncopied_bytes":7,)"
            R"("uncopied_measured_bytes":0,"disk_read_bytes":0,"dirtied_bytes":0,)"
            R"("wall_ns":2000,"off_cpu_ns":0,"voluntary_switches":0,)"
            R"("involuntary_switches":0,"claimed_bytes":0,"wall_error_ns":0,"errors_by":{},)"
            R"("copies_evidence":"rule","verdict":null,)"
            R"("latency_ns":{"min":1600,"mean":2000,"p50":2000,"p90":2000,"p99":2000,"max":2000,)"
            R"("timed_calls":1,"buckets":{"1536":1}}})");
}

TEST(JsonView, TellsAProvenZeroFromAnAssumedOne) {
  Row sent = make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 7);
  EXPECT_EQ(row_json(sent, {})["copies_evidence"], "rule");
  sent.uncopied_measured_bytes = 6;
  EXPECT_EQ(row_json(sent, {})["copies_evidence"], "mixed");
  sent.uncopied_measured_bytes = 7;
  EXPECT_EQ(row_json(sent, {})["copies_evidence"], "measured");
  sent.uncopied_bytes = sent.uncopied_measured_bytes = 0;
  EXPECT_TRUE(row_json(sent, {})["copies_evidence"].is_null());
}

TEST(JsonView, SaysThatDirtyBytesOfFilesInMemoryAreUnknown) {
  Report report = make_report();
  report.processes.resize(1);
  Row written = make_row("write", Kind::user, Kind::file, Copy::copied, 1, 7);
  written.in_memory = true;
  report.processes[0].rows = {written};
  const ordered_json json = report_json(report);
  const ordered_json& row = json["totals"]["rows"][0];
  EXPECT_TRUE(row["dirtied_bytes"].is_null());
  EXPECT_EQ(row["disk_read_bytes"], 0);
  EXPECT_TRUE(contains(row["unknown"]["dirtied_bytes"], "in memory"));
  EXPECT_FALSE(row["unknown"].contains("disk_read_bytes"));
  EXPECT_TRUE(json["totals"]["dirtied_bytes"].is_null());
  EXPECT_TRUE(contains(json["unknown"]["dirtied_bytes"], "in memory"));
}

TEST(JsonView, HasNoTimesInsideCallsWithoutLatency) {
  Report report = make_report();
  report.latency = false;
  report.processes[0].outside_syscalls.off_cpu_ns = 7;
  const ordered_json json = report_json(report);
  const ordered_json& row = json["processes"][0]["rows"][0];
  for (const char* figure : {"wall_ns", "off_cpu_ns", "latency_ns"}) {
    EXPECT_TRUE(row[figure].is_null()) << figure;
    EXPECT_EQ(json["unknown"][figure], "not measured with --timing none (--no-latency)");
  }
  EXPECT_TRUE(json["totals"]["per_gb"]["off_cpu_ns"].is_null());
  EXPECT_TRUE(json["totals"]["outside_syscalls"]["off_cpu_ns"].is_null());
}

TEST(JsonView, SaysHowExactAnEstimatedTimeIs) {
  Row row = make_row("read", Kind::file, Kind::user, Copy::copied, 5'000, 7);
  row.latency = {};
  row.latency.add(10, 4'200);
  row.wall_ns = 5'000'000;
  row.wall_variance = variance_of(1'234);
  row.sample.untimed = 800;
  const ordered_json json = row_json(row, {});
  EXPECT_EQ(json["wall_error_ns"], 1'234);
  EXPECT_EQ(json["latency_ns"]["timed_calls"], 4'200);
  EXPECT_EQ(json["latency_ns"]["untimed_calls"], 800);
  EXPECT_EQ(json["latency_ns"]["mean"], 1'000);
  row.wall_variance = 0;
  row.sample.untimed = 0;
  EXPECT_EQ(row_json(row, {})["wall_error_ns"], 0);
  EXPECT_FALSE(row_json(row, {})["latency_ns"].contains("untimed_calls"));
}

TEST(JsonView, HasNoTimeOfCallsThatWereNotTimed) {
  Row row = make_row("io_uring:read", Kind::file, Kind::user, Copy::copied, 1, 7);
  row.asynchronous = true;
  row.wall_ns = 0;
  row.latency = {};
  EXPECT_TRUE(row_json(row, {})["wall_ns"].is_null());
  EXPECT_TRUE(contains(row_json(row, {})["unknown"]["off_cpu_ns"], "io_uring"));
  row.asynchronous = false;
  EXPECT_TRUE(row_json(row, {})["wall_ns"].is_null());
  EXPECT_TRUE(contains(row_json(row, {})["unknown"]["wall_ns"], "in flight"));
  row.wall_ns = 5;
  EXPECT_EQ(row_json(row, {})["off_cpu_ns"], 0);
  EXPECT_FALSE(row_json(row, {}).contains("unknown"));
}

TEST(JsonView, DoesNotSayThatRequestsToAMountCopyNothing) {
  Report report = make_report();
  report.command = "mount";
  report.processes.resize(1);
  Row write = make_row("fuse:write", Kind::user, Kind::fuse, Copy::copied, 1, 4096);
  write.asynchronous = true;
  write.cpu_copied_bytes = write.uncopied_bytes = 0;
  write.min_ns = 0;
  report.processes[0].rows = {write};
  const ordered_json json = report_json(report);
  for (const char* figure : {"zero_copy_bytes", "zero_copy_at_most_bytes", "zero_copy_share",
                             "cpu_copied_bytes", "uncopied_bytes", "cpu_copies_per_byte"}) {
    EXPECT_TRUE(json["totals"][figure].is_null()) << figure;
    EXPECT_TRUE(contains(json["unknown"][figure], "requests")) << figure;
  }
  const ordered_json& row = json["totals"]["rows"][0];
  EXPECT_TRUE(row["cpu_copied_bytes"].is_null());
  EXPECT_TRUE(row["off_cpu_ns"].is_null());
  EXPECT_TRUE(row["latency_ns"]["min"].is_null());
  EXPECT_EQ(row["wall_ns"], 2000);
}

TEST(JsonView, SaysWhyCopiesForEachDeliveredByteAreUnknown) {
  Report report = make_report();
  report.processes.resize(1);
  report.processes[0].rows = {make_row("read", Kind::file, Kind::user, Copy::copied, 1, 10'000'000),
                              make_row("write", Kind::user, Kind::file, Copy::copied, 1, 11)};
  const ordered_json json = report_json(report);
  EXPECT_TRUE(json["totals"]["cpu_copies_per_byte"].is_null());
  EXPECT_TRUE(contains(json["unknown"]["cpu_copies_per_byte"], "hardly any")) << json["unknown"];
  EXPECT_FALSE(report_json(make_report())["unknown"].contains("cpu_copies_per_byte"));
}

TEST(JsonView, NamesTheMostFrequentErrorsAndAddsUpTheRest) {
  Row row = make_row("read", Kind::file, Kind::user, Copy::copied, 100, 0);
  row.errors = 50;
  for (unsigned number = 1; number <= 10; number++) row.errors_by[number] = 10 - number;
  row.errors_by[600] = 3;
  const ordered_json errors = row_json(row, {})["errors_by"];
  EXPECT_EQ(errors.size(), 9u);
  EXPECT_EQ(errors["EPERM"], 9);
  EXPECT_EQ(errors["errno 600"], 3);
  EXPECT_EQ(errors["other"], 50 - (9 + 8 + 7 + 6 + 5 + 4 + 3 + 3));
}

TEST(JsonView, SaysWhatIsUnknownAndWhy) {
  Report report = make_report();
  report.unknown = {{"disk_read_bytes", "why"}, {"dirtied_bytes", "why"}};
  const ordered_json json = report_json(report);
  EXPECT_EQ(json["unknown"]["disk_read_bytes"], "why");
  EXPECT_TRUE(json["totals"]["dirtied_bytes"].is_null());
  EXPECT_TRUE(json["processes"][0]["rows"][0]["disk_read_bytes"].is_null());
  EXPECT_EQ(json["totals"]["cpu_copied_bytes"], 20u << 20);
}

Row operation(std::string name) {
  Row made = make_row(std::move(name), Kind::file, Kind::user, Copy::copied, 1, 7);
  made.asynchronous = true;
  made.charges = Charges::unknown;
  return made;
}

TEST(JsonView, FiguresOfOperationsThatAreNotMeasuredAreNullWithTheReason) {
  for (const char* name : {"io_uring:read", "aio:read"}) {
    Report report = make_report();
    report.processes[0].rows[0].disk_read_bytes = 4096;
    report.processes[0].rows.push_back(operation(name));
    const ordered_json json = report_json(report);
    const ordered_json& rows = json["processes"][0]["rows"];
    for (const char* figure : {"disk_read_bytes", "dirtied_bytes"}) {
      EXPECT_TRUE(rows.back()[figure].is_null());
      EXPECT_TRUE(contains(rows.back()["unknown"][figure], "io_uring"));
      // So the sum is not known either, but that of the other row is.
      EXPECT_TRUE(json["totals"][figure].is_null());
      EXPECT_TRUE(json["processes"][0][figure].is_null());
      EXPECT_TRUE(contains(json["unknown"][figure], "io_uring"));
    }
    EXPECT_EQ(rows[0]["disk_read_bytes"], 4096);
    EXPECT_FALSE(rows[0].contains("unknown"));
  }
}

TEST(JsonView, CallsThatCannotUseADiskHaveNoChargesAndLeaveTheSumKnown) {
  Report report = make_report();
  report.processes[0].rows[0].disk_read_bytes = 4096;
  const ordered_json json = report_json(report);
  const ordered_json& sent = json["processes"][0]["rows"][3];
  EXPECT_EQ(sent["to"], "socket");
  EXPECT_TRUE(sent["disk_read_bytes"].is_null());
  EXPECT_FALSE(sent.contains("unknown"));
  EXPECT_EQ(json["totals"]["disk_read_bytes"], 4096);
  EXPECT_TRUE(json["unknown"].empty());
}

TEST(JsonView, ChargesOfCallsThatAreLeftOutAreInTheTotalsOnly) {
  Report report = make_report();
  Row& read = report.processes[0].rows[0];
  read.shown = false;
  read.disk_read_bytes = 4096;
  const ordered_json json = report_json(report);
  EXPECT_EQ(json["totals"]["disk_read_bytes"], 4096);
  const ordered_json& rows = json["totals"]["rows"];
  const auto other = std::find_if(
      rows.begin(), rows.end(), [](const ordered_json& row) { return row["syscall"] == "other"; });
  ASSERT_NE(other, rows.end());
  EXPECT_TRUE((*other)["disk_read_bytes"].is_null());
}

TEST(JsonView, SaysNullWhereThereIsNothing) {
  Report report;
  report.command = "attach";
  report.processes.emplace_back();
  report.processes[0].rows.emplace_back();
  const ordered_json json = report_json(report);
  EXPECT_TRUE(json["exit_code"].is_null());
  EXPECT_TRUE(json["argv"].is_array());
  EXPECT_TRUE(json["completeness"]["lost"].is_object());
  EXPECT_TRUE(json["totals"]["zero_copy_share"].is_null());
  EXPECT_TRUE(json["totals"]["per_gb"].is_null());
  EXPECT_TRUE(json["processes"][0]["ended_ns"].is_null());
  EXPECT_TRUE(json["processes"][0]["rows"][0]["latency_ns"].is_null());
}

TEST(JsonView, KeepsTheLargestCount) {
  Report report = make_report();
  report.processes[0].rows[0].bytes = 18446744073709551615u;
  EXPECT_TRUE(contains(report_json(report).dump(), "\"bytes\":18446744073709551615"));
}

TEST(JsonView, IsValidWithHostileNames) {
  const std::string text = report_json(evil_report()).dump();
  EXPECT_EQ(lines_of(text).size(), 1u);
  EXPECT_EQ(valid_utf8(text), text);
  EXPECT_EQ(ordered_json::parse(text)["processes"][0]["name"], valid_utf8(kEvil));
}

TEST(JsonSchema, IsJsonAndAgreesWithTheView) {
  const ordered_json schema = ordered_json::parse(json_schema());
  const ordered_json json = report_json(make_report());
  // Objects that refuse unknown fields must define every field that the view writes.
  const ordered_json& row = schema["$defs"]["row"]["properties"];
  for (const auto& [name, value] : json["processes"][0]["rows"][0].items()) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  for (const auto& name : schema["required"]) EXPECT_TRUE(json.contains(name)) << name;
  for (const auto& name : schema["$defs"]["figures"]["required"]) {
    EXPECT_TRUE(json["totals"].contains(name)) << name;
  }
}

}  // namespace
}  // namespace zctrace
