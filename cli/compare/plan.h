// SPDX-License-Identifier: MIT
// What `compare` is asked to do: the options as given, and the rows that follow from them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/compare/fuse_mode.h"
#include "transfers/external/program.h"
#include "transfers/method.h"
#include "transfers/sink.h"

namespace zctrace {

struct RouteOptions {
  std::string from = "disk";
  std::string to = "unix";
  std::string size = "256M";
  std::string fuse_splice;  // on, off, both; "" is both where FUSE is on the way
  std::string fuse_mode;    // instead: a list of modes, or all
};

struct CompareOptions {
  RouteOptions route;
  std::string methods;
  std::string buffers;
  std::optional<unsigned> runs;  // the most, with `precision`
  std::string precision;         // "5%"; "": as many runs as `runs` says
  unsigned warmup = 1;
  std::string drain_read = "64K";
  std::string drain = "read";
  std::string baseline;
  std::string sort;
  bool cold = false;
  bool textbook = false;
  std::string profile;                              // as CountOptions::profile
  std::vector<std::string> programs;                // NAME=COMMAND
  std::optional<std::chrono::nanoseconds> timeout;  // of one run of a program
  bool as_root = false;                             // programs run as zctrace's user
  // Two or more commands with ":::" between them, which are compared instead of methods.
  std::vector<std::string> commands;
};

// Where the bytes come from and where they go. Nothing is opened yet.
struct RoutePlan {
  std::string source_kind;         // "disk", "tmpfs", "fuse", "file"
  std::string source_path;         // of a file that exists already
  std::uint64_t source_bytes = 0;  // of a file that zctrace makes
  std::string sink_kind;           // "fuse", or as transfers::sink_name()
  transfers::SinkSpec sink;
  std::vector<FuseMode> fuse_modes;   // one entry a FUSE daemon; empty without FUSE
  bool all_fuse_modes = false;        // that work here
  std::vector<LeftOutMode> left_out;  // of these

  bool has_reader() const;  // whether a process at the other end reads the bytes
};

struct NamedBuffer {
  transfers::BufferSize size;
  std::string name;  // "4K", "whole"
};

// One row of the table: a method with one buffer size and, where FUSE is on the way, one daemon. Or
// a program, or a command.
struct PlannedRow {
  const transfers::Method* method = nullptr;          // nullptr: `program`
  std::shared_ptr<const transfers::Program> program;  // nullptr: `method`
  transfers::BufferSize buffer;                       // what each call is asked to move
  std::string buffer_name = "-";                      // "4K", "whole"; "-": the method takes none
  std::optional<std::uint64_t> buffer_bytes;          // nullopt: whole, or the method takes none
  std::optional<FuseMode> fuse_mode;                  // nullopt: no daemon
  std::string label;  // "read_write/4K", "sendfile/whole", "reflink", "splice/64K/splice-off"
};

struct ComparePlan {
  RoutePlan route;
  std::vector<PlannedRow> rows;
  std::string baseline;  // a row's label; "": the first row that works
  std::string sort;      // "time", "cpu", "syscalls", "switches"; "": in the order of `rows`
  unsigned runs = 1;     // rounds, at most
  double precision = 0;  // rounds end once each median is known this well; 0: they do not
  unsigned warmup = 0;
  bool cold = false;
  bool textbook = false;
  bool channels = false;    // in the counting pass, count by file and peer, too
  unsigned profile_hz = 0;  // in the counting pass; 0: no profile
  std::uint64_t drain_read_bytes = 0;
  bool drain_splices = false;
  std::string drain;      // what the reader does, for the header
  bool commands = false;  // every row is a command, and there is neither source nor sink
  std::chrono::nanoseconds timeout{};  // of one run of a program
  bool as_root = false;

  bool has_programs() const;
};

// All of these throw Error (usage), naming the option.
ComparePlan plan_compare(const CompareOptions& options);
// Takes a mode, for this reason, out of a plan of all modes that work here. Does nothing to others.
void leave_out(ComparePlan& plan, FuseMode mode, const std::string& reason);
RoutePlan plan_route(const RouteOptions& options);
// METHOD or METHOD/BUFFER, each row once, before they are multiplied by the daemons.
std::vector<PlannedRow> plan_rows(const std::string& methods, const std::string& buffers);

}  // namespace zctrace
