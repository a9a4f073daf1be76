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

}  // namespace
}  // namespace zctrace::fuse
