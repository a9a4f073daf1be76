// SPDX-License-Identifier: MIT
#include "collector/observe/duty/slice_programs.h"

#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <utility>

#include "collector/observe/machine/bpf_loading.h"
#include "zctrace.skel.h"

namespace zctrace {
namespace {

using LinkOfProgram = std::pair<bpf_program*, bpf_link**>;

// Those that count calls, in the order in which a slice attaches them. io_uring's are always
// attached, because they note which requests are in flight.
std::array<LinkOfProgram, 5> programs_of_slices(zctrace_bpf& bpf) {
  return {{{bpf.progs.zc_sent, &bpf.links.zc_sent},
           {bpf.progs.zc_received, &bpf.links.zc_received},
           {bpf.progs.zc_skb_copied, &bpf.links.zc_skb_copied},
           {bpf.progs.zc_tcp_sends, &bpf.links.zc_tcp_sends},
           {bpf.progs.zc_sys_exit, &bpf.links.zc_sys_exit}}};
}

}  // namespace

// The results of native AIO stay in a ring of the process: those of the time between two slices
// would be counted in the next one.
void exclude_from_slices(zc_config& config) {
  for (zc_call& call : config.calls) {
    if (call.result < ZC_RESULT_AIO_SET_UP || call.result > ZC_RESULT_AIO_DESTROY) continue;
    call.from = call.to = ZC_END_NONE;
    call.result = ZC_RESULT_NONE;
  }
}

void leave_to_slices(zctrace_bpf& bpf) {
  for (const auto& [program, link] : programs_of_slices(bpf))
    bpf_program__set_autoattach(program, false);
}

void attach_for_slice(zctrace_bpf& bpf) {
  for (const auto& [program, link] : programs_of_slices(bpf)) {
    if (!bpf_program__autoload(program)) continue;
    *link = bpf_program__attach(program);
    if (*link == nullptr) throw bpf_load_error("cannot attach the BPF programs again", errno);
  }
}

void detach_after_slice(zctrace_bpf& bpf) {
  for (const auto& [program, link] : programs_of_slices(bpf)) {
    bpf_link__destroy(*link);
    *link = nullptr;
  }
}

}  // namespace zctrace
