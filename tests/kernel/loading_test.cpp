// SPDX-License-Identifier: MIT
// Programs that the kernel verifies side by side, and one that it refuses.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

#include "bpf/abi.h"
#include "collector/observe/machine/bpf_loading.h"
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
    bpf_object_open_opts how = {};
    how.sz = sizeof(how);
    how.btf_custom_path = types_.path();
    bpf_.reset(zctrace_bpf__open_opts(&how));
    if (bpf_) types_.write(bpf_object__btf(bpf_->obj), KernelTypes(), true);
  }
  int load(const KernelTypes& targets) {
    return load_in_parallel([this] { return zctrace_bpf__load(bpf_.get()); }, targets);
  }

  const NeededTypes types_;
  std::unique_ptr<zctrace_bpf, decltype(&zctrace_bpf__destroy)> bpf_{nullptr, zctrace_bpf__destroy};
};

TEST_F(ParallelLoading, GivesEachProgramItsOwnInstructions) {
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

TEST_F(ParallelLoading, NamesTheProgramThatTheKernelRefuses) {
  ASSERT_NE(bpf_, nullptr);
  // To cast to a type that is no structure is not allowed.
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

}  // namespace
}  // namespace zctrace
