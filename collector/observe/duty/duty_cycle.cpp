// SPDX-License-Identifier: MIT
#include "collector/observe/duty/duty_cycle.h"

#include <cstdint>
#include <random>
#include <thread>

#include "collector/observe/session.h"

namespace zctrace {
namespace {

using std::chrono::nanoseconds;

std::uint64_t length(std::chrono::steady_clock::duration span) {
  return static_cast<std::uint64_t>(nanoseconds(span).count());
}

}  // namespace

DutyCycle::DutyCycle(Session& session, double share, std::size_t max_ended)
    : session_(session),
      estimates_(share, max_ended),
      schedule_(share, std::random_device()()),
      closed_(Clock::now()) {}

nanoseconds DutyCycle::step() {
  if (!open_) {
    open();
    return schedule_.slice();
  }
  close();
  return schedule_.next_gap();
}

void DutyCycle::open() {
  opened_ = session_.open_slice();
  open_ = true;
}

void DutyCycle::close() {
  const Clock::time_point before = closed_;
  closed_ = session_.close_slice();
  open_ = false;
  session_.poll();
  estimates_.add(session_.take_processes(), length(opened_ - before), length(closed_ - opened_));
}

void DutyCycle::finish() {
  const Clock::time_point end = Clock::now();
  if (!open_ && estimates_.duty().slices == 0) {
    open();
    std::this_thread::sleep_for(schedule_.slice());
  }
  if (open_) close();
  if (end > closed_) estimates_.add_tail(length(end - closed_));
}

}  // namespace zctrace
