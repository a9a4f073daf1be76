// SPDX-License-Identifier: MIT
// Whether two groups of measurements differ by more than their spread.
#pragma once

#include <optional>
#include <vector>

#include "cli/compare/statistics.h"

namespace zctrace {

struct WelchTest {
  double change = 0;     // mean of b - mean of a
  Interval interval;     // of the change, with 95% certainty
  double by_chance = 1;  // how probable a change this large is if nothing changed
};

// B. L. Welch: The generalization of "Student's" problem when several different population
// variances are involved (1947). nullopt: fewer than kLeastToRank values on either side.
// `least_deviation`: of each group, where its values are rounded: three equal counts do not prove
// that a fourth is equal.
std::optional<WelchTest> welch_test(const std::vector<double>& a, const std::vector<double>& b,
                                    double least_deviation);

// The probability that a value of Student's t distribution is farther from 0 than `t`.
double student_tails(double t, double degrees);

// Which of these changes are real, if in 19 of 20 comparisons of equal groups none may be called
// so. Sture Holm: A Simple Sequentially Rejective Multiple Test Procedure (1979).
std::vector<bool> significant_by_holm(const std::vector<double>& by_chance);

}  // namespace zctrace
