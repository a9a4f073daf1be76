// SPDX-License-Identifier: MIT
// Divides the daemon's descriptors among the users of a mount.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace zctrace::fuse {

// Each file that a user keeps open, or only in use, costs the daemon descriptors. While a quarter
// of them is free, any user may have more. From then on a user may only hold fewer than are free,
// so that each newcomer finds some. A user's share is what this lets it hold beside the other
// users. Root is not limited. Any thread may call.
class DescriptorShares {
 public:
  enum class Room { enough, little, excess, none };
  struct Holder {
    uid_t user;
    std::size_t more;  // than the user that was asked about
  };

  explicit DescriptorShares(std::size_t all) : all_(all) {}

  // `little`: the user holds three quarters of its share. `excess`: it holds its share, but not a
  // sixteenth more.
  Room room_for(uid_t user) const;
  bool may_take(uid_t user) const { return room_for(user) <= Room::little; }
  // How many descriptors the user holds beyond half of its share.
  std::size_t beyond_half(uid_t user) const;
  // How many descriptors all users together hold beyond half of all.
  std::size_t beyond_half_of_all() const;
  // The users that hold more than `user`, the one that holds most first.
  std::vector<Holder> larger_than(uid_t user) const;

 private:
  friend class DescriptorHolding;
  void take(uid_t user);
  void give_back(uid_t user);
  std::size_t held_by(uid_t user) const;
  std::size_t share_beside(std::size_t others) const;

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
