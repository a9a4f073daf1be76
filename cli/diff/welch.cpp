// SPDX-License-Identifier: MIT
// The arithmetic of tests.
#include "cli/diff/welch.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace zctrace {
namespace {

constexpr double kLevel = 0.05;

// The continued fraction of the incomplete beta function (https://dlmf.nist.gov/8.17.E22), by
// Lentz's method. Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr int kTerms = 500;
  constexpr double kTiny = 1e-300;
  const auto not_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double fraction = 1;
  double c = 1 / kTiny;
  double d = 1;
  for (int i = 1; i < kTerms; ++i) {
    const int m = i / 2;
    const double term = i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / not_zero(1 + term * d);
    c = not_zero(1 + term / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-12) break;
  }
  return fraction;
}

// The regularized incomplete beta function.
double beta_share(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - beta_share(1 - x, b, a);
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return front / a * beta_fraction(x, a, b);
}

// The t that student_tails() gives `tails` for.
double student_quantile(double tails, double degrees) {
  double low = 0;
  double high = 1;
  while (student_tails(high, degrees) > tails && high < 1e12) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (student_tails(middle, degrees) > tails ? low : high) = middle;
  }
  return high;
}

}  // namespace

double student_tails(double t, double degrees) {
  return beta_share(degrees / (degrees + t * t), degrees / 2, 0.5);
}

std::optional<WelchTest> welch_test(const std::vector<double>& a, const std::vector<double>& b,
                                    double least_deviation) {
  if (a.size() < kLeastToRank || b.size() < kLeastToRank) return std::nullopt;
  const auto variance_of_mean = [least_deviation](const std::vector<double>& values) {
    const double deviation = std::max(*statistics_of(values).stddev, least_deviation);
    return deviation * deviation / static_cast<double>(values.size());
  };
  WelchTest test;
  test.change = statistics_of(b).mean - statistics_of(a).mean;
  const double of_a = variance_of_mean(a);
  const double of_b = variance_of_mean(b);
  const double error = std::sqrt(of_a + of_b);
  if (error == 0) {
    test.by_chance = test.change == 0 ? 1 : 0;
    test.interval = {test.change, test.change};
    return test;
  }
  // Relative to their sum: the squares of large variances would leave the range of double.
  const double part = of_a / (of_a + of_b);
  const double degrees = 1 / (part * part / static_cast<double>(a.size() - 1) +
                              (1 - part) * (1 - part) / static_cast<double>(b.size() - 1));
  test.by_chance = student_tails(test.change / error, degrees);
  const double margin = student_quantile(kLevel, degrees) * error;
  test.interval = {test.change - margin, test.change + margin};
  return test;
}

std::vector<bool> significant_by_holm(const std::vector<double>& by_chance) {
  std::vector<std::size_t> order(by_chance.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return by_chance[i] < by_chance[j]; });
  std::vector<bool> significant(by_chance.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (by_chance[order[i]] > kLevel / static_cast<double>(order.size() - i)) break;
    significant[order[i]] = true;
  }
  return significant;
}

}  // namespace zctrace
