// SPDX-License-Identifier: MIT
// Which mounts are FUSE, and the names of opcodes.
#include "collector/fusewatch/fuse_mounts.h"

#include <gtest/gtest.h>

#include <sstream>

#include "collector/fusewatch/opcodes.h"
#include "collector/os/error.h"

namespace zctrace::fusewatch {
namespace {

TEST(FuseMounts, FindsEveryKindOfFuse) {
  std::istringstream lines(
      "36 35 0:57 / /mnt/a\\040b rw shared:1 - fuse.sshfs me@host: rw,user_id=0\n"
      "37 35 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
      "38 35 8:17 / /mnt/usb rw - fuseblk /dev/sdb1 rw\n"
      "39 35 0:60 / /mnt/host rw - virtiofs tag rw\n"
      "40 35 0:61 / /sys/fs/fuse/connections rw - fusectl fusectl rw\n"
      "41 35 0:62 / /mnt/plain rw - fuse server rw\n");
  const std::vector<FuseMount> found = fuse_mounts(read_mounts(lines));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].target, "/mnt/a b");
  EXPECT_EQ(found[0].number, 57U);
  EXPECT_EQ(found[1].number, 8U << 20 | 17U);
  EXPECT_EQ(found[2].type, "virtiofs");
  EXPECT_EQ(found[3].target, "/mnt/plain");
}

TEST(FuseMounts, DeviceNumbersGoBothWays) {
  for (const char* device : {"0:57", "8:17", "0:1048575", "4095:0"})
    EXPECT_EQ(device_text(device_number(device).value()), device);
  for (const char* wrong : {"", "1", "1:", ":1", "a:b", "1:2:3", "-1:2"})
    EXPECT_FALSE(device_number(wrong)) << wrong;
}

TEST(FuseMounts, SaysWhatAPathIsOnInsteadOfFuse) {
  try {
    fuse_mount_of("/proc");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("it is on proc, neither FUSE nor virtiofs; "),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(fuse_mount_of("/no/such/file"), Error);
}

TEST(Opcodes, HaveTheKernelsNames) {
  EXPECT_EQ(opcode_name(15), "read");
  EXPECT_EQ(opcode_name(53), "copy_file_range_64");
  EXPECT_EQ(opcode_name(4711), "opcode 4711");
  EXPECT_TRUE(moves_bytes(16));
  EXPECT_FALSE(moves_bytes(1));
}

}  // namespace
}  // namespace zctrace::fusewatch
