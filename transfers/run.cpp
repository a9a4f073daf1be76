// SPDX-License-Identifier: MIT
// Creates sink, drains and child, releases the child, and collects what each of them reports.
#include "transfers/run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/exit_status.h"
#include "collector/os/wakeup.h"
#include "transfers/network_use.h"
#include "transfers/shared_record.h"
#include "transfers/unnamed_file.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// The child writes it step by step, so that its parent can tell how far it got.
struct ChildRecord {
  bool finished;
  int error_number;
  char error_operation[96];
  std::uint64_t moved_bytes;
  std::uint64_t pipe_bytes;
  std::uint64_t notifications;
  std::uint64_t copied_notifications;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint64_t cpu_ns;
  rusage before;
  rusage after;
};

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }  // vdso: no syscall
std::uint64_t cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

// What reading the CPU clock twice adds to the difference. Without this, a short move would seem to
// use more CPU time than time.
std::uint64_t cost_of_cpu_clock() {
  std::uint64_t least = UINT64_MAX;
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t cpu_before = cpu_ns();
    const std::uint64_t before = monotonic_ns();
    const std::uint64_t after = monotonic_ns();
    const std::uint64_t cpu = cpu_ns() - cpu_before;
    least = std::min(least, cpu - std::min(cpu, after - before));
  }
  return least;
}

void record_error(ChildRecord& record, const Failure& error) {
  record.error_number = error.number;
  std::snprintf(record.error_operation, sizeof record.error_operation, "%s", error.operation);
}

// The measured window. The observer relies on the order: between its two calls there is no
// syscall except the method's own.
Moved measure(const Method& method, const Transfer& job, Workspace& workspace,
              const TransferOptions& options, ChildRecord& record) {
  const std::uint64_t clock_cost = cost_of_cpu_clock();
  ::getrusage(RUSAGE_SELF, &record.before);
  const std::uint64_t cpu_before = cpu_ns();
  record.start_ns = monotonic_ns();
  if (options.window_open) options.window_open(options.window_context);
  const Moved moved = method.move(job, workspace);
  if (options.window_close) options.window_close(options.window_context);
  record.end_ns = monotonic_ns();
  const std::uint64_t cpu = cpu_ns() - cpu_before;
  ::getrusage(RUSAGE_SELF, &record.after);
  record.cpu_ns = cpu - std::min(cpu, clock_cost);
  return moved;
}

// Waits until `fd` is readable or has ended; false when `stop_fd` becomes readable first.
bool wait_unless_stopped(int fd, int stop_fd) {
  pollfd events[] = {{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};  // poll ignores a descriptor of -1
  while (::poll(events, 2, -1) < 0) {
    if (errno != EINTR) throw SetupError(errno, "wait for a transfer");
  }
  return events[0].revents != 0;
}

// The points right before and right after its move where the child waits for its parent, if the
// parent wants to read something.
class Stops {
 public:
  explicit Stops(const TransferOptions& options) : options_(options) {
    if (!options.before_move && !options.after_move) return;
    arrivals_.emplace();
    departures_.emplace();
  }
  // The descriptors that the child must keep.
  std::vector<int> child_fds() const {
    if (!arrivals_) return {};
    return {arrivals_->send_fd(), departures_->wait_fd()};
  }

  void wait_in_child() const {
    if (!arrivals_) return;
    if (!arrivals_->send() || !departures_->wait()) ::_exit(kExitNotExecutable);
  }
  // In the parent. A child that ends earlier does not arrive.
  void attend() {
    if (!arrivals_) return;
    arrivals_->close_send_end();
    for (const auto& look : {options_.before_move, options_.after_move}) {
      if (!wait_unless_stopped(arrivals_->wait_fd(), options_.stop_fd)) return;
      if (!arrivals_->wait()) return;
      if (look) look();
      if (!departures_->send()) throw SetupError(errno, "let a child go on");
    }
  }

 private:
  const TransferOptions& options_;
  std::optional<Wakeup> arrivals_;    // of the child
  std::optional<Wakeup> departures_;  // which the parent allows
};

// The child's life after the gate.
void transfer(const Method& method, const Transfer& job, const TransferOptions& options,
              const Stops& stops, ChildRecord& record) {
  Workspace workspace;
  Failure error = prepare(method, job, workspace);
  if (!error) {
    stops.wait_in_child();
    const Moved moved = measure(method, job, workspace, options, record);
    stops.wait_in_child();
    record.moved_bytes = moved.bytes;
    record.notifications = moved.notifications;
    record.copied_notifications = moved.copied_notifications;
    error = moved.error ? moved.error : finish(method, job, moved, workspace);
    record.pipe_bytes = intermediate_pipe_bytes(workspace);
  }
  record_error(record, error);
  record.finished = true;
  // _exit without unwinding: the sink closes at once, whatever the workspace holds.
  ::_exit(0);
}

std::uint64_t ns(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

void take_usage(const ChildRecord& record, TransferResult& outcome) {
  const auto delta = [&](long rusage::*field) {
    return static_cast<std::uint64_t>(record.after.*field - record.before.*field);
  };
  outcome.wall_ns = record.end_ns - record.start_ns;
  outcome.drained_wall_ns = outcome.wall_ns;
  const std::uint64_t user = ns(record.after.ru_utime) - ns(record.before.ru_utime);
  const std::uint64_t system = ns(record.after.ru_stime) - ns(record.before.ru_stime);
  const double user_share =
      user + system == 0 ? 0 : static_cast<double>(user) / static_cast<double>(user + system);
  outcome.user_ns =
      static_cast<std::uint64_t>(std::llround(user_share * static_cast<double>(record.cpu_ns)));
  outcome.system_ns = record.cpu_ns - outcome.user_ns;
  outcome.minor_faults = delta(&rusage::ru_minflt);
  outcome.major_faults = delta(&rusage::ru_majflt);
  // The kernel counts blocks of 512 bytes, and has this file only if it accounts them.
  constexpr std::uint64_t kBlockBytes = 512;
  if (::access("/proc/self/io", F_OK) == 0)
    outcome.disk_read_bytes = kBlockBytes * delta(&rusage::ru_inblock);
  outcome.voluntary_switches = delta(&rusage::ru_nvcsw);
  outcome.involuntary_switches = delta(&rusage::ru_nivcsw);
}

TransferResult outcome_of_child(const ChildRecord& record, const std::string& ending) {
  TransferResult outcome;
  if (!record.finished) {
    outcome.error = RunFailure{
        ECANCELED, "ECANCELED: the transfer was " + (ending.empty() ? "cut off" : ending)};
    return outcome;
  }
  outcome.moved_bytes = record.moved_bytes;
  outcome.pipe_bytes = record.pipe_bytes;
  outcome.notifications = record.notifications;
  outcome.copied_notifications = record.copied_notifications;
  if (record.error_number != 0) {
    outcome.error =
        RunFailure{record.error_number, error_text(record.error_number, record.error_operation)};
  }
  if (record.end_ns != 0) take_usage(record, outcome);  // 0: prepare failed, nothing ran
  return outcome;
}

void join_drain(Drain& drain, const ChildRecord& record, const Source& source, bool verify,
                TransferResult& outcome) {
  const Drained drained = drain.wait();
  outcome.drained_bytes += drained.bytes;
  if (!drained.failure.empty()) {
    // The sender's own error (EPIPE, ECONNRESET) only follows from this one.
    outcome.error = RunFailure{ECANCELED, "ECANCELED: the drain was " + drained.failure};
  }
  if (record.end_ns != 0 && drained.all_received_ns > record.start_ns) {
    outcome.drained_wall_ns =
        std::max(outcome.drained_wall_ns, drained.all_received_ns - record.start_ns);
  }
  if (!verify) return;
  const bool equal = drained.bytes == source.bytes() && drained.crc32 == source.crc32();
  outcome.checksum_ok = outcome.checksum_ok.value_or(true) && equal;
}

// A remote reader takes one transfer at a time.
std::optional<TransferResult> refuse_two_sinks(const Method& method, const SinkSpec& spec) {
  if (!spec.remote || !method.needs.second_sink) return std::nullopt;
  TransferResult outcome;
  outcome.error = RunFailure{
      EOPNOTSUPP, error_text(EOPNOTSUPP, "two sinks at once at " + spec.remote->address().text())};
  return outcome;
}

bool file_equals(const Descriptor& sink, const Source& source) {
  // Opened again: the method may have left O_DIRECT on the descriptor that it was given.
  const Descriptor file = reopen(sink, O_RDONLY);
  return ::lseek(file.get(), 0, SEEK_END) == static_cast<off_t>(source.bytes()) &&
         file_crc32(file, source.bytes()) == source.crc32();
}

// Asks the sinks what they hand to network devices. Over a loopback that is nothing, and nothing is
// asked.
class NetworkUse {
 public:
  NetworkUse(const std::vector<Sink>& sinks, SinkKind kind) : sinks_(sinks) {
    if (kind == SinkKind::tcp) by_device_ = leaves_by_a_device(sinks.front().out);
  }

  // Whether the sinks must stay open until bytes() has asked them.
  bool asks() const { return by_device_ == true; }
  // Lets the drains see the end.
  void end() const {
    if (!asks()) return;
    for (const Sink& sink : sinks_) ::shutdown(sink.out.get(), SHUT_WR);
  }
  // When the drains have received everything.
  std::optional<std::uint64_t> bytes() const {
    if (!asks()) return by_device_ ? std::optional<std::uint64_t>(0) : std::nullopt;
    std::uint64_t sum = 0;
    for (const Sink& sink : sinks_) {
      const auto sent = tcp_sent_bytes(sink.out);
      if (!sent) return std::nullopt;
      sum += *sent;
    }
    return sum;
  }

 private:
  const std::vector<Sink>& sinks_;
  std::optional<bool> by_device_ = false;  // nullopt: not known
};

// Returns when the child has ended; kills it if the run is stopped.
void kill_if_stopped(Child& child, int stop_fd) {
  if (stop_fd < 0) return;
  if (!wait_unless_stopped(child.handle(), stop_fd)) ::kill(child.pid(), SIGKILL);
}

}  // namespace

void take_remote_result(RemoteReader& reader, const Source& source, bool verify, int stop_fd,
                        TransferResult& outcome) {
  if (!reader.is_drain()) return;
  const std::string where = "the drain at " + reader.address().text();
  const auto answer = reader.take(stop_fd);
  if (!answer || answer->transfers > 1) {
    if (!outcome.error)
      outcome.error = RunFailure{
          ECONNABORTED, "ECONNABORTED: " + where +
                            (answer ? " serves another sender, too" : " does not answer any more")};
    return;
  }
  outcome.drained_bytes = answer->bytes;
  if (verify)
    outcome.checksum_ok = answer->bytes == source.bytes() && answer->crc32 == source.crc32();
}

TransferResult run_once(const Method& method, BufferSize buffer, const Source& source,
                        const SinkSpec& spec, const TransferOptions& options) {
  if (auto refused = refuse_two_sinks(method, spec)) return *refused;
  if (options.cold) source.drop_cache();
  if (options.verify) source.crc32();  // before any process waits for it
  const std::uint64_t length = options.length.value_or(source.bytes());
  const std::uint64_t expected_bytes = std::min(length, source.bytes());

  std::vector<Sink> sinks;
  const std::size_t wanted = method.needs.second_sink ? 2 : 1;
  sinks.reserve(wanted);
  while (sinks.size() < wanted) {
    sinks.push_back(make_sink(spec, source));
  }
  std::vector<std::unique_ptr<Drain>> drains;
  for (Sink& sink : sinks) {
    if (!sink.drain_end) continue;
    drains.push_back(std::make_unique<Drain>(
        sink.drain_end,
        DrainOptions{options.drain_read_bytes, options.drain_splice, options.verify},
        expected_bytes));
    sink.drain_end.reset();  // otherwise the sender would not notice a dead drain
  }
  // Opened after the drains are forked: a drain that closes an inherited copy of a FUSE file would
  // make its daemon flush, at an unpredictable time.
  const Descriptor in = source.open();
  const Transfer job = {
      .in_fd = in.get(),
      .out_fd = sinks.front().out.get(),
      .second_out_fd = method.needs.second_sink ? sinks.back().out.get() : -1,
      .length = length,
      .buffer_bytes = resolve_buffer_bytes(method, buffer, length),
  };

  SharedRecord<ChildRecord> record;
  Stops stops(options);
  std::vector<int> kept = stops.child_fds();
  kept.insert(kept.end(), {job.in_fd, job.out_fd, job.second_out_fd});
  ChildOptions gated = dependent_child(std::move(kept));
  gated.gated = true;
  Child child(gated, [&] { transfer(method, job, options, stops, *record.get()); });
  const NetworkUse network(sinks, spec.kind);
  if ((!drains.empty() || spec.remote) && !network.asks()) {
    for (Sink& sink : sinks) sink.out.reset();  // otherwise a drain would not see the end
  }

  if (options.before_release) options.before_release(child.pid());
  child.release();
  stops.attend();
  kill_if_stopped(child, options.stop_fd);
  const std::string ending = ending_text(child.wait());
  network.end();

  TransferResult outcome = outcome_of_child(*record.get(), ending);
  outcome.buffer_bytes = job.buffer_bytes;
  const bool verify = options.verify && !outcome.error && length >= source.bytes();
  for (const auto& drain : drains) join_drain(*drain, *record.get(), source, verify, outcome);
  if (spec.remote) take_remote_result(*spec.remote, source, verify, options.stop_fd, outcome);
  // Another reader does not say when it has everything.
  const bool all_sent = !network.asks() || !spec.remote || spec.remote->is_drain();
  if (all_sent) outcome.network_bytes = network.bytes();
  if (!outcome.error && outcome.moved_bytes < expected_bytes) {
    outcome.error =
        RunFailure{EIO, "EIO: the source ended after " + std::to_string(outcome.moved_bytes) +
                            " of " + std::to_string(expected_bytes) + " bytes"};
  }
  const bool is_file = contains(kFileSinks, spec.kind);
  if (verify && is_file && !outcome.error) {
    outcome.checksum_ok = std::all_of(sinks.begin(), sinks.end(), [&](const Sink& sink) {
      return file_equals(sink.out, source);
    });
  }
  return outcome;
}

}  // namespace zctrace::transfers
