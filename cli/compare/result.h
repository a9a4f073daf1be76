// SPDX-License-Identifier: MIT
// What `compare` measures. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/compare/fuse_mode.h"
#include "cli/compare/statistics.h"
#include "collector/fuse/counts/usage.h"
#include "collector/model/report.h"

namespace zctrace {

// The FUSE daemon that was on the way: what it did between the client's first call and its last,
// and what it then still had to answer.
struct DaemonResult {
  FuseMode mode = FuseMode::splice;
  std::vector<double> user_ns;  // one a timed run
  std::vector<double> system_ns;
  // Of the counting pass. `counts.pid` is 0 when it did not happen.
  Process counts;
  std::shared_ptr<const Report> by_channel;  // as MethodResult::by_channel
  fuse::Usage usage;
};

// CPU copies of each byte; docs/methods.md says how they are found.
struct Copies {
  double user = 0;       // by the method's own calls, or its loads and stores
  double kernel = 0;     // by the kernel, besides these
  double reader = 0;     // by the process that reads the sink
  std::string evidence;  // "aliasing", "counters", "notifications", "rule"
  // "", or what the calls that were counted say otherwise.
  std::string contradiction{};

  double per_byte() const { return user + kernel + reader; }
};

// What only a program has.
struct ProgramResult {
  std::vector<std::string> argv;  // with placeholders
  // One a timed run, of the runs in which they are known: from exec until the reader had the first
  // byte, and from there until it had the last.
  std::vector<double> startup_ns;
  std::vector<double> transfer_ns;
  // Of the counting pass.
  std::uint64_t processes = 0;
  std::uint64_t delivered_bytes = 0;  // by all processes; the sum of their rows does not say it
};

// One method with one buffer size: a row of the table. Times without probes, counts with. Or a
// program or command: then times are from its exec to its end, and figures those of it and of all
// its descendants.
struct MethodResult {
  std::string method;
  std::optional<std::uint64_t> buffer_bytes;  // nullopt: whole, or the method takes none
  std::string buffer = "-";                   // "4K", "whole"; "-": the method takes none
  std::string label;  // "read_write/4K", "sendfile/whole", "reflink", "splice/64K/splice-off"
  bool supported = true;
  std::optional<std::string> error;   // "EINVAL: …"; also what went wrong in a later run
  std::optional<bool> verified;       // nullopt: nothing to compare with (null sink)
  bool copies_in_user_space = false;  // by plain loads and stores, which no syscall shows

  std::vector<double> wall_ns;  // one a timed run
  std::vector<double> user_ns;  // the same, of the sender
  std::vector<double> system_ns;
  std::uint64_t bytes = 0;
  std::uint64_t copied_notifications = 0;  // of zero-copy sends, that the kernel copied after all
  std::uint64_t notifications = 0;
  std::optional<Copies> copies;
  std::string copies_unknown;  // why there are none

  // Of the counting pass. `counts.pid` is 0 when it did not happen.
  Process counts;
  // The same with the names of its files and peers, in a report of its own; null: not asked for.
  std::shared_ptr<const Report> by_channel;
  std::optional<std::uint64_t> disk_read_bytes;  // that the client read from a device
  // That TCP handed to network devices other than a loopback; nullopt: not known.
  std::optional<std::uint64_t> network_bytes;
  std::uint64_t pipe_bytes = 0;  // capacity of the pipe between source and sink; 0: none
  double observed_wall_ns = 0;   // the same run with probes attached
  std::optional<DaemonResult> daemon;
  std::optional<ProgramResult> program;

  bool timed() const { return !wall_ns.empty(); }
  bool counted() const { return timed() && counts.pid != 0; }
  std::uint64_t delivered_bytes() const {
    return program ? program->delivered_bytes : counts.delivered_bytes();
  }
  double bytes_per_s() const;                 // at the median
  std::vector<double> cpu_ns() const;         // user and system, one a timed run, of the sender
  std::vector<double> daemon_cpu_ns() const;  // the same of the daemon; empty without one
};

// The medians of the timed runs; nullopt: each run took so little CPU time that it cannot be
// divided between user and system.
struct DividedCpu {
  double user_ns = 0;
  double system_ns = 0;
};
std::optional<DividedCpu> divided_cpu(const std::vector<double>& user_ns,
                                      const std::vector<double>& system_ns);

struct CompareResult {
  Host host;
  std::vector<std::string> argv;
  std::string started_at;
  std::uint64_t duration_ns = 0;
  std::string source_kind;
  std::string source_path;
  std::string source_filesystem;
  std::uint64_t source_bytes = 0;
  std::string sink_kind;
  std::string drain;
  bool commands = false;     // against each other: there is neither source nor sink
  bool has_reader = false;   // at the other end of the sink
  unsigned runs = 0;         // that were asked for
  unsigned rounds_done = 0;  // that every row has
  double precision = 0;      // that was asked for, as a share; 0: none was
  bool cold = false;
  bool textbook = false;              // was asked for
  bool fuse = false;                  // every row has a daemon
  std::string baseline;               // the label of a row
  std::vector<LeftOutMode> left_out;  // modes that no row has although all were asked for
  std::vector<MethodResult> methods;
  Completeness completeness;
  int interrupted_by = 0;  // a signal; 0: it came to its end

  bool has_programs() const;

  // Sets `baseline` to `label`; "" is the first row that was timed.
  void choose_baseline(const std::string& label);
  // Forgets a round that a signal cut short, so that every row has as many runs.
  void keep_rounds(unsigned rounds);
  // By "time", "cpu", "syscalls" or "switches", the least first; "" leaves the order as it is.
  void sort_by(const std::string& figure);
  const MethodResult* baseline_row() const;  // nullptr when it was not timed
  // The widest margin of the median of any row that was timed, as a share; nullopt: too few runs.
  std::optional<double> precision_reached() const;
  // Median time relative to the baseline's; nullopt when either was not timed.
  std::optional<double> relative(const MethodResult& result) const;
};

}  // namespace zctrace
