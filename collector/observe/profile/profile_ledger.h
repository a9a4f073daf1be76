// SPDX-License-Identifier: MIT
// Adds up samples by account and row.
#pragma once

#include <cstdint>
#include <map>

#include "bpf/abi.h"
#include "collector/model/cpu_profile.h"

namespace zctrace {

// Pure; one thread at a time.
class ProfileLedger {
 public:
  struct Profile {
    CpuProfile outside;                        // of calls
    std::map<std::uint32_t, CpuProfile> rows;  // by zc_key::word
  };

  // Samples in a second of CPU time; before any are added.
  void sampled_at(unsigned hz) { none_.outside.hz = hz; }
  bool enabled() const { return none_.outside.hz != 0; }

  void add(const zc_sample& sample, CpuClass cpu_class);
  // Of an account without samples: no rows.
  const Profile& of(std::uint64_t account) const;
  // `profile` of a row without samples.
  CpuProfile of(const Profile& profile, std::uint32_t row) const;
  // The caller will not ask for this account again.
  void forget(std::uint64_t account) { accounts_.erase(account); }

 private:
  Profile none_;
  std::map<std::uint64_t, Profile> accounts_;
};

}  // namespace zctrace
