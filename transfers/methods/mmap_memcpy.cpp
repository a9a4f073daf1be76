// SPDX-License-Identifier: MIT
// Maps both files and copies in user space: the kernel moves no byte.
#include <setjmp.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// Where a load or store that got SIGBUS continues: the page was truncated away, or there
// was no space for it.
thread_local sigjmp_buf bus_error_exit;
thread_local volatile std::sig_atomic_t bus_error_expected = 0;
thread_local void* volatile bus_error_address = nullptr;

void on_bus_error(int, siginfo_t* signal, void*) {
  if (!bus_error_expected) {
    ::signal(SIGBUS, SIG_DFL);  // not our access: the instruction runs again and is fatal
    return;
  }
  bus_error_expected = 0;
  bus_error_address = signal->si_addr;
  ::siglongjmp(bus_error_exit, 1);
}

// Owns the process's SIGBUS action while a job lasts, and the mapping of the target.
struct MemcpyState : MethodState {
  struct sigaction previous {};
  Region target;

  MemcpyState() {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    // SA_NODEFER: the jump out of the handler must not leave SIGBUS blocked, and
    // restoring a mask would be a syscall inside the window.
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGBUS, &action, &previous);
  }
  ~MemcpyState() override { ::sigaction(SIGBUS, &previous, nullptr); }
};

Failure prepare(const Transfer&, Workspace& workspace) {
  workspace.state = std::make_unique<MemcpyState>();
  return {};
}

// Copies in pieces, so that `copied` says how far it got. Their size is no buffer's: it makes no
// call and no difference. There must be no object with a destructor, which siglongjmp would skip.
bool copy_mapped(std::byte* to, const std::byte* from, std::uint64_t bytes,
                 volatile std::uint64_t& copied) {
  constexpr std::uint64_t kPieceBytes = 64ULL * 1024;
  if (sigsetjmp(bus_error_exit, 0) != 0) return false;
  bus_error_expected = 1;
  while (copied < bytes) {
    const std::uint64_t chunk = std::min<std::uint64_t>(kPieceBytes, bytes - copied);
    std::memcpy(to + copied, from + copied, chunk);
    copied = copied + chunk;
  }
  bus_error_expected = 0;
  return true;
}

Failure bus_error(const Region& source) {
  const auto* const at = static_cast<std::byte*>(bus_error_address);
  const bool in_source = at >= source.begin() && at < source.begin() + source.bytes();
  return in_source ? Failure{EFAULT, "the source was truncated while it was mapped"}
                   : Failure{ENOSPC, "no space for a page of the target"};
}

Moved move(const Transfer& job, Workspace& workspace) {
  const std::uint64_t bytes = workspace.source_bytes;
  auto& state = static_cast<MemcpyState&>(*workspace.state);
  Moved moved;
  if (::ftruncate(job.out_fd, static_cast<off_t>(bytes)) != 0) {
    moved.error = last_error("ftruncate");
    return moved;
  }
  moved.error = map_source(job, workspace);
  if (moved.error || bytes == 0) return moved;
  void* const target = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, job.out_fd, 0);
  if (target == MAP_FAILED) {
    moved.error = last_error("mmap of the target");
  } else {
    state.target = Region(target, bytes);
    volatile std::uint64_t copied = 0;
    if (!copy_mapped(state.target.begin(), workspace.mapping.begin(), bytes, copied)) {
      moved.error = bus_error(workspace.mapping);
    }
    moved.bytes = copied;
    state.target.reset();
  }
  workspace.mapping.reset();
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t mappings = workload.bytes > 0 ? 2 : 0;
  return {{"ftruncate", 1, 1}, {"mmap", mappings, mappings}, {"munmap", mappings, mappings}};
}

}  // namespace

extern const Method kMmapMemcpy;
constinit const Method kMmapMemcpy = {
    .name = "mmap_memcpy",
    .summary = "memcpy between mappings of both files",
    .needs = {.sinks = kFileSinks, .takes_buffer_size = false, .mapping = Provision::in_move},
    .prepare = prepare,
    .move = move,
    .expected = expected,
    .copies_in_user_space = true,
};

}  // namespace zctrace::transfers
