// SPDX-License-Identifier: MIT
// Methods on file systems that the test makes first: a full one, and two that can clone.
// Each is mounted in a mount namespace of its own, which ends with its process.
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "collector/os/child.h"
#include "collector/os/exit_status.h"
#include "transfers/run.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

constexpr std::uint64_t kSourceBytes = 700 * 1024;

// A directory for a mount point, removed at the end.
class EmptyDirectory {
 public:
  EmptyDirectory() { EXPECT_NE(::mkdtemp(path_), nullptr); }
  ~EmptyDirectory() { ::rmdir(path_); }
  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/zctrace-mount-XXXXXX";
};

bool enter_private_mount_namespace() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

struct Outcome {
  bool mounted;
  bool reached;
  Failure error;
  std::uint64_t bytes;
  bool checksum_ok;
};

class FullDisk : public testing::TestWithParam<const Method*> {};

TEST_P(FullDisk, IsAnErrorValue) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a tmpfs takes root";
  const Method& method = *GetParam();
  const EmptyDirectory mount_point;
  SharedRecord<Outcome> found;
  Child child(dependent_child({}), [&] {
    if (!enter_private_mount_namespace()) return;
    if (::mount("tmpfs", mount_point.path(), "tmpfs", 0, "size=1M") != 0) return;
    found->mounted = true;
    const Source source = Source::make(mount_point.path(), kSourceBytes);
    const Descriptor in = source.open();
    const Sink sink = make_sink({SinkKind::file}, source);
    const Sink second = make_sink({SinkKind::file}, source);
    const Transfer job = {.in_fd = in.get(),
                          .out_fd = sink.out.get(),
                          .second_out_fd = second.out.get(),
                          .length = kSourceBytes,
                          .buffer_bytes = 64 * 1024};
    Workspace workspace;
    found->error = prepare(method, job, workspace);
    if (!found->error) {
      const Moved moved = method.move(job, workspace);
      found->error = moved.error;
      found->bytes = moved.bytes;
    }
    found->reached = true;
  });
  EXPECT_EQ(ending_text(child.wait()), "");
  if (!found->mounted) GTEST_SKIP() << "no private tmpfs mount is allowed here";
  ASSERT_TRUE(found->reached);
  if (std::strcmp(found->error.operation, "io_uring_setup") == 0) GTEST_SKIP() << "no io_uring";
  const int expected = method.name == "reflink" ? EOPNOTSUPP : ENOSPC;
  EXPECT_EQ(found->error.number, expected) << error_text(found->error);
  EXPECT_LT(found->bytes, kSourceBytes);
}

std::vector<const Method*> file_methods() {
  std::vector<const Method*> methods;
  for (const Method* method : all_methods()) {
    if (contains(method->needs.sinks, SinkKind::file)) methods.push_back(method);
  }
  return methods;
}
INSTANTIATE_TEST_SUITE_P(EveryFileMethod, FullDisk, testing::ValuesIn(file_methods()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST(FullDiskOfTheSource, IsAClearError) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a tmpfs takes root";
  const EmptyDirectory mount_point;
  SharedRecord<Outcome> found;
  Child child(dependent_child({}), [&] {
    if (!enter_private_mount_namespace()) return;
    if (::mount("tmpfs", mount_point.path(), "tmpfs", 0, "size=1M") != 0) return;
    found->mounted = true;
    try {
      Source::make(mount_point.path(), 8 << 20);
    } catch (const SetupError& error) {
      found->error.number = error.code().value();
      found->reached = std::strstr(error.what(), mount_point.path()) != nullptr;
    }
  });
  EXPECT_EQ(ending_text(child.wait()), "");
  if (!found->mounted) GTEST_SKIP() << "no private tmpfs mount is allowed here";
  EXPECT_EQ(found->error.number, ENOSPC);
  EXPECT_TRUE(found->reached);
}

class CloningFileSystem : public testing::TestWithParam<const char*> {};

TEST_P(CloningFileSystem, SharesExtentsByReflink) {
  const std::string type = GetParam();
  if (::geteuid() != 0) GTEST_SKIP() << "mounting an image takes root";
  if (::system(("command -v mkfs." + type + " >/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "mkfs." << type << " is not installed";
  }
  const EmptyDirectory mount_point;
  SharedRecord<Outcome> found;
  Child child(dependent_child({}), [&] {
    if (!enter_private_mount_namespace()) return;
    // The image is removed while it is mounted; the loop device frees itself at the end.
    const std::string image = std::string(mount_point.path()) + ".img";
    const std::string make = "{ truncate -s 320M " + image + " && mkfs." + type + " -q " + image +
                             " && mount -o loop " + image + " " + mount_point.path() +
                             "; } >/dev/null 2>&1; result=$?; rm -f " + image + "; exit $result";
    if (::system(make.c_str()) != 0) return;
    found->mounted = true;
    const Source source = Source::make(mount_point.path(), kSourceBytes + 3);
    const TransferResult outcome =
        run_once(*find_method("reflink"), kWholeSource, source, {SinkKind::file}, {.verify = true});
    found->error.number = outcome.error ? outcome.error->number : 0;
    found->bytes = outcome.moved_bytes;
    found->checksum_ok = outcome.checksum_ok.value_or(false);
    found->reached = true;
  });
  EXPECT_EQ(ending_text(child.wait()), "");
  if (!found->mounted) GTEST_SKIP() << "cannot mount an image of " << type << " here";
  ASSERT_TRUE(found->reached);
  EXPECT_EQ(found->error.number, 0);
  EXPECT_EQ(found->bytes, kSourceBytes + 3);
  EXPECT_TRUE(found->checksum_ok);
}

INSTANTIATE_TEST_SUITE_P(Loop, CloningFileSystem, testing::Values("xfs", "btrfs"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace zctrace::transfers
