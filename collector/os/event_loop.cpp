// SPDX-License-Identifier: MIT
// Calls ppoll with a timeout at the earliest deadline.
#include "collector/os/event_loop.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "collector/os/error.h"

namespace zctrace {

EventLoop::Clock::time_point EventLoop::after(nanoseconds span) {
  const auto now = Clock::now();
  return span > Clock::time_point::max() - now ? Clock::time_point::max() : now + span;
}

void EventLoop::on_signal(std::function<void(const Signals::Event&)> handle) {
  handle_signal_ = std::move(handle);
}

void EventLoop::on_ready(int fd, std::function<void(short events)> handle) {
  watched_.push_back({fd, std::move(handle)});
}

void EventLoop::at(Clock::time_point time, std::function<void()> work) {
  timers_.push_back({time, [work = std::move(work)] {
                       work();
                       return Clock::time_point::max();
                     }});
}

void EventLoop::repeat(nanoseconds first, std::function<nanoseconds()> work) {
  timers_.push_back({after(first), [work = std::move(work)] { return after(work()); }});
}

void EventLoop::every(nanoseconds period, std::function<void()> work) {
  const auto first = after(period);
  timers_.push_back({first, [work = std::move(work), period, next = first]() mutable {
                       work();
                       const auto late = Clock::now() - next;
                       next += period * (1 + late / period);
                       return next;
                     }});
}

void EventLoop::run() {
  stopped_ = false;
  while (!stopped_) {
    if (before_) before_();
    if (!stopped_) wait();
    if (!stopped_) run_timers();
  }
}

void EventLoop::wait() {
  std::vector<pollfd> events = {{signals_.fd(), POLLIN, 0}};
  for (const WatchedDescriptor& one : watched_) events.push_back({one.fd, POLLIN, 0});
  auto wake = Clock::time_point::max();
  for (const Timer& timer : timers_) wake = std::min(wake, timer.next);
  const auto left = std::max(nanoseconds(wake - Clock::now()), nanoseconds(0)).count();
  const timespec limit = {left / 1'000'000'000, left % 1'000'000'000};
  const bool forever = wake == Clock::time_point::max();
  if (::ppoll(events.data(), events.size(), forever ? nullptr : &limit, mask_ ? &*mask_ : nullptr) <
      0) {
    if (errno != EINTR) throw system_error("cannot wait for events", errno);
    return;
  }
  if (events.front().revents != 0) take_signals();
  // A handler may register more descriptors, which this wait did not cover.
  auto one = watched_.begin();
  for (std::size_t i = 1; i < events.size() && !stopped_; i++) {
    const auto current = one++;
    if (events[i].revents != 0) current->handle(events[i].revents);
  }
}

void EventLoop::take_signals() {
  for (Signals::Event event = signals_.take(); event.number != 0; event = signals_.take()) {
    signal_ = event.number;
    if (handle_signal_)
      handle_signal_(event);
    else
      stop();
  }
}

void EventLoop::run_timers() {
  for (Timer& timer : timers_) {
    if (stopped_) return;
    if (timer.next <= Clock::now()) timer.next = timer.work();
  }
  timers_.remove_if([](const Timer& timer) { return timer.next == Clock::time_point::max(); });
}

}  // namespace zctrace
