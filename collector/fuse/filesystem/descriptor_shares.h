// SPDX-License-Identifier: MIT
// Divides the daemon's descriptors among the users of a mount.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace zctrace::fuse {

// Each file that a user keeps open, or only in use, costs the daemon descriptors. While a quarter
// of them is free, any user may have more. From then on a user may only hold fewer than are free,
// so that each newcomer finds some. Root is not limited. Any thread may call.
class DescriptorShares {
 public:
  explicit DescriptorShares(std::size_t all) : all_(all) {}

  bool may_take(uid_t user) const;

 private:
  friend class DescriptorHolding;
  void take(uid_t user);
  void give_back(uid_t user);

  const std::size_t all_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;
  std::unordered_map<uid_t, std::size_t> by_user_;
};

// One descriptor that counts for a user, until this is destroyed.
class DescriptorHolding {
 public:
  DescriptorHolding() = default;
  DescriptorHolding(DescriptorShares& shares, uid_t user) { assign(shares, user); }
  ~DescriptorHolding();
  DescriptorHolding(const DescriptorHolding&) = delete;
  DescriptorHolding& operator=(const DescriptorHolding&) = delete;

  // From now on it counts for `user`.
  void assign(DescriptorShares& shares, uid_t user);

 private:
  std::mutex mutex_;
  DescriptorShares* shares_ = nullptr;
  uid_t user_ = 0;
};

}  // namespace zctrace::fuse
