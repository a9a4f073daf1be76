// SPDX-License-Identifier: MIT
// What is left for a user when another one takes all it can get.
#include <gtest/gtest.h>

#include <cstddef>
#include <list>
#include <map>

#include "collector/fuse/filesystem/descriptor_shares.h"

namespace zctrace::fuse {
namespace {

constexpr std::size_t kAll = 1000;

class Shares : public ::testing::Test {
 protected:
  // Returns how many there were.
  std::size_t take_all(uid_t user) {
    std::size_t count = 0;
    for (; count < 2 * kAll && shares_.may_take(user); ++count)
      held_[user].emplace_back(shares_, user);
    return count;
  }

  DescriptorShares shares_{kAll};
  std::map<uid_t, std::list<DescriptorHolding>> held_;
};

TEST_F(Shares, LeaveSomeForEachNewcomer) {
  EXPECT_EQ(take_all(1000), 750U);
  for (uid_t user = 1001; user < 1005; user++) EXPECT_GE(take_all(user), 8U) << user;
  EXPECT_FALSE(shares_.may_take(1000));
  EXPECT_TRUE(shares_.may_take(2000));
}

TEST_F(Shares, DoNotLimitRoot) {
  EXPECT_EQ(take_all(0), 2 * kAll);
  EXPECT_FALSE(shares_.may_take(1000));
}

TEST_F(Shares, AreGivenBack) {
  take_all(1000);
  take_all(1001);
  held_[1000].clear();
  EXPECT_TRUE(shares_.may_take(1000));
  EXPECT_GE(take_all(1001), 500U);
}

TEST_F(Shares, PassToAnotherUser) {
  take_all(1000);
  for (DescriptorHolding& one : held_[1000]) one.assign(shares_, 1001);
  EXPECT_TRUE(shares_.may_take(1000));
  EXPECT_FALSE(shares_.may_take(1001));
  held_.clear();
  EXPECT_EQ(take_all(1001), 750U);
}

TEST_F(Shares, AreNearlyUsedUpAtThreeQuarters) {
  const auto take = [&](uid_t user, std::size_t count) {
    while (held_[user].size() < count) held_[user].emplace_back(shares_, user);
  };
  using Room = DescriptorShares::Room;
  take(1000, 562);  // its share is 750
  EXPECT_EQ(shares_.room_for(1000), Room::enough);
  take(1000, 563);
  EXPECT_EQ(shares_.room_for(1000), Room::little);
  EXPECT_EQ(shares_.room_for(1001), Room::enough);
  EXPECT_EQ(shares_.beyond_half(1000), 188U);
  EXPECT_EQ(shares_.beyond_half_of_all(), 63U);
  take(1000, 750);
  EXPECT_EQ(shares_.room_for(1000), Room::excess);
  EXPECT_FALSE(shares_.may_take(1000));
  take(1001, 93);  // its share is 125
  EXPECT_EQ(shares_.room_for(1001), Room::enough);
  take(1001, 94);
  EXPECT_EQ(shares_.room_for(1001), Room::little);
  EXPECT_EQ(shares_.beyond_half(1001), 32U);
  take(1001, 125);
  EXPECT_EQ(shares_.room_for(1001), Room::excess);
  take(1001, 132);
  EXPECT_EQ(shares_.room_for(1001), Room::none);
  take(0, 2000);  // no share is left
  EXPECT_EQ(shares_.room_for(1001), Room::none);
  EXPECT_EQ(shares_.room_for(1002), Room::none);
  EXPECT_EQ(shares_.room_for(0), Room::enough);
  EXPECT_EQ(shares_.beyond_half(1001), 132U);
  EXPECT_EQ(shares_.beyond_half(1002), 0U);
}

TEST_F(Shares, AreComparedWithThoseOfOthers) {
  for (const auto& [user, count] : std::map<uid_t, int>{{1000, 5}, {1001, 3}, {0, 9}, {1002, 4}})
    for (int i = 0; i < count; i++) held_[user].emplace_back(shares_, user);
  const auto larger = shares_.larger_than(1002);
  ASSERT_EQ(larger.size(), 2U);
  EXPECT_EQ(larger[0].user, 0U);
  EXPECT_EQ(larger[0].more, 5U);
  EXPECT_EQ(larger[1].user, 1000U);
  EXPECT_EQ(larger[1].more, 1U);
  EXPECT_EQ(shares_.larger_than(9999).size(), 4U);
  EXPECT_TRUE(shares_.larger_than(0).empty());
}

}  // namespace
}  // namespace zctrace::fuse
