// SPDX-License-Identifier: MIT
// A count for each user that holds at least one.
#include "collector/fuse/filesystem/descriptor_shares.h"

namespace zctrace::fuse {

bool DescriptorShares::may_take(uid_t user) const {
  if (user == 0) return true;
  const std::lock_guard lock(mutex_);
  if (taken_ < all_ / 4 * 3) return true;
  const auto held = by_user_.find(user);
  return taken_ < all_ && (held == by_user_.end() || held->second < all_ - taken_);
}

void DescriptorShares::take(uid_t user) {
  const std::lock_guard lock(mutex_);
  by_user_[user]++;
  taken_++;
}

void DescriptorShares::give_back(uid_t user) {
  const std::lock_guard lock(mutex_);
  const auto held = by_user_.find(user);
  taken_--;
  if (--held->second == 0) by_user_.erase(held);
}

void DescriptorHolding::assign(DescriptorShares& shares, uid_t user) {
  const std::lock_guard lock(mutex_);
  if (shares_ != nullptr && user_ == user) return;
  shares.take(user);
  if (shares_ != nullptr) shares_->give_back(user_);
  shares_ = &shares;
  user_ = user;
}

DescriptorHolding::~DescriptorHolding() {
  if (shares_ != nullptr) shares_->give_back(user_);
}

}  // namespace zctrace::fuse
