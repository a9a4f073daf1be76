// SPDX-License-Identifier: MIT
// Targets resolved in trees of files that look like /proc and /sys.
#include "collector/observe/targets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "collector/os/error.h"

namespace zctrace {
namespace {

namespace fs = std::filesystem;

class FakeRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "zctrace-targets.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    write("proc/self/mountinfo",
          "21 1 0:19 / /sys rw - sysfs sysfs rw\n"
          "30 21 0:25 / /sys/fs/cgroup/my\\040groups rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
    fs::create_directories(cgroups() / "system.slice/nginx.service");
    fs::create_directories(cgroups() / "system.slice/system-getty.slice/getty@tty1.service");
    fs::create_directories(cgroups() / "user.slice/user-1000.slice/app.slice/nginx.service");
    process(10, "nginx", "/usr/sbin/nginx");
    process(11, "worker-process", "/opt/server-with-a-very-long-name");
    process(12, "sh", "/usr/bin/dash (deleted)");
    write("proc/13/status", "Name:\tpool\nTgid:\t10\n");  // a thread's own directory
    write("proc/uptime", "1.0 2.0\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void process(int pid, const std::string& comm, const std::string& executable) {
    const std::string directory = "proc/" + std::to_string(pid);
    write(directory + "/comm", comm + "\n");
    write(directory + "/status", "Name:\t" + comm + "\nTgid:\t" + std::to_string(pid) + "\n");
    fs::create_symlink(executable, root_ / directory / "exe");
  }
  fs::path cgroups() const { return root_ / "sys/fs/cgroup/my groups"; }

  fs::path root_;
};

TEST_F(FakeRoot, NamesMatchCommOrTheExecutablesBaseName) {
  const TargetFinder finder(root_);
  EXPECT_EQ(finder.processes_named({"nginx"}), std::vector<pid_t>{10});
  EXPECT_EQ(finder.processes_named({"worker-*"}), std::vector<pid_t>{11});
  EXPECT_EQ(finder.processes_named({"server-with-a-very-long-name"}), std::vector<pid_t>{11});
  EXPECT_EQ(finder.processes_named({"server-with-a-*", "ngin?"}), (std::vector<pid_t>{10, 11}));
  // Its file was replaced by an update.
  EXPECT_EQ(finder.processes_named({"dash"}), std::vector<pid_t>{12});
  EXPECT_EQ(finder.processes_named({"sh"}), std::vector<pid_t>{12});
  EXPECT_EQ(finder.processes_named({"ngin"}), std::vector<pid_t>{});
  EXPECT_EQ(finder.processes_named({"[m-o]ginx"}), std::vector<pid_t>{10});
}

TEST_F(FakeRoot, APidMustExistAndNotBeAThread) {
  const TargetFinder finder(root_);
  EXPECT_NO_THROW(finder.require_process(10));
  EXPECT_THROW(finder.require_process(99), Error);
  try {
    finder.require_process(13);
    FAIL() << "a thread was taken for a process";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "cannot observe process 13: it is a thread of process 10; give -p 10");
  }
}

TEST_F(FakeRoot, AProcessThatDoesNotAnswerIsNotSaidToHaveEnded) {
  const fs::path status = root_ / "proc/10/status";
  fs::remove(status);
  ASSERT_EQ(::mkfifo(status.c_str(), 0600), 0);  // nothing writes to it
  const TargetFinder finder(root_);
  EXPECT_TRUE(finder.is_running(10));
  EXPECT_FALSE(finder.is_running(99));
  try {
    finder.require_process(10);
    FAIL() << "it was observed without a look at whose it is";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "cannot observe process 10: " + status.string() +
                                " does not answer; try again in ten seconds");
  }
}

TEST_F(FakeRoot, CgroupsAreNamedByMountOrByHierarchy) {
  const TargetFinder finder(root_);
  const fs::path nginx = cgroups() / "system.slice/nginx.service";
  EXPECT_TRUE(fs::equivalent(finder.cgroup_directory("/system.slice/nginx.service"), nginx));
  EXPECT_TRUE(fs::equivalent(finder.cgroup_directory("system.slice/nginx.service"), nginx));
  EXPECT_TRUE(fs::equivalent(
      finder.cgroup_directory("/sys/fs/cgroup/my groups/system.slice/nginx.service"), nginx));
  EXPECT_TRUE(fs::equivalent(finder.cgroup_directory("/"), cgroups()));
  EXPECT_THROW(finder.cgroup_directory("/system.slice/apache.service"), Error);
  EXPECT_THROW(finder.cgroup_directory("/proc/self"), Error);  // a directory that is not a cgroup
  EXPECT_THROW(finder.cgroup_directory("../../../../proc/self"), Error);  // nor from within
}

TEST_F(FakeRoot, UnitsAreFoundInTheirSlices) {
  const TargetFinder finder(root_);
  EXPECT_EQ(finder.unit_directories("nginx.service").size(), 2u);  // the system's and a user's
  EXPECT_EQ(finder.unit_directories("nginx").size(), 2u);
  EXPECT_EQ(finder.unit_directories("getty@tty1.service").size(), 1u);
  EXPECT_EQ(finder.unit_directories("system.slice").size(), 1u);
  EXPECT_THROW(finder.unit_directories("apache.service"), Error);
}

TEST_F(FakeRoot, UnitsAreFoundWhileOtherCgroupsComeAndGo) {
  std::atomic<bool> done = false;
  std::thread others([&] {
    for (std::uint64_t i = 0; !done; i++) {
      const fs::path scope = cgroups() / ("session-" + std::to_string(i) + ".scope");
      fs::create_directories(scope / "inner");
      fs::remove_all(scope);
    }
  });
  const TargetFinder finder(root_);
  int complete = 0;
  for (int i = 0; i < 2000; i++) {
    try {
      complete += finder.unit_directories("nginx").size() == 2;
    } catch (const Error&) {  // it found none
    }
  }
  done = true;
  others.join();
  EXPECT_EQ(complete, 2000);
}

TEST_F(FakeRoot, WithoutCgroup2TheMessageSaysHowToMountIt) {
  write("proc/self/mountinfo", "21 1 0:19 / /sys rw - sysfs sysfs rw\n");
  const TargetFinder finder(root_);
  try {
    finder.cgroup_directory("/system.slice");
    FAIL() << "found a cgroup without cgroup v2";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("mount -t cgroup2"), std::string::npos);
  }
}

TEST_F(FakeRoot, CgroupThatWasRemovedHasNoNumber) {
  const fs::path directory = cgroups() / "ending";
  fs::create_directory(directory);
  EXPECT_EQ(cgroup_id_if_any(directory), cgroup_id(directory));
  fs::remove(directory);
  EXPECT_EQ(cgroup_id_if_any(directory), 0u);
  EXPECT_THROW(cgroup_id(directory), Error);
}

TEST_F(FakeRoot, ProcOfAnotherNamespaceIsRefused) {
  const TargetFinder finder(root_);
  fs::remove_all(root_ / "proc/self");
  EXPECT_THROW(finder.require_own_proc(), Error);
  fs::create_symlink(std::to_string(::getpid()), root_ / "proc/self");
  EXPECT_NO_THROW(finder.require_own_proc());
  fs::remove(root_ / "proc/self");
  fs::create_symlink(std::to_string(::getpid() + 1), root_ / "proc/self");
  EXPECT_THROW(finder.require_own_proc(), Error);
}

TEST(Targets, AreEmptyAtFirst) {
  Targets targets;
  EXPECT_TRUE(targets.empty());
  targets.units = {"nginx"};
  EXPECT_FALSE(targets.empty());
}

TEST(Targets, AreDescribedInWords) {
  Targets targets;
  EXPECT_EQ(description(targets), "");
  targets.pids = {4711, 4712};
  targets.names = {"nginx"};
  targets.cgroups = {"/system.slice"};
  targets.units = {"cron.service"};
  EXPECT_EQ(description(targets),
            "process 4711, process 4712, processes named nginx, cgroup /system.slice, unit "
            "cron.service");
  targets.all = true;  // the others are among them
  EXPECT_EQ(description(targets), "every process");
}

}  // namespace
}  // namespace zctrace
