// SPDX-License-Identifier: MIT
// With --timing adaptive not every call is timed: the time of the others is estimated from calls
// that were chosen at random (bpf/calls/sampling.bpf.h). Pure. Times are nanoseconds.
#pragma once

#include <cstdint>
#include <string_view>

namespace zctrace {

// Which calls are timed.
enum class Timing : std::uint8_t {
  all,
  adaptive,  // all of a row at first, then some
  none,
};

std::string_view timing_name(Timing timing);  // as --timing takes it

// What is known of the calls of one row whose time is an estimate.
struct TimedSample {
  // Measured: of calls that were timed, and the time off the CPU of the others.
  std::uint64_t known_ns = 0;
  std::uint64_t timed = 0;        // calls
  std::uint64_t timed_on_ns = 0;  // their time on a CPU
  std::uint64_t untimed = 0;      // calls
  // Of the calls that were chosen to stand for them; the squares in units of 2^ZC_SQUARE_SHIFT
  // ns^2.
  std::uint64_t sampled = 0;
  std::uint64_t sampled_ns = 0;
  std::uint64_t sampled_squares = 0;
  // It consists of several rows, each with a mean of its own.
  bool mixed = false;

  void add(const TimedSample& more);
};

struct EstimatedTime {
  std::uint64_t ns = 0;
  double variance = 0;  // ns^2
};

// The time that the calls that were not timed were on a CPU.
EstimatedTime untimed_time(const TimedSample& sample);

// What happened since `earlier`. If too few calls were chosen since then, those before stand for
// the interval, too.
TimedSample sample_since(const TimedSample& later, const TimedSample& earlier);

// How far an estimate with this variance is from the truth: less than this in at least 95 of 100
// observations, unless single calls take milliseconds on a CPU.
std::uint64_t error_of(double variance);
// The inverse, of an error that was read.
double variance_of(std::uint64_t error_ns);

}  // namespace zctrace
