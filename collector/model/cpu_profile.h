// SPDX-License-Identifier: MIT
// Where the CPU time of a row or a process went, by samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zctrace {

// What a CPU was doing when it was sampled; see docs/counting.md.
enum class CpuClass : std::uint8_t {
  copy,
  zero,
  crypto,
  checksum,
  allocate,
  page_cache,
  filesystem,
  network,
  lock,
  schedule,
  entry,
  user,
  other,
};
inline constexpr std::size_t kCpuClasses = 13;

// As in JSON.
std::string_view cpu_class_name(CpuClass cpu_class);

// Samples by class. Only grows; an interval is a difference.
struct CpuProfile {
  unsigned hz = 0;  // samples in a second of CPU time; 0: no profile was asked for
  std::array<std::uint64_t, kCpuClasses> samples{};

  std::uint64_t& of(CpuClass cpu_class) { return samples[static_cast<std::size_t>(cpu_class)]; }
  std::uint64_t of(CpuClass cpu_class) const {
    return samples[static_cast<std::size_t>(cpu_class)];
  }
  std::uint64_t total() const;
  // nullopt: there are no samples.
  std::optional<double> share(CpuClass cpu_class) const;
  // The share of each class is known to this, with 95% confidence: the bound of Wilson's interval
  // that is farthest from the share. nullopt: there are no samples.
  std::optional<double> margin() const;

  CpuProfile& operator+=(const CpuProfile& more);
  CpuProfile& operator-=(const CpuProfile& earlier);  // never below zero
};

}  // namespace zctrace
