// SPDX-License-Identifier: MIT
// The promise of --duty, simulated many times: the truth is within the error that is given, in at
// least 95 of 100 observations of what goes on in the same way, however it is spread over the time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "collector/model/duty/slice_schedule.h"
#include "collector/model/duty/slice_sum.h"
#include "collector/model/duty/sliced.h"

namespace zctrace {
namespace {

using Random = std::mt19937_64;
// How often something happened until a time, in seconds.
using CountUntil = std::function<double(double)>;

// A rate during busy spans, none between them.
CountUntil busy(double rate, std::vector<std::pair<double, double>> spans) {
  return [rate, spans = std::move(spans)](double time) {
    double sum = 0;
    for (const auto& [begin, end] : spans) sum += std::clamp(time, begin, end) - begin;
    return std::floor(rate * sum);
  };
}

CountUntil steady(Random& random, double, double rate) {
  const double phase = std::uniform_real_distribution(0.0, 1.0)(random);
  return [=](double time) { return std::floor(rate * time + phase); };
}

CountUntil poisson(Random& random, double end, double rate) {
  std::exponential_distribution<double> pause(rate);
  std::vector<double> times;
  for (double time = pause(random); time < end; time += pause(random)) times.push_back(time);
  return [times = std::move(times)](double time) {
    return static_cast<double>(std::upper_bound(times.begin(), times.end(), time) - times.begin());
  };
}

CountUntil bursts(Random& random, double end, double busy_s, double idle_s) {
  std::exponential_distribution<double> work(1 / busy_s);
  std::exponential_distribution<double> pause(1 / idle_s);
  std::vector<std::pair<double, double>> spans;
  for (double time = pause(random); time < end; time += pause(random)) {
    spans.emplace_back(time, time + work(random));
    time = spans.back().second;
  }
  return busy(5000, std::move(spans));
}

CountUntil periods(Random& random, double end, double period, double busy_s) {
  std::vector<std::pair<double, double>> spans;
  double time = -period * std::uniform_real_distribution(0.0, 1.0)(random);
  for (; time < end; time += period)
    if (time + busy_s > 0) spans.emplace_back(std::max(time, 0.0), time + busy_s);
  return busy(5000, std::move(spans));
}

CountUntil growing(Random&, double end, double rate) {
  return [=](double time) { return std::floor(rate * time * time / end); };
}

struct Kept {
  unsigned given = 0;  // observations with an error
  unsigned held = 0;   // and the truth within it
  double bias = 0;     // mean, of the truth
};

template <typename... Parameters>
Kept observed(double share, double end_s, CountUntil make(Random&, double, Parameters...),
              Parameters... parameters) {
  constexpr unsigned kObservations = 200;
  Random random(4711);
  Kept kept;
  for (unsigned i = 0; i < kObservations; i++) {
    const CountUntil count = make(random, end_s, parameters...);
    SliceSchedule schedule(share, random());
    const double slice_s = std::chrono::duration<double>(schedule.slice()).count();
    SliceSum sum;
    std::uint64_t slices = 0;
    double before_ns = 0;
    double now = 0;
    double gap = std::chrono::duration<double>(schedule.first_gap()).count();
    while (now + gap + slice_s <= end_s) {
      const double seen = count(now + gap + slice_s) - count(now + gap);
      sum.add({gap * 1e9, slice_s * 1e9, before_ns}, seen, 1);
      slices += seen > 0;
      before_ns = slice_s * 1e9;
      now += gap + slice_s;
      gap = std::chrono::duration<double>(schedule.next_gap()).count();
    }
    sum.add_tail((end_s - now) * 1e9);
    const double truth = count(end_s) - count(0);
    kept.bias += (sum.sum() - truth) / std::max(truth, 1.0) / kObservations;
    const auto error = sliced_error(sum.variance(), slices);
    if (!error) continue;
    kept.given++;
    kept.held += std::abs(sum.sum() - truth) <= static_cast<double>(*error);
  }
  return kept;
}

void expect_kept(const Kept& kept, double bias) {
  EXPECT_GT(kept.given, 100u);
  EXPECT_GE(kept.held, 0.95 * kept.given) << kept.given << " had an error";
  EXPECT_NEAR(kept.bias, 0, bias);
}

TEST(DutyPromise, HoldsForWhatIsSteady) {
  expect_kept(observed(0.1, 60, steady, 2000.0), 0.0001);
  expect_kept(observed(0.5, 60, steady, 30.0), 0.001);
  expect_kept(observed(0.1, 60, poisson, 2000.0), 0.005);
}

TEST(DutyPromise, HoldsForWhatIsRare) { expect_kept(observed(0.1, 100, poisson, 8.0), 0.03); }

TEST(DutyPromise, HoldsForBursts) {
  expect_kept(observed(0.1, 60, bursts, 0.2, 0.4), 0.03);
  expect_kept(observed(0.3, 60, bursts, 2.0, 2.0), 0.03);
}

// Also if the period is that of the slices, or a multiple, or a part of it.
TEST(DutyPromise, HoldsForWhatRepeatsItself) {
  for (const auto& [period, busy_s] : {std::pair(1.0, 0.3), {2.0, 0.8}, {0.5, 0.2}, {0.7, 0.3}})
    expect_kept(observed(0.1, 100, periods, period, busy_s), 0.03);
}

TEST(DutyPromise, HoldsForWhatGrows) { expect_kept(observed(0.1, 60, growing, 2000.0), 0.005); }

// Where hardly any slice saw it, nothing is said about how far the truth may be.
TEST(DutyPromise, SaysNothingAboutRareBursts) {
  EXPECT_EQ(observed(0.1, 60, bursts, 0.02, 5.0).given, 0u);
}

}  // namespace
}  // namespace zctrace
