// SPDX-License-Identifier: MIT
// The result of every command: plain rows, and the ratios derived from them.
// Pure values, no I/O, no locks; safe to copy and to read from any thread.
// Times are nanoseconds, sizes bytes, unless a name says otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/advice.h"
#include "collector/model/channels.h"
#include "collector/model/copies.h"
#include "collector/model/cpu_profile.h"
#include "collector/model/duty/sliced.h"
#include "collector/model/fields.h"
#include "collector/model/histogram.h"
#include "collector/model/owners/process_owner.h"
#include "collector/model/relays.h"
#include "collector/model/requests.h"
#include "collector/model/timing/estimate.h"
#include "collector/model/verification.h"

namespace zctrace {

// What bytes came from or went to. `user` is the memory of the process.
enum class Kind : std::uint8_t { user, file, socket, pipe, device, fuse, other };

std::string_view kind_name(Kind kind);

// How a row's bytes count; see docs/counting.md.
enum class Copy : std::uint8_t {
  none,       // no bytes: mmap, munmap, other
  copied,     // through user space: the read and write families
  in_kernel,  // sendfile, splice, tee, copy_file_range, clones
  lent,       // vmsplice: user pages handed to a pipe, neither copied nor moved in the kernel
};

std::string_view copy_name(Copy copy);

// The row of a process that holds what no row of its own has space for.
inline constexpr std::string_view kFoldedName = "(folded)";

// fields.h has its figures.
struct Row : RowFigures {
  std::string syscall;  // "sendfile", "io_uring:read", "ioctl:FICLONE", "other"
  Kind from = Kind::other;
  Kind to = Kind::other;
  Copy copy = Copy::none;
  Protocol protocol = Protocol::none;
  Verdict verdict = Verdict::none;
  Charges charges = Charges::none;  // without `measured`, what was charged is not known
  bool in_memory = false;  // some bytes went to files in memory, whose pages are not charged
  std::map<unsigned, std::uint64_t> errors_by;  // by errno; some errors may have no number
  std::uint64_t min_ns = 0;                     // 0: no call was timed
  std::uint64_t max_ns = 0;
  bool max_is_bound = false;  // of an interval: max_ns is an upper bound
  Histogram latency;          // of the calls that were timed
  // With Timing::adaptive, wall_ns has estimates of the calls that were not timed, with this
  // variance in ns^2.
  double wall_variance = 0;
  TimedSample sample;
  SlicedRow sliced;  // with --duty
  CpuProfile cpu;    // of its calls
  // An operation that the kernel runs for an earlier call (io_uring): not a crossing.
  bool asynchronous = false;
  // Whether this charge was measured.
  bool is_charged(std::uint64_t RowFigures::*charge) const {
    return charges == Charges::measured && !(in_memory && charge == &RowFigures::dirtied_bytes);
  }
  // Whether any of its calls was timed. One takes a nanosecond at least.
  bool is_timed() const { return wall_ns != 0 || (calls == 0 && !asynchronous); }
  // Half the width of the interval around wall_ns; 0: every call was timed.
  std::uint64_t wall_error_ns() const { return error_of(wall_variance); }
  // The calls that wall_ns is the time of.
  std::uint64_t clocked_calls() const { return latency.total() + sample.untimed; }
  // Of its copies, and of there being none.
  Evidence copies_evidence() const {
    return evidence_of(cpu_copied_bytes + uncopied_bytes,
                       cpu_copied_measured_bytes + uncopied_measured_bytes);
  }
  // Whether -e selects it. The others count in every figure; shown_rows() adds them to "other".
  bool shown = true;
};

// The part of a row that one file, pipe or socket had at each end. Only with
// ProbeOptions::channels.
struct Flow {
  ChannelId from;
  ChannelId to;
  Row row;  // without latency
};

// What page faults mapped of one file into a process: bytes that no syscall shows. Without a file,
// of all that are not known apart. Only with ProbeOptions::mapped.
struct FaultedFile {
  ChannelId file;
  std::uint64_t bytes = 0;
  std::uint64_t faults = 0;
};

struct Switches {
  std::uint64_t voluntary = 0;
  std::uint64_t involuntary = 0;
};

// One process, or one thread of it with `--by thread` (then tid != 0), or a sum of several.
struct Process : ProcessFigures {
  std::uint64_t account = 0;  // the session's number for it, never reused
  std::int64_t pid = 0;
  std::int64_t tid = 0;
  std::int64_t parent_pid = 0;
  std::string name;
  std::vector<std::string> argv;
  ProcessOwner owner;                   // of attach
  std::uint64_t start_ns = 0;           // since boot (CLOCK_BOOTTIME)
  std::optional<std::uint64_t> end_ns;  // absent: still running
  std::optional<int> exit_code;         // as a shell shows it: 128+N for a signal
  std::optional<int> signal;            // that ended it
  OutsideFigures outside_syscalls;
  SlicedSum sliced;        // with --duty
  CpuProfile cpu_outside;  // of calls
  std::vector<Row> rows;
  // Of a sum, only where a view adds them up by itself.
  std::vector<Flow> flows;
  std::vector<Relay> relays;
  std::vector<FaultedFile> mapped_files;
  // Bytes put into pipes, without those that the process takes out again itself. `in_kernel`: the
  // part that was never in user space. In a difference they are negative if bytes that looked
  // delivered were taken out again.
  std::int64_t delivered_to_pipes = 0;
  std::int64_t delivered_to_pipes_in_kernel = 0;
  // Bytes that the process wrote into a pipe and then spliced out of it.
  std::int64_t spliced_from_user = 0;
  ProcessRequests requests;  // to a mount; empty when no mount is observed

  // Derived from the rows. Definitions: docs/counting.md.
  std::uint64_t syscalls() const;
  std::uint64_t errors() const;
  std::uint64_t crossings() const { return 2 * syscalls(); }
  std::uint64_t copied_bytes() const;
  std::uint64_t in_kernel_bytes() const;
  std::uint64_t delivered_bytes() const;
  std::uint64_t kernel_only_bytes() const;  // delivered bytes that were never in user space
  // Delivered bytes that no CPU copied: at least, and at most so many. They differ where memory was
  // lent that bytes may have been copied into before.
  std::uint64_t zero_copy_bytes() const;
  std::uint64_t zero_copy_at_most_bytes() const;
  std::optional<double> kernel_only_share() const;  // nullopt: delivered nothing
  std::optional<double> zero_copy_share() const;
  std::uint64_t cpu_copied_bytes() const;
  std::uint64_t cpu_copied_measured_bytes() const;
  std::uint64_t uncopied_bytes() const;
  std::uint64_t uncopied_measured_bytes() const;
  // Of the two above together, the part that the kernel vouches for; nullopt: no bytes.
  std::optional<double> measured_share() const;
  Evidence copies_evidence() const;
  std::optional<std::uint64_t> disk_read_bytes() const;  // nullopt: not known of every row
  std::optional<std::uint64_t> dirtied_bytes() const;
  std::uint64_t off_cpu_ns() const;          // in rows and outside
  CpuProfile cpu_profile() const;            // in rows and outside
  std::uint64_t voluntary_switches() const;  // in rows and outside
  std::uint64_t involuntary_switches() const;
};

// What a process or several delivered, and how.
struct Delivered {
  std::uint64_t bytes = 0;
  std::uint64_t kernel_only = 0;
  std::uint64_t zero_copy = 0;
  std::uint64_t zero_copy_at_most = 0;

  std::optional<double> kernel_only_share() const;  // nullopt: nothing was delivered
  std::optional<double> zero_copy_share() const;
  bool zero_copy_is_bound() const { return zero_copy < zero_copy_at_most; }
  std::optional<double> per_byte(std::uint64_t count) const;
  Delivered& operator+=(const Delivered& other);
};
Delivered delivered_by(const Process& process);

// Processes added up.
struct Totals {
  std::uint64_t processes = 0;
  Process sum;  // max_rss_bytes is the largest
  // Sums of what each process delivered; the sum's own rows do not say it.
  Delivered delivered;

  void add(const Process& process);
  void add(const std::vector<Process>& more);
  void add(const Totals& more);
};

struct Completeness {
  std::map<std::string, std::uint64_t> lost_by_reason;  // every reason is present, zero or not
  std::uint64_t folded_rows = 0;  // that found no space; their counts are in rows "(folded)"
  std::uint64_t in_flight_at_start = 0;
  std::uint64_t in_flight_at_end = 0;
  std::uint64_t compat_syscalls = 0;
  std::uint64_t unfollowed_tasks = 0;
  std::optional<Verification> verification;  // if requested

  std::uint64_t lost_events() const;
  // Nothing was lost, and no count differs from the kernel's.
  bool whole() const;
};

struct Host {
  std::string kernel;
  std::string arch;
  unsigned cpus = 0;
};

// A file of a mount.
struct FileRequests {
  std::string path;  // from the mount point's root: "." or "a/b"
  ByOperation<OperationCounts> operations;
};

// What BPF observed on both sides of a mount. Sums that only grow, so an interval is a difference.
struct ObservedCalls {
  Process applications;  // only calls on files of FUSE file systems
  Process daemon;        // the serving threads: all calls, all switches
  std::map<std::string, std::uint64_t> lost_by_reason;
};
ObservedCalls difference(const ObservedCalls& later, const ObservedCalls& earlier);

// The part of a report that only a mount has.
struct MountPart {
  std::string source;
  std::string mount_point;
  std::string cache;
  bool splice = true;
  bool by_ring = false;      // requests came by io_uring
  bool passthrough = false;  // the kernel reads and writes the files, so no request shows all bytes
  std::vector<FileRequests> files;  // the files with the most bytes come first
  // Requesters that are in no list of the report: the kernel, and processes that `run` does not
  // observe. They have requests but no calls.
  std::vector<Process> other_requesters;
  // The processes whose requests are summed in Report::others.
  std::uint64_t summed_requesters = 0;
  DaemonUse daemon;
  std::optional<ObservedCalls> observed;  // absent without BPF
};

struct Report {
  std::string command;  // "run", "attach", "export", "mount"
  Host host;
  std::vector<std::string> argv;
  std::string targets;  // of attach, in words
  std::optional<int> exit_code;
  std::string started_at;  // RFC 3339, UTC
  std::uint64_t duration_ns = 0;
  bool latency = true;       // false with --timing none: no times inside calls
  bool adaptive = false;     // not every call was timed
  std::optional<Duty> duty;  // counts are estimates from slices of the time
  // Figures that are not known, by their names, and why.
  std::map<std::string, std::string> unknown;
  std::string selection = "%io";  // -e
  Completeness completeness;
  std::vector<Process> processes;
  std::optional<MountPart> mount;
  // Whether flows were counted, and the names of the channels that occur in them, where known.
  bool channels = false;
  std::map<ChannelId, ChannelName> channel_names;
  // Segments that TCP sent again, by the inode of the socket; sockets without any are missing.
  std::map<ChannelId, std::uint64_t> retransmits;
  bool mapped = false;  // whether mapped_files were counted
  // What could be done better, the most useful first; nullopt: not asked for.
  std::optional<std::vector<Advice>> advice;
  Totals others;  // ended processes that are not listed, because there were too many

  Timing timing() const {
    return !latency ? Timing::none : adaptive ? Timing::adaptive : Timing::all;
  }
  Totals totals() const;  // of `processes` and `others`
};

// Rows with the same (syscall, from, to) added up. Those of one process are apart where only the
// protocol differs.
void merge_rows(std::vector<Row>& into, const std::vector<Row>& from);

// Flows with the same row and channels added up.
void merge_flows(std::vector<Flow>& into, const std::vector<Flow>& from);

// The same file's added up.
void merge_mapped_files(std::vector<FaultedFile>& into, const std::vector<FaultedFile>& from);

// Adds one row to those of a process, which are apart where only the protocol differs.
void add_row_by_protocol(std::vector<Row>& into, Row row);

// As a view lists them: those that -e leaves out are in "other" (or "io_uring:other" or
// "aio:other"), which has no bytes.
std::vector<Row> shown_rows(const std::vector<Row>& rows);
// The same, with a row for each protocol.
std::vector<Row> shown_rows_by_protocol(const std::vector<Row>& rows);

// What happened between two reports of the same observation. Processes without anything new are
// left out; `max_ns` is exact if the interval set a new maximum, else (max_is_bound) the upper
// bound of the highest bucket that grew. High-water marks (RSS) stay as they are. A process that
// ran in `earlier` and that `later` does not list is one of its others, where it has any. So is one
// that had ended then, if `keeps_ended`: otherwise those were forgotten after `earlier`.
Report difference(const Report& later, const Report& earlier, bool keeps_ended = false);
// The same for one process or one sum, even if there is nothing new.
Process difference(const Process& later, const Process& earlier);

// count per GB (10^9 bytes) delivered; nullopt when nothing was.
std::optional<double> per_gb(std::uint64_t count, std::uint64_t delivered_bytes);

}  // namespace zctrace
