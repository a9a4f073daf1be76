// SPDX-License-Identifier: MIT
#include "collector/observe/machine/run_times.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "collector/observe/machine/bpf_loading.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

bool measured_anyway() {
  int enabled = 0;
  return std::ifstream("/proc/sys/kernel/bpf_stats_enabled") >> enabled && enabled != 0;
}

}  // namespace

Descriptor measure_run_times() {
  Descriptor measuring(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (measuring) return measuring;
  const int error = errno;
  if (measured_anyway()) return {};
  throw Error("--cost: cannot measure the run times of BPF programs: " +
                  std::generic_category().message(error) +
                  "; it needs CAP_SYS_ADMIN: use sudo, or: sudo sysctl kernel.bpf_stats_enabled=1",
              kExitCannotRun);
}

std::vector<BpfRunTime> bpf_run_times(const bpf_object* object) {
  std::vector<BpfRunTime> found;
  for_each_loaded(object, [&found](const bpf_program* program, const bpf_prog_info& info) {
    found.push_back({bpf_program__name(program), info.run_cnt, info.run_time_ns});
  });
  return found;
}

}  // namespace zctrace
