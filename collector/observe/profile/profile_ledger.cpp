// SPDX-License-Identifier: MIT
#include "collector/observe/profile/profile_ledger.h"

namespace zctrace {

void ProfileLedger::add(const zc_sample& sample, CpuClass cpu_class) {
  Profile& profile = accounts_.try_emplace(sample.account, none_).first->second;
  CpuProfile& where = sample.in_call == 0
                          ? profile.outside
                          : profile.rows.try_emplace(sample.key.word, none_.outside).first->second;
  where.of(cpu_class)++;
}

const ProfileLedger::Profile& ProfileLedger::of(std::uint64_t account) const {
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? none_ : found->second;
}

CpuProfile ProfileLedger::of(const Profile& profile, std::uint32_t row) const {
  const auto found = profile.rows.find(row);
  return found == profile.rows.end() ? none_.outside : found->second;
}

}  // namespace zctrace
