// SPDX-License-Identifier: MIT
// Finding a file in the text of /proc/PID/maps.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <string>

#include "collector/fuse/requesters/mappings.h"

namespace zctrace::fuse {
namespace {

TEST(ProcMaps, FindsAFileByDeviceAndNumberOnly) {
  const std::string maps =
      "55d0-55d1 r--p 00000000 fe:00 4711                       /usr/bin/cat\n"
      "7f00-7f01 rw-s 00001000 00:2a 12 /mnt/a file with  fe:00 99 in it\n"
      "7ffe-7fff rw-p 00000000 00:00 0                          [stack]\n";
  EXPECT_TRUE(has_mapping(maps, {makedev(0xfe, 0), 4711}));
  EXPECT_TRUE(has_mapping(maps, {makedev(0, 0x2a), 12}));
  EXPECT_FALSE(has_mapping(maps, {makedev(0xfe, 0), 99}));
  EXPECT_FALSE(has_mapping(maps, {makedev(0xfe, 0), 471}));
  EXPECT_FALSE(has_mapping("", {makedev(0xfe, 0), 471}));
}

}  // namespace
}  // namespace zctrace::fuse
