// SPDX-License-Identifier: MIT
// Interleaved runs, without probes: the processes that were observed are not observed any more.
#include "cli/advice/measure.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "cli/compare/statistics.h"
#include "collector/os/descriptor.h"
#include "collector/os/error.h"
#include "transfers/method.h"
#include "transfers/run.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::size_t kMostRounds = 9;
constexpr std::uint64_t kLargestSource = 128ULL << 20;
constexpr std::uint64_t kUsualSource = 32ULL << 20;
constexpr std::uint64_t kSmallestSource = 1ULL << 20;
constexpr std::uint64_t kMostCalls = 32768;  // with small buffers, calls take the time

// Readable when the time is up, or when `stop_fd` is.
class Deadline {
 public:
  Deadline(nanoseconds limit, int stop_fd)
      : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)),
        events_(::epoll_create1(EPOLL_CLOEXEC)) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    itimerspec time{};
    time.it_value.tv_sec = seconds.count();
    time.it_value.tv_nsec = std::max<long>((limit - seconds).count(), 1);
    if (!timer_ || !events_ || ::timerfd_settime(timer_.get(), 0, &time, nullptr) != 0)
      throw system_error("cannot set a time limit", errno);
    watch(timer_.get());
    if (stop_fd >= 0) watch(stop_fd);
  }

  int fd() const { return events_.get(); }
  bool is_over() const {
    epoll_event event{};
    return ::epoll_wait(events_.get(), &event, 1, 0) != 0;
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
      throw system_error("cannot set a time limit", errno);
  }

  Descriptor timer_;
  Descriptor events_;
};

struct TimedMethod {
  const transfers::Method* method;
  std::uint64_t buffer_bytes;
  std::vector<double> cpu_ns;
};

TimedMethod method_named(const std::string& name, std::uint64_t bytes) {
  const transfers::Method* const method = transfers::find_method(name);
  if (method == nullptr) throw Error("there is no method " + name);
  return {method, std::max<std::uint64_t>(bytes, 1), {}};
}

std::uint64_t source_bytes_for(const MethodPair& pair) {
  const std::uint64_t wanted = pair.source_bytes == 0 ? kUsualSource : pair.source_bytes;
  const std::uint64_t call = std::min({pair.now_bytes, pair.instead_bytes, kLargestSource});
  return std::clamp(std::min(wanted, call * kMostCalls), kSmallestSource, kLargestSource);
}

// One pair of methods, until it has enough rounds or `end` has come.
void measure_pair(const MethodPair& pair, Clock::time_point end, const Deadline& deadline,
                  Basis& basis) {
  const auto sink = transfers::parse_sink(pair.sink);
  if (!sink) throw Error("there is no sink " + pair.sink);
  const transfers::Source source = transfers::Source::make(
      pair.source == "tmpfs" ? transfers::kTmpfsDirectory : transfers::kDiskDirectory,
      source_bytes_for(pair));
  TimedMethod both[] = {method_named(pair.now, pair.now_bytes),
                        method_named(pair.instead, pair.instead_bytes)};
  transfers::TransferOptions options;
  options.stop_fd = deadline.fd();
  // The first round only warms up.
  for (std::size_t round = 0; round <= kMostRounds; ++round) {
    for (TimedMethod& timed : both) {
      if (deadline.is_over()) break;
      const transfers::TransferResult done =
          transfers::run_once(*timed.method, {timed.buffer_bytes}, source, *sink, options);
      if (deadline.is_over()) break;
      if (done.error) throw Error(done.error->text);
      if (round != 0) timed.cpu_ns.push_back(static_cast<double>(done.user_ns + done.system_ns));
    }
    if (deadline.is_over() || Clock::now() >= end) break;
  }
  if (std::min(both[0].cpu_ns.size(), both[1].cpu_ns.size()) < kLeastToRank) return;
  for (const TimedMethod& timed : both)
    basis.push_back({"a measurement", pair.source, pair.sink, std::string(timed.method->name),
                     timed.buffer_bytes,
                     median_of(timed.cpu_ns) / static_cast<double>(source.bytes())});
}

}  // namespace

Measurement measure(const std::vector<MethodPair>& pairs, nanoseconds limit, int stop_fd) {
  Measurement measurement;
  const auto fail = [&measurement](const std::string& what, const char* why) {
    if (!measurement.failed) measurement.failed = what + ": " + why;
  };
  try {
    const Clock::time_point end = Clock::now() + limit;
    const Deadline deadline(limit, stop_fd);
    std::size_t left = pairs.size();
    for (const MethodPair& pair : pairs) {
      if (deadline.is_over()) break;
      const auto now = Clock::now();
      const auto share = (end - now) / static_cast<Clock::rep>(left--);
      try {
        measure_pair(pair, now + share, deadline, measurement.basis);
      } catch (const std::exception& error) {
        fail(fmt::format("cannot measure {} and {} from {} to {}", pair.now, pair.instead,
                         pair.source, pair.sink),
             error.what());
      }
    }
  } catch (const std::exception& error) {
    fail("cannot measure", error.what());
  }
  return measurement;
}

}  // namespace zctrace
