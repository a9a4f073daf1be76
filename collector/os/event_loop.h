// SPDX-License-Identifier: MIT
// The one waiting loop: signals, descriptors, and points in time.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <list>
#include <optional>

#include "collector/os/signals.h"

namespace zctrace {

// Calls what was registered when its time comes, until stop(). One thread; a handler may register
// more, and may stop the loop: then no other handler runs. Whatever a handler throws ends run().
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using nanoseconds = std::chrono::nanoseconds;

  explicit EventLoop(Signals& signals) : signals_(signals) {}

  // For each of the signals that ask a program to end. Without it, the first one stops the loop.
  void on_signal(std::function<void(const Signals::Event&)> handle);
  // Whenever `fd` can be read, or its other end is gone; `events` as poll(2) gives them.
  void on_ready(int fd, std::function<void(short events)> handle);

  // Once. Never, for a time that cannot be reached (Clock::time_point::max()).
  void at(Clock::time_point time, std::function<void()> work);
  // After `first`, and then each time after as long as `work` returns.
  void repeat(nanoseconds first, std::function<nanoseconds()> work);
  // At whole multiples of `period` from now on. What comes late is not made up for.
  void every(nanoseconds period, std::function<void()> work);
  // Before each wait.
  void before_waiting(std::function<void()> work) { before_ = std::move(work); }
  // The signal mask during each wait, instead of the thread's own.
  void set_waiting_mask(const sigset_t& mask) { mask_ = mask; }

  void run();  // throws Error
  void stop() { stopped_ = true; }
  // The last signal that came; 0: none did.
  int signal() const { return signal_; }

  // From now; never, where that cannot be said in a time_point.
  static Clock::time_point after(nanoseconds span);

 private:
  struct Timer {
    Clock::time_point next;
    std::function<Clock::time_point()> work;  // returns the next time, max(): never again
  };
  struct Watched {
    int fd;
    std::function<void(short events)> handle;
  };

  void wait();
  void take_signals();
  void run_timers();

  Signals& signals_;
  std::function<void(const Signals::Event&)> handle_signal_;
  std::list<Watched> watched_;
  std::list<Timer> timers_;  // run in the order of registration
  std::function<void()> before_;
  std::optional<sigset_t> mask_;
  bool stopped_ = false;
  int signal_ = 0;
};

}  // namespace zctrace
