// SPDX-License-Identifier: MIT
#include "collector/model/timing/estimate.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "bpf/abi.h"
#include "collector/model/report.h"

namespace zctrace {
namespace {

using Durations = std::vector<std::uint64_t>;

std::uint64_t square_of(std::uint64_t ns) {
  return (ns * ns + (1U << ZC_SQUARE_SHIFT) - 1) >> ZC_SQUARE_SHIFT;
}

struct Simulated {
  TimedSample sample;
  std::uint64_t truth = 0;  // of the calls that were not timed
};

// What the kernel side counts of calls that took so long (bpf/calls/sampling.bpf.h).
Simulated simulate(const Durations& durations, std::mt19937_64& random) {
  std::uniform_int_distribution<unsigned> one_in(0, ZC_TIMED_ONE_IN - 1);
  Simulated result;
  TimedSample& sample = result.sample;
  for (std::size_t i = 0; i < durations.size(); i++) {
    const std::uint64_t ns = durations[i];
    const bool chosen = i >= ZC_TIMED_AT_FIRST && one_in(random) == 0;
    if (i >= ZC_TIMED_AT_FIRST && !chosen) {
      sample.untimed++;
      result.truth += ns;
      continue;
    }
    sample.timed++;
    sample.timed_on_ns += ns;
    sample.known_ns += ns;
    if (!chosen) continue;
    sample.sampled++;
    sample.sampled_ns += ns;
    sample.sampled_squares += square_of(ns);
  }
  return result;
}

// As reads of 512 bytes were measured: most take about the same, one in 5,000 has an interrupt.
Durations with_interrupts(std::size_t calls, std::mt19937_64& random) {
  std::lognormal_distribution<double> usual(5.5, 0.15);
  std::uniform_int_distribution<unsigned> one_in(0, 4'999);
  std::uniform_int_distribution<unsigned> interrupt(20'000, 80'000);
  Durations durations(calls);
  for (std::uint64_t& ns : durations)
    ns = static_cast<std::uint64_t>(usual(random)) + (one_in(random) == 0 ? interrupt(random) : 0);
  return durations;
}

// Reads of files of different sizes, that become slower while the program runs.
Durations that_drift(std::size_t calls, std::mt19937_64& random) {
  std::lognormal_distribution<double> usual(7, 0.8);
  Durations durations(calls);
  for (std::size_t i = 0; i < calls; i++)
    durations[i] = static_cast<std::uint64_t>(
        usual(random) * (1 + 3 * static_cast<double>(i) / static_cast<double>(calls)));
  return durations;
}

// A loop of sixteen calls of which one takes much longer.
Durations periodic(std::size_t calls, std::mt19937_64&) {
  Durations durations(calls);
  for (std::size_t i = 0; i < calls; i++) durations[i] = i % ZC_TIMED_ONE_IN == 0 ? 20'000 : 300;
  return durations;
}

struct DurationPattern {
  const char* name;
  Durations (*durations)(std::size_t calls, std::mt19937_64& random);
};

void PrintTo(const DurationPattern& pattern, std::ostream* out) { *out << pattern.name; }

class Promise : public ::testing::TestWithParam<DurationPattern> {};

TEST_P(Promise, TheErrorHoldsInAtLeast95Of100Observations) {
  constexpr int kObservations = 200;
  std::mt19937_64 random(4711);
  for (const std::size_t calls : {4'200, 5'000, 8'000, 20'000}) {
    int held = 0;
    for (int i = 0; i < kObservations; i++) {
      const Simulated seen = simulate(GetParam().durations(calls, random), random);
      const EstimatedTime estimated = untimed_time(seen.sample);
      const double miss = static_cast<double>(estimated.ns) - static_cast<double>(seen.truth);
      held += std::abs(miss) <= static_cast<double>(error_of(estimated.variance));
    }
    EXPECT_GE(held, kObservations * 95 / 100) << calls << " calls";
  }
}

INSTANTIATE_TEST_SUITE_P(Timing, Promise,
                         ::testing::Values(DurationPattern{"Interrupts", with_interrupts},
                                           DurationPattern{"Drift", that_drift},
                                           DurationPattern{"Periodic", periodic}),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(Estimate, ErrorShrinksAsCallsAreAdded) {
  std::mt19937_64 random(1);
  double before = 1;
  for (const std::size_t calls : {10'000, 100'000, 1'000'000}) {
    const Simulated seen = simulate(with_interrupts(calls, random), random);
    const EstimatedTime estimated = untimed_time(seen.sample);
    const double share = static_cast<double>(error_of(estimated.variance)) /
                         static_cast<double>(seen.sample.known_ns + estimated.ns);
    EXPECT_LT(share, before / 2) << calls;
    before = share;
  }
  EXPECT_LT(before, 0.05);
}

TEST(Estimate, IsExactWhereEveryCallWasTimed) {
  const TimedSample sample{.known_ns = 5'000, .timed = 10, .timed_on_ns = 5'000};
  EXPECT_EQ(untimed_time(sample).ns, 0u);
  EXPECT_EQ(error_of(untimed_time(sample).variance), 0u);
}

TEST(Estimate, WithoutAChosenCallTheTimedOnesStandForTheOthers) {
  const TimedSample sample{
      .known_ns = 4'096'000, .timed = 4'096, .timed_on_ns = 4'096'000, .untimed = 3};
  EXPECT_EQ(untimed_time(sample).ns, 3'000u);
  EXPECT_GT(error_of(untimed_time(sample).variance), 0u);
}

TEST(Error, IsReadBackFromItsVariance) {
  for (const std::uint64_t error : {0ULL, 1ULL, 12'345ULL, 4'000'000'000ULL})
    EXPECT_EQ(error_of(variance_of(error)), error);
}

// A row as the ledger makes it.
Row estimated_row(const TimedSample& sample, std::uint64_t off_cpu_ns) {
  Row row;
  row.syscall = "read";
  row.calls = sample.timed + sample.untimed;
  row.off_cpu_ns = off_cpu_ns;
  row.sample = sample;
  const EstimatedTime untimed = untimed_time(sample);
  row.wall_ns = sample.known_ns + untimed.ns;
  row.wall_variance = untimed.variance;
  row.latency.add(10, sample.timed);
  return row;
}

Process process_of(const Row& row) {
  Process process;
  process.pid = 4711;
  process.rows = {row};
  return process;
}

// Of 1 us each.
TimedSample ten_thousand_calls() {
  return {.known_ns = 4'500'000,
          .timed = 4'500,
          .timed_on_ns = 4'500'000,
          .untimed = 5'500,
          .sampled = 404,
          .sampled_ns = 404'000,
          .sampled_squares = 404 * 977};
}

TEST(Interval, IsEstimatedFromItsOwnCalls) {
  // Then 16,000 more at 3 us of which 1,000 were chosen.
  const TimedSample before = ten_thousand_calls();
  TimedSample after = before;
  after.known_ns += 3'000'000;
  after.timed += 1'000;
  after.timed_on_ns += 3'000'000;
  after.untimed += 15'000;
  after.sampled += 1'000;
  after.sampled_ns += 3'000'000;
  after.sampled_squares += 1'000 * square_of(3'000);
  const Row row =
      difference(process_of(estimated_row(after, 0)), process_of(estimated_row(before, 0)))
          .rows.at(0);
  EXPECT_EQ(row.wall_ns, 48'000'000u);
  EXPECT_GT(row.wall_error_ns(), 0u);
  EXPECT_LT(row.wall_error_ns(), row.wall_ns);
}

TEST(Interval, WithFewChosenCallsUsesThoseBeforeToo) {
  const TimedSample before = ten_thousand_calls();
  TimedSample after = before;
  after.untimed += 10;
  const Row row =
      difference(process_of(estimated_row(after, 0)), process_of(estimated_row(before, 0)))
          .rows.at(0);
  EXPECT_EQ(row.wall_ns, 10'000u);
}

TEST(Interval, HasNoErrorIfEveryCallInItWasTimed) {
  const TimedSample before{.known_ns = 9'000,
                           .timed = 9,
                           .timed_on_ns = 9'000,
                           .untimed = 90,
                           .sampled = 9,
                           .sampled_ns = 9'000,
                           .sampled_squares = 9 * 977};
  TimedSample after = before;
  after.known_ns += 7'000;
  after.timed += 1;
  after.timed_on_ns += 1'000;
  const Row row =
      difference(process_of(estimated_row(after, 6'000)), process_of(estimated_row(before, 0)))
          .rows.at(0);
  EXPECT_EQ(row.wall_ns, 7'000u);
  EXPECT_EQ(row.wall_error_ns(), 0u);
}

TEST(MergedRows, AddTheirErrorsAsIndependentOnes) {
  std::vector<Row> rows;
  Row row;
  row.syscall = "read";
  row.wall_ns = 1'000;
  row.wall_variance = variance_of(300);
  merge_rows(rows, {row});
  row.wall_variance = variance_of(400);
  merge_rows(rows, {row});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].wall_ns, 2'000u);
  EXPECT_EQ(rows[0].wall_error_ns(), 500u);
}

}  // namespace
}  // namespace zctrace
