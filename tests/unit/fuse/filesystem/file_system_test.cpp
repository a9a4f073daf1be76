// SPDX-License-Identifier: MIT
// Which names are passed on to the source.
#include <gtest/gtest.h>

#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {
namespace {

TEST(PlainNames, AreSingleComponentsOtherThanDots) {
  EXPECT_TRUE(is_plain_name("name"));
  EXPECT_TRUE(is_plain_name("..."));
  EXPECT_TRUE(is_plain_name(".hidden"));
  for (const char* name : {"", ".", "..", "a/b", "/", "../x"}) EXPECT_FALSE(is_plain_name(name));
}

}  // namespace
}  // namespace zctrace::fuse
