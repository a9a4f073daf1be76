// SPDX-License-Identifier: MIT
// What the files of a machine say about BTF and lockdown, in trees that look like /sys.
#include "collector/observe/preflight.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace zctrace {
namespace {

namespace fs = std::filesystem;
using State = Requirement::State;

class FakeSys : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "zctrace-preflight.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  Requirement lockdown(const std::string& modes) {
    write("sys/kernel/security/lockdown", modes + "\n");
    return lockdown_requirement(root_);
  }

  fs::path root_;
};

TEST_F(FakeSys, LockdownForConfidentialityForbidsObserving) {
  const Requirement found = lockdown("none integrity [confidentiality]");
  EXPECT_EQ(found.state, State::missing);
  EXPECT_NE(found.detail.find("confidentiality"), std::string::npos);
  EXPECT_NE(found.remedy.find("lockdown=integrity"), std::string::npos);
}

TEST_F(FakeSys, LockdownForIntegrityDoesNot) {
  const Requirement found = lockdown("none [integrity] confidentiality");
  EXPECT_EQ(found.state, State::ok);
  EXPECT_NE(found.detail.find("integrity"), std::string::npos);
  EXPECT_EQ(found.detail.find("confidentiality"), std::string::npos);
}

TEST_F(FakeSys, FuseTracepointsMayBeInAModule) {
  const auto found = [&](FuseTracepoints kernel) { return fuse_watch_requirement(root_, kernel); };
  EXPECT_EQ(found(FuseTracepoints::built_in).state, State::ok);
  EXPECT_EQ(found(FuseTracepoints::without).state, State::optional_missing);
  EXPECT_NE(found(FuseTracepoints::without).remedy.find("6.12"), std::string::npos);
  EXPECT_NE(found(FuseTracepoints::in_module).remedy.find("modprobe fuse"), std::string::npos);
  write("sys/kernel/btf/fuse", "fuse_req");
  EXPECT_NE(found(FuseTracepoints::in_module).remedy.find("6.12"), std::string::npos);
  write("sys/kernel/btf/fuse", "btf_trace_fuse_request_send btf_trace_fuse_request_end");
  EXPECT_EQ(found(FuseTracepoints::in_module).state, State::ok);
}

TEST_F(FakeSys, FuseOverIoUringIsOfferedSwitchedOffOrOn) {
  EXPECT_EQ(fuse_rings_requirement(root_).state, State::optional_missing);
  EXPECT_NE(fuse_rings_requirement(root_).remedy.find("6.14"), std::string::npos);
  write("sys/module/fuse/parameters/enable_uring", "N\n");
  EXPECT_EQ(fuse_rings_requirement(root_).state, State::optional_missing);
  EXPECT_NE(fuse_rings_requirement(root_).remedy.find("enable_uring"), std::string::npos);
  write("sys/module/fuse/parameters/enable_uring", "Y\n");
  EXPECT_EQ(fuse_rings_requirement(root_).state, State::ok);
}

TEST_F(FakeSys, NoLockdown) {
  const Requirement found = lockdown("[none] integrity confidentiality");
  EXPECT_EQ(found.state, State::ok);
  EXPECT_EQ(found.detail, "none");
}

TEST_F(FakeSys, KernelWithoutLockdownDiffersFromUnmountedSecurityfs) {
  EXPECT_EQ(lockdown_requirement(root_).state, State::unknown);
  write("sys/kernel/security/lsm", "capability");
  EXPECT_EQ(lockdown_requirement(root_).state, State::ok);
  EXPECT_EQ(lockdown_requirement(root_).detail, "none");
}

TEST_F(FakeSys, KernelConfigIsReadFromTheFirstFileThatExists) {
  EXPECT_EQ(kernel_config(root_, "6.1.0").state, State::unknown);
  write("boot/config-6.1.0", "CONFIG_BPF_SYSCALL=y\nCONFIG_BPF=y\n# CONFIG_FUSE_FS is not set\n");
  EXPECT_EQ(kernel_config(root_, "6.1.0").state, State::ok);
  EXPECT_EQ(kernel_config(root_, "6.1.0").detail,
            (root_ / "boot/config-6.1.0").string() + ": CONFIG_BPF_SYSCALL=y");
  EXPECT_EQ(kernel_config(root_, "6.2.0").state, State::unknown);
}

TEST_F(FakeSys, TlsIsKnownOnlyWhereItsModuleIsLoaded) {
  EXPECT_EQ(tls_requirement(root_).state, State::unknown);
  write("proc/sys/net/ipv4/tcp_available_ulp", "espintcp mptcp\n");
  EXPECT_EQ(tls_requirement(root_).state, State::optional_missing);
  write("proc/sys/net/ipv4/tcp_available_ulp", "mptcp tls\n");
  EXPECT_EQ(tls_requirement(root_).state, State::ok);
}

TEST(Preflight, NamesTheDevicesThatGatherThatDoNotAndThatDoNotSay) {
  using State = Requirement::State;
  const auto asked = [](std::vector<NetworkDevice> devices) {
    return scatter_gather_requirement(devices);
  };
  EXPECT_EQ(scatter_gather_requirement(std::nullopt).state, State::unknown);
  EXPECT_EQ(asked({}).state, State::unknown);
  EXPECT_EQ(asked({{"wg0", std::nullopt}}).detail, "unknown of wg0");
  const Requirement gathering = asked({{"lo", true}, {"eth0", true}, {"wg0", std::nullopt}});
  EXPECT_EQ(gathering.state, State::ok);
  EXPECT_EQ(
      gathering.detail,
      "in lo, eth0 of this network namespace: sendfile to TCP copies nothing; unknown of wg0");
  const Requirement without = asked({{"lo", true}, {"left", false}});
  EXPECT_EQ(without.state, State::optional_missing);
  EXPECT_EQ(without.detail, "not in left: there, sendfile to TCP copies every byte");
}

TEST(Preflight, SaysARemedyOnce) {
  const Preflight preflight{{{"kernel", State::ok, "6.1", ""},
                             {"CAP_BPF", State::missing, "needed to load", "use sudo"},
                             {"CAP_PERFMON", State::missing, "needed to attach", "use sudo"},
                             {"BTF", State::missing, "no such file", "boot another kernel"}}};
  EXPECT_EQ(preflight.reason(),
            "no CAP_BPF or CAP_PERFMON; BTF: no such file; use sudo; boot another kernel");
}

TEST_F(FakeSys, BtfIsFound) {
  write("sys/kernel/btf/vmlinux", "BTF");
  EXPECT_EQ(btf_requirement(root_).state, State::ok);
}

TEST_F(FakeSys, KernelWithoutBtfDiffersFromUnmountedSys) {
  EXPECT_EQ(btf_requirement(root_).state, State::missing);
  EXPECT_NE(btf_requirement(root_).remedy.find("mount -t sysfs"), std::string::npos);
  fs::create_directories(root_ / "sys/kernel");
  EXPECT_EQ(btf_requirement(root_).state, State::missing);
  EXPECT_NE(btf_requirement(root_).remedy.find("CONFIG_DEBUG_INFO_BTF"), std::string::npos);
}

}  // namespace
}  // namespace zctrace
