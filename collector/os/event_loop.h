// SPDX-License-Identifier: MIT
// The loop in which commands wait: for signals, descriptors, and points in time. transfers/
// and ParentWatcher, a forked child, each wait in one poll(2) of their own.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <list>
#include <optional>

#include "collector/os/signals.h"

namespace zctrace {

// Calls the registered handlers at their time, until stop(). One thread. A handler may register
// more handlers, and may stop the loop; then no other handler runs. An exception of a handler ends
// run().
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using nanoseconds = std::chrono::nanoseconds;

  explicit EventLoop(Signals& signals) : signals_(signals) {}

  // Called for each signal that asks a program to end. Without it, such a signal stops the loop.
  void on_signal(std::function<void(const Signals::Event&)> handle);
  // Called whenever `fd` is readable or its other end is closed. `events` are those of poll(2).
  void on_ready(int fd, std::function<void(short events)> handle);

  // Called once; never if `time` is Clock::time_point::max().
  void at(Clock::time_point time, std::function<void()> work);
  // Called after `first`, and then again each time after the span that `work` returns.
  void repeat(nanoseconds first, std::function<nanoseconds()> work);
  // Called at multiples of `period` from now. Periods that were missed are skipped.
  void every(nanoseconds period, std::function<void()> work);
  // Called before each wait.
  void before_waiting(std::function<void()> work) { before_ = std::move(work); }
  // The signal mask during each wait, instead of the thread's own.
  void set_waiting_mask(const sigset_t& mask) { mask_ = mask; }

  void run();  // throws Error
  void stop() { stopped_ = true; }
  // The last signal; 0: none came.
  int signal() const { return signal_; }

  // `span` from now; Clock::time_point::max() if that is out of range.
  static Clock::time_point after(nanoseconds span);

 private:
  struct Timer {
    Clock::time_point next;
    std::function<Clock::time_point()> work;  // returns the next time; max(): never again
  };
  struct WatchedDescriptor {
    int fd;
    std::function<void(short events)> handle;
  };

  void wait();
  void take_signals();
  void run_timers();

  Signals& signals_;
  std::function<void(const Signals::Event&)> handle_signal_;
  std::list<WatchedDescriptor> watched_;
  std::list<Timer> timers_;  // run in the order of registration
  std::function<void()> before_;
  std::optional<sigset_t> mask_;
  bool stopped_ = false;
  int signal_ = 0;
};

}  // namespace zctrace
