// SPDX-License-Identifier: MIT
// cgroup paths of every kind to units, containers and pods; whose owner a process has.
#include "collector/observe/owner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace zctrace {
namespace {

const std::string kId = "3f4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80";
const std::string kOtherId = "aa4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7fbb";
const std::string kPod = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const std::string kPodSlice = "pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice";
const std::string kStaticPod = "d4c3b2a1000102030405060708090a0b";

ProcessOwner unit(const std::string& name) { return {name, "", ""}; }
ProcessOwner container(const std::string& id, const std::string& pod = "") { return {"", id, pod}; }

struct OwnerCase {
  const char* what;
  std::string path;  // in cgroup v2
  ProcessOwner owner;
};

class OwnerOfPath : public testing::TestWithParam<OwnerCase> {};

TEST_P(OwnerOfPath, IsWhatTheRuntimeMeansByIt) {
  EXPECT_EQ(owner_of("0::" + GetParam().path + "\n"), GetParam().owner);
}

INSTANTIATE_TEST_SUITE_P(
    Paths, OwnerOfPath,
    testing::Values(
        OwnerCase{"root", "/", {}},
        OwnerCase{"service", "/system.slice/nginx.service", unit("nginx.service")},
        OwnerCase{"template", "/system.slice/system-getty.slice/getty@tty1.service",
                  unit("getty@tty1.service")},
        OwnerCase{"delegated", "/system.slice/foo.service/init.scope", unit("foo.service")},
        OwnerCase{"user_service",
                  "/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service",
                  unit("syncthing.service")},
        OwnerCase{"session", "/user.slice/user-1000.slice/session-3.scope", {}},
        OwnerCase{"run_scope", "/system.slice/run-r0123abcd.scope", {}},
        OwnerCase{"virtual_machine", "/machine.slice/machine-qemu\\x2d1\\x2ddb.scope",
                  unit("machine-qemu\\x2d1\\x2ddb.scope")},
        OwnerCase{"slice", "/user.slice/user-1000.slice", {}},
        OwnerCase{"docker_systemd", "/system.slice/docker-" + kId + ".scope", container(kId)},
        OwnerCase{"docker_cgroupfs", "/docker/" + kId, container(kId)},
        OwnerCase{
            "docker_rootless",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope",
            container(kId)},
        OwnerCase{"podman", "/machine.slice/libpod-" + kId + ".scope/container", container(kId)},
        OwnerCase{"conmon", "/machine.slice/libpod-conmon-" + kId + ".scope",
                  unit("libpod-conmon-" + kId + ".scope")},
        OwnerCase{"containerd",
                  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + kPodSlice +
                      "/cri-containerd-" + kId + ".scope",
                  container(kId, kPod)},
        OwnerCase{"crio", "/kubepods.slice/kubepods-" + kPodSlice + "/crio-" + kId + ".scope",
                  container(kId, kPod)},
        OwnerCase{"cgroupfs_driver", "/kubepods/besteffort/pod" + kPod + "/" + kId,
                  container(kId, kPod)},
        OwnerCase{"static_pod", "/kubepods/burstable/pod" + kStaticPod + "/" + kId,
                  container(kId, kStaticPod)},
        OwnerCase{"containerd_without_systemd",
                  "/system.slice/containerd.service/kubepods-besteffort-" + kPodSlice +
                      ":cri-containerd:" + kId,
                  container(kId, kPod)},
        OwnerCase{"kubelet_slice",
                  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-" + kPodSlice +
                      "/cri-containerd-" + kId + ".scope",
                  container(kId, kPod)},
        OwnerCase{"node_in_a_container",
                  "/docker/" + kOtherId + "/kubelet/kubepods/pod" + kPod + "/" + kId,
                  container(kId, kPod)},
        OwnerCase{"other_namespace",
                  "/../../kubepods-burstable-" + kPodSlice + "/cri-containerd-" + kId + ".scope",
                  container(kId, kPod)},
        OwnerCase{"pause_of_pod", "/kubepods/burstable/pod" + kPod, container("", kPod)},
        OwnerCase{"tripod", "/system.slice/tripod0f1e2d3c.service", unit("tripod0f1e2d3c.service")},
        OwnerCase{"not_hexadecimal", "/docker/" + std::string(64, 'z'), {}},
        OwnerCase{"longer_number", "/docker/a" + kId, {}}),
    [](const auto& info) { return std::string(info.param.what); });

TEST(OwnerOf, ReadsTheLinesOfBothVersions) {
  EXPECT_EQ(owner_of("4:memory:/\n1:name=systemd:/system.slice/cron.service\n0::/\n"),
            unit("cron.service"));
  EXPECT_EQ(owner_of("9:pids:/docker/" + kId + "\n0::/system.slice/containerd.service\n"),
            container(kId));
  EXPECT_EQ(owner_of(""), ProcessOwner());
  EXPECT_EQ(owner_of("nonsense\n:\n0:\n"), ProcessOwner());
}

// As the files in the tree name them.
const ProcessOwner kRedis = {"", kId, "", {"redis", "", ""}};
const ProcessOwner kEnvoy = {"", kOtherId, kPod, {"proxy", "envoy-0", "mesh"}};

class OwnersInATree : public testing::Test {
 protected:
  static Process process(std::int64_t pid, const std::string& name, std::int64_t parent = 1) {
    Process process;
    process.pid = pid;
    process.start_ns = static_cast<std::uint64_t>(pid);
    process.parent_pid = parent;
    process.name = name;
    return process;
  }
  static Process ended(Process process) {
    process.end_ns = 1;
    return process;
  }

  std::filesystem::path root_ = "tests/fixtures/containers";
};

TEST_F(OwnersInATree, AreReadFromProc) {
  ASSERT_TRUE(std::filesystem::exists(root_)) << "run from the top of the repository";
  OwnerCache owners(root_);
  const std::vector<Process> processes = {process(101, "nginx"), process(102, "redis"),
                                          process(103, "redis"), process(104, "envoy"),
                                          process(105, "envoy"), process(199, "gone")};
  owners.update(processes);
  EXPECT_EQ(owners.of(processes[0]), unit("nginx.service"));
  EXPECT_EQ(owners.of(processes[1]), kRedis);
  EXPECT_EQ(owners.of(processes[2]), kRedis);
  EXPECT_EQ(owners.of(processes[3]), kEnvoy);
  EXPECT_EQ(owners.of(processes[4]), kEnvoy);
  EXPECT_EQ(owners.of(processes[5]), ProcessOwner());
}

TEST_F(OwnersInATree, OfAProcessThatEndedIsItsParents) {
  OwnerCache owners(root_);
  const Process parent = process(101, "nginx");
  const Process child = ended(process(150, "worker", 101));
  const Process grandchild = ended(process(151, "sh", 150));
  const Process unknown_parent = ended(process(152, "sh", 104));
  owners.update({parent, child, grandchild, unknown_parent});
  EXPECT_EQ(owners.of(child), unit("nginx.service"));
  EXPECT_EQ(owners.of(grandchild), unit("nginx.service"));
  EXPECT_EQ(owners.of(unknown_parent), kEnvoy);
}

// It ends between the open and the read of its file: a directory can be opened but not read.
TEST_F(OwnersInATree, OfAProcessThatEndsWhileItIsReadIsItsParents) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / ("ends" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "proc/160/cgroup");
  std::filesystem::create_directories(root / "proc/101");
  std::filesystem::copy(root_ / "proc/101/cgroup", root / "proc/101/cgroup");
  OwnerCache owners(root);
  const Process child = process(160, "worker", 101);
  owners.update({child});
  EXPECT_EQ(owners.of(child), unit("nginx.service"));
  std::filesystem::remove_all(root);
}

TEST_F(OwnersInATree, AreReadAgainAfterAnExecAndForgottenAfterTheEnd) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "owners";
  std::filesystem::create_directories(root / "proc/7");
  const auto move = [&root](const char* path) {
    std::ofstream(root / "proc/7/cgroup") << "0::" << path << "\n";
  };
  OwnerCache owners(root);
  move("/init.scope");
  owners.update({process(7, "(sd-executor)")});
  EXPECT_EQ(owners.of(process(7, "")), ProcessOwner());
  move("/system.slice/a.service");
  owners.update({process(7, "a")});
  EXPECT_EQ(owners.of(process(7, "")), unit("a.service"));
  // A process moves so rarely that its file is not read for each report.
  move("/system.slice/b.service");
  owners.update({process(7, "a")});
  EXPECT_EQ(owners.of(process(7, "")), unit("a.service"));
  owners.update({ended(process(7, "a"))});
  EXPECT_EQ(owners.of(process(7, "")), unit("a.service"));
  owners.update({});
  EXPECT_EQ(owners.of(process(7, "")), ProcessOwner());
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace zctrace
