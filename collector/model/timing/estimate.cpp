// SPDX-License-Identifier: MIT
// Estimates a sum from a random sample. Calls that an interrupt hits take fifty times as long as
// others, but there are few of them: a sample without any would claim to be exact. So the variance
// counts a few such calls more than were seen.
#include "collector/model/timing/estimate.h"

#include <algorithm>
#include <cmath>

#include "bpf/abi.h"
#include "collector/model/saturating.h"

namespace zctrace {
namespace {

// In standard deviations. Of a normal distribution 98.8 % are within it; of the times of calls,
// whose distribution has a long tail, 95 % (tests/unit/model/timing/estimate_test.cpp).
constexpr double kErrorWidth = 2.5;
// How many calls with an interrupt more than were seen, and what one takes.
constexpr double kUnseenCalls = 2;
constexpr double kUnseenNs = 65'536;
// Of so few chosen calls, the standard deviation is taken to be so many times their mean.
constexpr double kFew = 16;
constexpr double kFewVary = 4;
// Fewer chosen calls than these do not stand for an interval.
constexpr std::uint64_t kLeastSample = 16;

double mean_of(std::uint64_t ns, std::uint64_t calls) {
  return calls == 0 ? 0 : static_cast<double>(ns) / static_cast<double>(calls);
}

double variance_of_calls(const TimedSample& sample) {
  const double unseen =
      sample.timed == 0 ? kUnseenNs * kUnseenNs
                        : kUnseenCalls * kUnseenNs * kUnseenNs / static_cast<double>(sample.timed);
  const double mean = mean_of(sample.sampled_ns, sample.sampled);
  const auto calls = static_cast<double>(std::max<std::uint64_t>(sample.sampled, 1));
  // A few calls may by chance be alike.
  const double usual = kFewVary * std::max(mean, mean_of(sample.timed_on_ns, sample.timed));
  const double few = usual * usual * std::min(1.0, kFew / calls);
  if (sample.sampled < 2) return unseen + few;
  const double squares = std::ldexp(static_cast<double>(sample.sampled_squares), ZC_SQUARE_SHIFT);
  return std::max(0.0, squares - mean * mean * calls) / (calls - 1) + unseen + few;
}

}  // namespace

std::string_view timing_name(Timing timing) {
  switch (timing) {
    case Timing::all: return "all";
    case Timing::adaptive: return "adaptive";
    case Timing::none: return "none";
  }
  return "all";
}

void TimedSample::add(const TimedSample& more) {
  known_ns += more.known_ns;
  timed += more.timed;
  timed_on_ns += more.timed_on_ns;
  untimed += more.untimed;
  sampled += more.sampled;
  sampled_ns += more.sampled_ns;
  sampled_squares += more.sampled_squares;
  mixed = true;
}

EstimatedTime untimed_time(const TimedSample& sample) {
  if (sample.untimed == 0) return {};
  const auto untimed = static_cast<double>(sample.untimed);
  const double mean = sample.sampled != 0 ? mean_of(sample.sampled_ns, sample.sampled)
                                          : mean_of(sample.timed_on_ns, sample.timed);
  // Both the mean of the chosen calls and that of the others vary around the mean of all.
  const double chosen = std::max(1.0, static_cast<double>(sample.sampled));
  const double variance = variance_of_calls(sample) * untimed * (untimed + chosen) / chosen;
  // As exact as a saved report has it.
  return {static_cast<std::uint64_t>(mean * untimed), variance_of(error_of(variance))};
}

TimedSample sample_since(const TimedSample& later, const TimedSample& earlier) {
  TimedSample since = later;
  since.known_ns = not_below_zero(later.known_ns, earlier.known_ns);
  since.untimed = not_below_zero(later.untimed, earlier.untimed);
  if (later.sampled >= earlier.sampled + kLeastSample) {
    since.sampled = later.sampled - earlier.sampled;
    since.sampled_ns = not_below_zero(later.sampled_ns, earlier.sampled_ns);
    since.sampled_squares = not_below_zero(later.sampled_squares, earlier.sampled_squares);
  }
  return since;
}

std::uint64_t error_of(double variance) {
  constexpr double kMost = 9e18;  // what was read may be anything
  return static_cast<std::uint64_t>(
      std::llround(std::min(kMost, kErrorWidth * std::sqrt(variance))));
}

double variance_of(std::uint64_t error_ns) {
  const double deviation = static_cast<double>(error_ns) / kErrorWidth;
  return deviation * deviation;
}

}  // namespace zctrace
