// SPDX-License-Identifier: MIT
// What every observing command shares: what to count, and where the report goes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/views/grid.h"
#include "cli/views/table_view.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/model/report.h"
#include "collector/observe/session.h"
#include "collector/os/descriptor.h"

namespace zctrace {

struct CountOptions {
  std::string syscalls = "%io";
  bool no_latency = false;
  bool no_follow = false;
  std::vector<std::string> room;  // NAME=N, as ProbeOptions::room
  bool verify = false;            // where the command has it
};

void add_count_options(CLI::App& command, CountOptions& options);
// For commands that end in one report.
void add_verify_option(CLI::App& command, CountOptions& options);

struct OutputOptions {
  std::string json;
  std::string csv;
  std::string markdown;
  std::string by;
  bool quiet = false;
  bool strict = false;
  std::size_t max_processes = 1000;
};

void add_output_options(CLI::App& command, OutputOptions& options);
// The same without --by, for a report that is no table of syscalls.
void add_file_options(CLI::App& command, OutputOptions& options);

// A time as parse_duration() takes it, more than nothing and not below `shortest`; "" is nullopt.
// Throws CLI::ValidationError naming `option`.
std::optional<std::chrono::nanoseconds> duration_option(
    const char* option, const std::string& text,
    std::chrono::nanoseconds shortest = std::chrono::nanoseconds(1));

// What a session is asked for by both. Throws Error: usage.
SessionOptions session_options(const CountOptions& count, const OutputOptions& output);

std::optional<GroupBy> group_by(const OutputOptions& options);

// A file that is opened before anything runs, so that a path which cannot be written is an
// error early, and is only cut to its new content when there is some. What could only be
// written in part (a full disk) is taken back; one that was created and holds nothing is removed
// again.
class OutputFile {
 public:
  // "" writes nothing, "-" standard output. Throws Error.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&&) = default;

  bool wanted() const { return !path_.empty(); }
  void write(const std::string& text);  // the first time in place of what was there; throws Error

 private:
  std::string path_;
  Descriptor file_;
  bool created_ = false;
  bool written_ = false;
};

// What a report looks like in each format; made only where it is wanted.
struct Views {
  std::function<std::string()> table;
  std::function<std::string()> json;
  std::function<std::string()> csv;
  std::function<std::string()> markdown;
};

// Owns the files that --json, --csv and --markdown name.
class Outputs {
 public:
  Outputs(const OutputOptions& options, int table_fd);

  // Every view that was asked for, each also when others cannot be written: a terminal that is
  // gone must not cost the files. Throws Error for the first that could not.
  void write(const Views& views);
  void write(const Report& report);
  // The same with what the file system saw.
  void write(const Report& report, const fuse::FuseReport& mounted);
  // The same for one interval of many: the table with its time, JSON as one object a line, CSV
  // with one header, each appended to what was written before.
  void write_interval(const Report& report);
  // What can go wrong after the command: kExitLost under --strict, else 0.
  int status(const Report& report) const;
  TableStyle style() const;  // of where the table goes

  // One CSV of many: all but the first lose their header.
  std::string without_repeated_header(const std::string& csv);

 private:
  OutputOptions options_;
  int table_fd_;
  OutputFile json_;
  OutputFile csv_;
  OutputFile markdown_;
  bool csv_header_written_ = false;
};

// A line for people, on standard error; where that is gone, nobody is told.
void tell(const std::string& text) noexcept;

// All of `text` to a descriptor. Throws Error naming `what`.
void write_all(int fd, const std::string& text, const std::string& what);

}  // namespace zctrace
