// SPDX-License-Identifier: MIT
// From the variation between slices to intervals.
#include "collector/model/duty/sliced.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace zctrace {
namespace {

// What moves together adds up by its errors, not by their squares: at most so much.
double both(double one, double other) {
  const double error = std::sqrt(one) + std::sqrt(other);
  return error * error;
}

double without(double later, double earlier) { return std::max(0.0, later - earlier); }

std::uint64_t fewer(std::uint64_t one, std::uint64_t other) {
  // A row without slices is one that nothing was seen of yet.
  return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
}

constexpr double SlicedRow::*kOfRows[] = {&SlicedRow::calls_variance, &SlicedRow::bytes_variance};
constexpr double SlicedSum::*kOfSums[] = {&SlicedSum::syscalls_variance,
                                          &SlicedSum::delivered_bytes_variance,
                                          &SlicedSum::cpu_copied_bytes_variance};

template <typename Sliced, std::size_t N>
Sliced& add(Sliced& sum, const Sliced& more, double Sliced::*const (&variances)[N]) {
  for (const auto variance : variances) sum.*variance = both(sum.*variance, more.*variance);
  sum.slices = fewer(sum.slices, more.slices);
  return sum;
}

template <typename Sliced, std::size_t N>
Sliced& subtract(Sliced& later, const Sliced& earlier, double Sliced::*const (&variances)[N]) {
  for (const auto variance : variances)
    later.*variance = without(later.*variance, earlier.*variance);
  later.slices -= std::min(later.slices, earlier.slices);
  return later;
}

// Half the width of a 95% interval in standard errors. Differences of neighbours say as much about
// the variance as two thirds as many values would (von Neumann, 1941). The series is that of
// Student's distribution. Bursts have heavier tails than it: simulations (duty_promise_test) need
// the rest.
double width(std::uint64_t slices) {
  constexpr double kForBursts = 1.15;
  const double degrees = std::max(2.0, 2.0 / 3 * static_cast<double>(slices - 1));
  return kForBursts * (1.960 + 2.372 / degrees + 2.823 / (degrees * degrees));
}

// One difference fewer than slices.
double scale(std::uint64_t slices) {
  return static_cast<double>(slices) / static_cast<double>(slices - 1);
}

}  // namespace

SlicedRow& SlicedRow::operator+=(const SlicedRow& more) { return add(*this, more, kOfRows); }

SlicedRow& SlicedRow::operator-=(const SlicedRow& earlier) {
  return subtract(*this, earlier, kOfRows);
}

SlicedSum& SlicedSum::operator+=(const SlicedSum& more) { return add(*this, more, kOfSums); }

SlicedSum& SlicedSum::operator-=(const SlicedSum& earlier) {
  return subtract(*this, earlier, kOfSums);
}

std::optional<std::uint64_t> sliced_error(double variance, std::uint64_t slices) {
  if (slices < kLeastSlices) return std::nullopt;
  const double error = width(slices) * std::sqrt(variance * scale(slices));
  constexpr double kMost = 9.0e18;  // fits in both kinds of integers
  return static_cast<std::uint64_t>(std::llround(std::min(error, kMost)));
}

double sliced_variance(std::uint64_t error, std::uint64_t slices) {
  if (slices < kLeastSlices) return 0;
  const double deviation = static_cast<double>(error) / width(slices);
  return deviation * deviation / scale(slices);
}

}  // namespace zctrace
