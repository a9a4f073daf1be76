// SPDX-License-Identifier: MIT
// A count for each user that holds at least one.
#include "collector/fuse/filesystem/descriptor_shares.h"

#include <algorithm>

namespace zctrace::fuse {

std::size_t DescriptorShares::held_by(uid_t user) const {
  const auto held = by_user_.find(user);
  return held == by_user_.end() ? 0 : held->second;
}

// What a user can take while the others hold `others`.
std::size_t DescriptorShares::share_beside(std::size_t others) const {
  if (others >= all_) return 0;
  const std::size_t for_anyone = all_ / 4 * 3;
  return std::max(for_anyone - std::min(others, for_anyone), (all_ - others) / 2);
}

DescriptorShares::Room DescriptorShares::room_for(uid_t user) const {
  if (user == 0) return Room::enough;
  const std::lock_guard lock(mutex_);
  const std::size_t held = held_by(user);
  const std::size_t share = share_beside(taken_ - held);
  if (held < share - share / 4) return Room::enough;
  if (taken_ < all_ / 4 * 3) return Room::little;
  if (taken_ >= all_) return Room::none;
  if (held < all_ - taken_) return Room::little;
  return held < share + share / 16 ? Room::excess : Room::none;
}

std::size_t DescriptorShares::beyond_half(uid_t user) const {
  const std::lock_guard lock(mutex_);
  const std::size_t held = held_by(user);
  return held - std::min(held, share_beside(taken_ - held) / 2);
}

std::size_t DescriptorShares::beyond_half_of_all() const {
  const std::lock_guard lock(mutex_);
  return taken_ - std::min(taken_, all_ / 2);
}

std::vector<DescriptorShares::Holder> DescriptorShares::larger_than(uid_t user) const {
  std::vector<Holder> larger;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t own = held_by(user);
    for (const auto& [other, held] : by_user_)
      if (held > own) larger.push_back({other, held - own});
  }
  std::ranges::sort(larger, std::ranges::greater(), &Holder::more);
  return larger;
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
