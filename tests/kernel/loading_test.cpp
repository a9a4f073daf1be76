// SPDX-License-Identifier: MIT
// Programs that the kernel verifies side by side, and one that it refuses.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/machine/early_maps.h"
#include "collector/observe/machine/kernel_types.h"
#include "collector/observe/machine/needed_types.h"
#include "collector/observe/machine/parallel_loading.h"
#include "zctrace.skel.h"

namespace zctrace {
namespace {

class ParallelLoading : public testing::Test {
 protected:
  ParallelLoading() {
    keep_bpf_warnings();
    allow_parallel_loading();
    open(types_.path());
    if (bpf_) has_types_ = types_.write(bpf_object__btf(bpf_->obj), KernelTypes(), true);
  }
  void open(const char* types) {
    bpf_object_open_opts how = {};
    how.sz = sizeof(how);
    how.btf_custom_path = types;
    bpf_.reset(zctrace_bpf__open_opts(&how));
  }
  void expect_real_programs() {
    ASSERT_NE(bpf_, nullptr);
    ASSERT_EQ(load(KernelTypes()), 0);
    unsigned programs = 0;
    for_each_loaded(bpf_->obj, [&programs](const bpf_program* program, const bpf_prog_info& info) {
      EXPECT_GT(info.xlated_prog_len, 10 * sizeof(bpf_insn)) << info.name;
      EXPECT_EQ(info.type, BPF_PROG_TYPE_TRACING) << info.name;
      EXPECT_TRUE(std::string(bpf_program__name(program)).starts_with(info.name));
      programs++;
    });
    EXPECT_GE(programs, 6U);
  }
  int load(const KernelTypes& targets) {
    return load_in_parallel([this] { return zctrace_bpf__load(bpf_.get()); }, bpf_->maps.rodata,
                            targets);
  }

  const NeededTypes types_;
  bool has_types_ = false;
  std::unique_ptr<zctrace_bpf, decltype(&zctrace_bpf__destroy)> bpf_{nullptr, zctrace_bpf__destroy};
};

TEST_F(ParallelLoading, GivesEachProgramItsOwnInstructions) {
  EXPECT_TRUE(has_types_);
  expect_real_programs();
}

TEST_F(ParallelLoading, DoesWithoutTheFileOfTypes) {
  ASSERT_NE(bpf_, nullptr);
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const NeededTypes types;
  const bool written = types.write(bpf_object__btf(bpf_->obj), KernelTypes(), true);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(written);
  open(nullptr);
  expect_real_programs();
}

TEST_F(ParallelLoading, NamesTheProgramThatTheKernelRefuses) {
  ASSERT_NE(bpf_, nullptr);
  // A cast to a type that is not a structure is refused.
  bpf_->rodata->config.rdonly_cast = 1;
  bpf_->rodata->config.types = {.task = 1, .file = 1, .socket = 1, .tcp = 1, .pointer = 1};
  const int error = load(KernelTypes());
  ASSERT_LT(error, 0);
  const std::string why = bpf_load_error("cannot load", -error).what();
  EXPECT_TRUE(why.starts_with("cannot load (prog 'zc_")) << why;
  EXPECT_NE(why.find("': BPF program load failed: "), std::string::npos) << why;
}

TEST_F(ParallelLoading, NamesTheTracepointThatTheKernelLacks) {
  ASSERT_NE(bpf_, nullptr);
  EXPECT_EQ(load(KernelTypes(std::string_view())), -ESRCH);
  const std::string why = bpf_load_error("cannot load", ESRCH).what();
  EXPECT_TRUE(why.starts_with("cannot load (prog 'zc_")) << why;
  EXPECT_NE(why.find("': this kernel has no tp_btf/"), std::string::npos) << why;
}

std::map<std::string, std::uint32_t> entries_of_hash_maps(const bpf_object* object) {
  std::map<std::string, std::uint32_t> found;
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    bpf_map_info info = {};
    __u32 bytes = sizeof(info);
    if (bpf_map__type(map) != BPF_MAP_TYPE_HASH || bpf_map__fd(map) < 0) continue;
    EXPECT_EQ(::bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &bytes), 0);
    EXPECT_EQ(info.type, BPF_MAP_TYPE_HASH);
    EXPECT_EQ(info.key_size, bpf_map__key_size(map));
    EXPECT_EQ(info.value_size, bpf_map__value_size(map));
    EXPECT_EQ(info.map_flags, bpf_map__map_flags(map));
    found[info.name] = info.max_entries;
  }
  return found;
}

TEST_F(ParallelLoading, TakesTheMapsThatWereCreatedEarly) {
  ASSERT_NE(bpf_, nullptr);
  ASSERT_EQ(load(KernelTypes()), 0);
  const std::map<std::string, std::uint32_t> usual = entries_of_hash_maps(bpf_->obj);
  EXPECT_GE(usual.size(), 8U);

  bpf_.reset();
  open(types_.path());
  ASSERT_NE(bpf_, nullptr);
  EarlyMaps maps(bpf_->obj);
  maps.hand_over();
  const int rows = bpf_map__fd(bpf_->maps.rows);
  EXPECT_GE(rows, 0);
  ASSERT_EQ(load(KernelTypes()), 0);
  EXPECT_EQ(bpf_map__fd(bpf_->maps.rows), rows);
  EXPECT_EQ(entries_of_hash_maps(bpf_->obj), usual);
}

TEST_F(ParallelLoading, DropsAnEarlyMapThatIsNotWantedAfterAll) {
  ASSERT_NE(bpf_, nullptr);
  EarlyMaps maps(bpf_->obj);
  bpf_map__set_autocreate(bpf_->maps.rows, false);
  maps.hand_over();
  EXPECT_LT(bpf_map__fd(bpf_->maps.rows), 0);
  EXPECT_GE(bpf_map__fd(bpf_->maps.tallies), 0);
}

TEST_F(ParallelLoading, LeavesToLibbpfWhatCannotBeCreated) {
  ASSERT_NE(bpf_, nullptr);
  ASSERT_EQ(bpf_map__set_max_entries(bpf_->maps.rows, 0xffffffff), 0);
  EarlyMaps maps(bpf_->obj);
  maps.hand_over();
  EXPECT_LT(bpf_map__fd(bpf_->maps.rows), 0);
  EXPECT_GE(bpf_map__fd(bpf_->maps.tallies), 0);
  EXPECT_EQ(load(KernelTypes()), -E2BIG);
}

}  // namespace
}  // namespace zctrace
