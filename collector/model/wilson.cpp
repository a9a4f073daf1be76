// SPDX-License-Identifier: MIT
// Edwin B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference (1927).
#include "collector/model/wilson.h"

#include <cmath>

namespace zctrace {
namespace {

constexpr double kZ = 1.959964;  // the normal distribution has 95 % within so many deviations

}  // namespace

double wilson_margin(double share, double samples) {
  const double z2 = kZ * kZ;
  const double centre = (share + z2 / (2 * samples)) / (1 + z2 / samples);
  const double half = kZ * std::sqrt(share * (1 - share) / samples + z2 / (4 * samples * samples)) /
                      (1 + z2 / samples);
  return std::abs(centre - share) + half;
}

}  // namespace zctrace
