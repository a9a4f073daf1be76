// SPDX-License-Identifier: MIT
// The arithmetic of samples.
#include "collector/model/cpu_profile.h"

#include <algorithm>
#include <numeric>

#include "collector/model/saturating.h"
#include "collector/model/wilson.h"

namespace zctrace {
namespace {

constexpr std::string_view kNames[] = {
    "copy",    "zero", "crypto",   "checksum", "allocate", "page_cache", "filesystem",
    "network", "lock", "schedule", "entry",    "user",     "other"};
static_assert(std::size(kNames) == kCpuClasses);

}  // namespace

std::string_view cpu_class_name(CpuClass cpu_class) {
  return kNames[static_cast<std::size_t>(cpu_class)];
}

std::uint64_t CpuProfile::total() const {
  return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0});
}

std::optional<double> CpuProfile::share(CpuClass cpu_class) const {
  const std::uint64_t all = total();
  if (all == 0) return std::nullopt;
  return static_cast<double>(of(cpu_class)) / static_cast<double>(all);
}

std::optional<double> CpuProfile::margin() const {
  const auto all = static_cast<double>(total());
  if (all == 0) return std::nullopt;
  double widest = 0;
  for (const std::uint64_t one : samples)
    widest = std::max(widest, wilson_margin(static_cast<double>(one) / all, all));
  return widest;
}

CpuProfile& CpuProfile::operator+=(const CpuProfile& more) {
  hz = std::max(hz, more.hz);
  for (std::size_t i = 0; i < kCpuClasses; i++) samples[i] += more.samples[i];
  return *this;
}

CpuProfile& CpuProfile::operator-=(const CpuProfile& earlier) {
  for (std::size_t i = 0; i < kCpuClasses; i++)
    samples[i] = not_below_zero(samples[i], earlier.samples[i]);
  return *this;
}

}  // namespace zctrace
