// SPDX-License-Identifier: MIT
// Names of containers and pods in trees of the files that each runtime leaves.
#include "collector/observe/containers/container_names.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "collector/observe/owner.h"

namespace zctrace {
namespace {

const std::string kId = "3f4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80";
const std::string kOtherId = "aa4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7fbb";
const std::string kPod = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

class NamesInATree : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) / ("names" + std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  // The kubelet's link to a log, whose target need not be there.
  void link_log(const std::string& name) const {
    std::filesystem::create_directories(root_ / "var/log/containers");
    std::filesystem::create_symlink("/nowhere", root_ / "var/log/containers" / name);
  }
  void write_docker(const std::string& text) const {
    write("var/lib/docker/containers/" + kId + "/config.v2.json", text);
  }
  void write_podman(const std::string& text) const {
    write("var/lib/containers/storage/overlay-containers/containers.json", text);
  }

  std::filesystem::path root_;
};

TEST_F(NamesInATree, OfTheKubeletAreInItsLinks) {
  link_log("nginx-0_default_web-" + kId + ".log");
  link_log("envoy-7d4_mesh_proxy-" + kOtherId + ".log");
  ContainerNames names(root_);
  EXPECT_EQ(names.of(kId, kPod), (ContainerName{"web", "nginx-0", "default"}));
  EXPECT_EQ(names.of(kOtherId, ""), (ContainerName{"proxy", "envoy-7d4", "mesh"}));
}

TEST_F(NamesInATree, OfAPodWithoutALinkAreInTheDirectoryOfItsLogs) {
  std::filesystem::create_directories(root_ / "var/log/pods" / ("default_nginx-0_" + kPod) / "web");
  ContainerNames names(root_);
  EXPECT_EQ(names.of("", kPod), (ContainerName{"", "nginx-0", "default"}));
  EXPECT_EQ(names.of(kId, kPod), (ContainerName{"", "nginx-0", "default"}));
}

TEST_F(NamesInATree, OfDockerAndPodmanAreInTheirState) {
  write_docker(R"({"ID":")" + kId + R"(","Name":"/web_1","Config":{"Env":["A=b"]}})");
  write_podman(R"([{"id":"other","names":["x"]},{"id":")" + kOtherId + R"(","names":["db","d"]}])");
  ContainerNames names(root_);
  EXPECT_EQ(names.of(kId, ""), (ContainerName{"web_1", "", ""}));
  EXPECT_EQ(names.of(kOtherId, ""), (ContainerName{"db", "", ""}));
}

TEST_F(NamesInATree, ThatAreNoNamesAreNotTaken) {
  link_log("two_parts-" + kId + ".log");
  link_log("a b_default_web-" + kId + ".log");
  write_docker("{\"Name\":\"/\\u001b[31mred\"}");
  write_podman("[1, {\"id\":\"" + kId + "\",\"names\":{}}, {\"id\":\"" + kOtherId + "\"}]");
  ContainerNames names(root_);
  EXPECT_EQ(names.of(kId, ""), ContainerName());
  EXPECT_EQ(names.of(kOtherId, ""), ContainerName());
  EXPECT_EQ(names.of("", ""), ContainerName());
}

TEST_F(NamesInATree, InFilesThatAreNoJsonOrTooLongOrNoFilesAreUnknown) {
  write_docker("{\"Name\":\"/web\"");
  EXPECT_EQ(ContainerNames(root_).of(kId, ""), ContainerName());
  write_docker(std::string(ContainerNames::kMostBytes, ' ') + "{\"Name\":\"/web\"}");
  EXPECT_EQ(ContainerNames(root_).of(kId, ""), ContainerName());
  const std::filesystem::path state = root_ / "var/lib/docker/containers" / kId / "config.v2.json";
  std::filesystem::remove(state);
  ASSERT_EQ(::mkfifo(state.c_str(), 0600), 0);
  EXPECT_EQ(ContainerNames(root_).of(kId, ""), ContainerName());
}

TEST_F(NamesInATree, ThatComeLaterAreFoundInALaterRound) {
  ContainerNames names(root_);
  EXPECT_EQ(names.of(kId, ""), ContainerName());
  write_docker("{\"Name\":\"/web\"}");
  EXPECT_EQ(names.of(kId, ""), ContainerName());  // one look a round
  names.begin_round();
  EXPECT_EQ(names.of(kId, ""), (ContainerName{"web", "", ""}));
}

TEST_F(NamesInATree, ThatNeverComeAreNotLookedForForever) {
  ContainerNames names(root_);
  for (unsigned round = 0; round <= ContainerNames::kLastLook; round++) {
    names.of(kId, "");
    names.begin_round();
  }
  write_docker("{\"Name\":\"/web\"}");
  for (unsigned round = 0; round < 3 * ContainerNames::kLastLook; round++) {
    EXPECT_EQ(names.of(kId, ""), ContainerName());
    names.begin_round();
  }
}

TEST_F(NamesInATree, OfManyContainersAreFoundInSeveralRounds) {
  write_docker("{\"Name\":\"/web\"}");
  ContainerNames names(root_);
  for (unsigned other = 0; other < ContainerNames::kMostLooks; other++)
    names.of(std::string(60, '0') + std::to_string(1000 + other), "");
  EXPECT_EQ(names.of(kId, ""), ContainerName());
  names.begin_round();
  EXPECT_EQ(names.of(kId, ""), (ContainerName{"web", "", ""}));
}

TEST_F(NamesInATree, AreThoseOfOwners) {
  write("proc/7/cgroup", "0::/kubepods/burstable/pod" + kPod + "/" + kId + "\n");
  write("proc/8/cgroup", "0::/system.slice/docker-" + kOtherId + ".scope\n");
  Process in_pod;
  in_pod.pid = 7;
  in_pod.start_ns = 7;
  Process in_docker;
  in_docker.pid = 8;
  in_docker.start_ns = 8;
  OwnerCache owners(root_);
  owners.update({in_pod, in_docker});
  EXPECT_EQ(owners.of(in_pod).container_text(), kId);
  EXPECT_EQ(owners.of(in_docker).container_text(), kOtherId);
  link_log("nginx-0_default_web-" + kId + ".log");
  owners.update({in_pod, in_docker});
  EXPECT_EQ(owners.of(in_pod).container_text(), "default/nginx-0/web");
  EXPECT_EQ(owners.of(in_pod).container_id, kId);
  EXPECT_EQ(owners.of(in_docker).container_text(), kOtherId);
}

}  // namespace
}  // namespace zctrace
