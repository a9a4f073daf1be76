// SPDX-License-Identifier: MIT
// Recordings that are written and read again.
#include "cli/recording/recorder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/recording/recorded_report.h"
#include "cli/recording/tables.h"
#include "cli/views/html/flame_json.h"
#include "cli/views/json_view.h"
#include "cli/views/table_view.h"
#include "collector/model/add_interval.h"
#include "collector/os/error.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    std::string pattern = testing::TempDir() + "zctrace-recorder-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~RecorderTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/r.db"; }
  RecorderOptions options() const { return options_of("r.db"); }
  RecorderOptions options_of(const std::string& name) const {
    RecorderOptions options;
    options.file = directory_ + "/" + name;
    return options;
  }
  static Report read(const RecordingPart& part, const std::string& path) {
    return std::get<Report>(read_recording(path, part).reports.at(0).report);
  }
  std::int64_t number(const std::string& sql) const {
    return SqlDatabase(path(), SqlDatabase::Mode::read).number(sql);
  }

  std::string directory_;
};

Report interval(std::size_t processes = 1) {
  Report report = make_report(processes);
  report.duration_ns = 1'000'000'000;
  report.exit_code.reset();
  for (Process& process : report.processes) {
    process.delivered_to_pipes = 7;
    process.cpu_outside.hz = 99;
    process.cpu_outside.of(CpuClass::copy) = 5;
    process.rows[0].errors = 2;
    process.rows[0].errors_by[11] = 2;
  }
  return report;
}

std::string json_of(const Report& report) { return report_json(report).dump(2); }

TEST_F(RecorderTest, KeepsAnIntervalAsItIs) {
  Report report = interval(3);
  report.others.add(make_process(900));
  report.processes[0].rows[1].shown = false;
  report.processes[2].signal = 9;
  report.processes[2].exit_code = 137;
  Recorder recorder(options());
  recorder.write(report);
  EXPECT_EQ(json_of(read({}, path())), json_of(report));
  EXPECT_TRUE(recorder.finish(nullptr));
}

TEST_F(RecorderTest, KeepsHostileNames) {
  Report report = evil_report();
  report.processes[0].rows[0].syscall = "read";
  Recorder(options()).write(report);
  Report again = read({}, path());
  again.exit_code = report.exit_code;
  EXPECT_EQ(json_of(again), json_of(report));
}

TEST_F(RecorderTest, KeepsFilesAndPeers) {
  Report report = interval();
  report.channels = true;
  const ChannelId file{10, 8 << 20 | 1, 3};
  ChannelName name;
  name.kind = Kind::file;
  name.path = "/srv/file";
  name.file_system = "ext4";
  report.channel_names[file] = name;
  report.processes[0].flows = {{file, {77, 9, 0}, report.processes[0].rows[2]}};
  report.processes[0].flows[0].row.latency = {};
  Recorder recorder(options());
  recorder.write(report);
  recorder.write(report);
  Report sum = report;
  add_interval(sum, report, 1000);
  EXPECT_EQ(json_of(read({}, path())), json_of(sum));
  EXPECT_EQ(number("SELECT sum(read_bytes) FROM files WHERE path = '/srv/file'"), 60 << 20);
  EXPECT_EQ(number("SELECT count(*) FROM channels"), 2);
}

TEST_F(RecorderTest, AddsUpItsIntervals) {
  Recorder recorder(options());
  Report sum = interval(2);
  recorder.write(interval(2));
  for (int i = 0; i < 4; ++i) {
    recorder.write(interval(2));
    add_interval(sum, interval(2), 1000);
  }
  EXPECT_EQ(json_of(read({}, path())), json_of(sum));
  EXPECT_EQ(read_recorded_intervals(path()).reports.size(), 5U);
  EXPECT_EQ(number("SELECT count(*) FROM totals"), 5);
  EXPECT_EQ(number("SELECT sum(syscalls) FROM totals"),
            static_cast<std::int64_t>(sum.totals().sum.syscalls()));
}

TEST_F(RecorderTest, ShowsAPartOfItsTime) {
  Recorder recorder(options());
  for (int i = 0; i < 5; ++i) recorder.write(interval());
  using std::chrono::seconds;
  const auto duration = [&](RecordingPart part) { return read(part, path()).duration_ns; };
  EXPECT_EQ(duration({seconds(1), seconds(3)}), 2'000'000'000U);
  EXPECT_EQ(duration({seconds(4), {}}), 1'000'000'000U);
  EXPECT_EQ(duration({{}, seconds(2)}), 2'000'000'000U);
  EXPECT_THROW(duration({seconds(9), {}}), Error);
}

TEST_F(RecorderTest, FollowsTheSteadyClockWhenTheSystemClockIsSetBackOrStops) {
  Recorder recorder(options());
  const char* const times[] = {"2026-11-29T10:00:00.000Z", "2026-11-29T09:00:00.000Z",
                               "2026-11-29T09:00:00.000Z", "2026-11-29T09:00:00.000Z"};
  for (const char* time : times) {
    Report report = interval();
    report.started_at = time;
    recorder.write(report);
  }
  using std::chrono::seconds;
  EXPECT_EQ(read({seconds(1), seconds(3)}, path()).duration_ns, 2'000'000'000U);
  EXPECT_EQ(read({}, path()).duration_ns, 4'000'000'000U);
  EXPECT_EQ(read({}, path()).started_at, times[0]);
  EXPECT_EQ(number("SELECT max(at_ns) FROM intervals"), 3'000'000'000);
  EXPECT_EQ(number("SELECT count(DISTINCT started_at) FROM intervals"), 2);
}

TEST_F(RecorderTest, AddsUpWhatAPageDrawsOfManyIntervals) {
  Recorder recorder(options());
  constexpr std::uint64_t kIntervals = 1002;
  for (std::uint64_t i = 0; i < kIntervals; ++i) recorder.write(interval());
  const auto json = read_recording(path(), {}).reports.at(0).json;
  EXPECT_EQ(json["intervals"].size(), kIntervals / 2);
  std::uint64_t syscalls = 0;
  for (const auto& one : json["intervals"]) {
    EXPECT_EQ(one["duration_ns"], 2'000'000'000U);
    syscalls += one["totals"]["syscalls"].get<std::uint64_t>();
  }
  EXPECT_EQ(syscalls, json["totals"]["syscalls"]);
}

TEST_F(RecorderTest, PrintsWhatTheCommandPrinted) {
  Recorder recorder(options());
  recorder.write(interval());
  Report whole = interval(2);
  whole.exit_code = 3;
  EXPECT_TRUE(recorder.finish(&whole));
  EXPECT_EQ(json_of(read({}, path())), json_of(whole));
}

TEST_F(RecorderTest, KeepsStacks) {
  StackProfile stacks(1000);
  CallStack stack;
  stack.user.emplace_back().function = "main";
  stacks.add({7, "cat", "read", Kind::file, Kind::user}, stack, 3);
  const Report whole = interval();
  for (const Report* const printed : {&whole, static_cast<const Report*>(nullptr)}) {
    {
      Recorder recorder(options());
      recorder.write(interval());
      EXPECT_TRUE(recorder.finish(printed, &stacks));
    }
    const SavedFile file = read_recording(path(), {});
    EXPECT_EQ(file.reports.at(0).json["stacks"], flame_json(stacks));
    EXPECT_NE(file.reports.at(0).text.find("\"stacks\""), std::string::npos);
    // Samples have no time, so those of a part are not known.
    const SavedFile part = read_recording(path(), {std::chrono::seconds(0), {}});
    EXPECT_FALSE(part.reports.at(0).json.contains("stacks"));
    ::unlink(path().c_str());
  }
}

TEST_F(RecorderTest, MergesTheOldestIntervalsAboveItsSize) {
  RecorderOptions small = options();
  small.most_bytes = 300'000;
  Recorder recorder(small);
  Report sum = interval(20);
  recorder.write(sum);
  for (int i = 0; i < 30; ++i) {
    recorder.write(interval(20));
    add_interval(sum, interval(20), 1000);
  }
  EXPECT_LT(std::filesystem::file_size(path()), 450'000U);
  EXPECT_LT(number("SELECT count(*) FROM intervals"), 20);
  EXPECT_EQ(number("SELECT sum(merged) FROM intervals"), 31);
  EXPECT_EQ(number("SELECT max(at_ns + duration_ns) FROM intervals"), 31'000'000'000);
  EXPECT_EQ(json_of(read({}, path())), json_of(sum));
}

TEST_F(RecorderTest, AddsWhatALockKeptOutToTheNextInterval) {
  Recorder recorder(options());
  recorder.write(interval());
  {
    SqlDatabase reader(path(), SqlDatabase::Mode::write);
    reader.run("BEGIN EXCLUSIVE");
    testing::internal::CaptureStderr();
    recorder.write(interval());
    EXPECT_NE(testing::internal::GetCapturedStderr().find("locked"), std::string::npos);
    reader.run("ROLLBACK");
  }
  recorder.write(interval());
  EXPECT_EQ(number("SELECT count(*) FROM intervals"), 2);
  EXPECT_EQ(number("SELECT sum(duration_ns) FROM intervals"), 3'000'000'000);
}

TEST_F(RecorderTest, IsNotDelayedByAReader) {
  Recorder recorder(options());
  recorder.write(interval());
  std::optional<SqlDatabase> reader(std::in_place, path(), SqlDatabase::Mode::read);
  reader->run("BEGIN");
  const auto seen = [&] { return reader->number("SELECT count(*) FROM intervals"); };
  EXPECT_EQ(seen(), 1);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) recorder.write(interval());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(number("SELECT count(*) FROM intervals"), 4);
  EXPECT_EQ(seen(), 1);
  // It reads on when the recording ends, and puts the log into the file.
  testing::internal::CaptureStderr();
  EXPECT_TRUE(recorder.finish(nullptr));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("r.db-wal' is still a part"),
            std::string::npos);
  reader.reset();
  EXPECT_EQ(number("SELECT count(*) FROM intervals"), 4);
}

TEST_F(RecorderTest, BoundsTheLogThatAReaderKeeps) {
  RecorderOptions small = options();
  small.most_bytes = 200'000;
  Recorder recorder(small);
  recorder.write(interval(20));
  std::optional<SqlDatabase> reader(std::in_place, path(), SqlDatabase::Mode::read);
  reader->run("BEGIN");
  EXPECT_EQ(reader->number("SELECT count(*) FROM intervals"), 1);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 30; ++i) recorder.write(interval(20));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("reading it for too long"),
            std::string::npos);
  const auto log = std::filesystem::file_size(path() + "-wal");
  EXPECT_GT(log, 200'000U);
  recorder.write(interval(20));
  EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), log);
  reader.reset();
  recorder.write(interval(20));
  EXPECT_EQ(number("SELECT sum(duration_ns) FROM intervals"), 33'000'000'000);
  EXPECT_TRUE(recorder.finish(nullptr));
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
}

TEST_F(RecorderTest, IsReadableByItsOwnerOnlyAndReplacesNothing) {
  Recorder recorder(options());
  recorder.write(interval());
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_THROW(Recorder{options()}, Error);
  ::unlink(path().c_str());
  ::symlink("elsewhere", path().c_str());
  EXPECT_THROW(Recorder{options()}, Error);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/elsewhere"));
}

TEST_F(RecorderTest, RemovesAFileWithoutIntervals) {
  { const Recorder recorder(options()); }
  EXPECT_FALSE(std::filesystem::exists(path()));
  {
    const Recorder recorder(options());
    std::filesystem::rename(path(), directory_ + "/moved");
    std::ofstream(path()) << "another";
  }
  EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(RecorderTest, LeavesNoFileBesideIt) {
  Recorder recorder(options());
  recorder.write(interval());
  recorder.finish(nullptr);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_))
    names.push_back(entry.path().filename());
  EXPECT_EQ(names, std::vector<std::string>{"r.db"});
}

std::string error_of(const std::string& path) {
  try {
    read_recording(path, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(RecorderTest, SaysWhatIsWrongWithAFile) {
  const Recorder empty(options());
  EXPECT_NE(error_of(path()).find("has no interval yet"), std::string::npos) << error_of(path());
  EXPECT_TRUE(is_recording(path()));
  { Recorder(options_of("b.db")).write(interval()); }
  std::filesystem::resize_file(directory_ + "/b.db", 20'000);
  EXPECT_NE(error_of(directory_ + "/b.db").find("cannot read '"), std::string::npos);
  const std::string other = directory_ + "/other.db";
  std::ofstream(other).close();
  SqlDatabase(other, SqlDatabase::Mode::write).run("CREATE TABLE t (a)");
  EXPECT_NE(error_of(other).find("not a recording of zctrace"), std::string::npos);
  EXPECT_FALSE(is_recording(directory_ + "/nothing"));
}

}  // namespace
}  // namespace zctrace
