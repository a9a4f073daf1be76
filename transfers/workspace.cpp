// SPDX-License-Identifier: MIT
// Sets a workspace up before a move and checks it afterwards.
#include "transfers/workspace.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>

#include "transfers/methods/io_loop.h"

namespace zctrace::transfers {
namespace {

Failure find_source_bytes(const Transfer& job, Workspace& workspace) {
  struct stat status {};
  if (::fstat(job.in_fd, &status) != 0) return last_error("fstat of the source");
  workspace.source_bytes = job.length;
  if (S_ISREG(status.st_mode)) {
    workspace.source_bytes = std::min(job.length, static_cast<std::uint64_t>(status.st_size));
  }
  return {};
}

Failure allocate_buffers(const Method& method, const Transfer& job, Workspace& workspace) {
  const std::size_t bytes = method.needs.buffers * job.buffer_bytes;
  // MAP_POPULATE, so that the buffer's page faults are outside the window. An mmap of our
  // own, because malloc of a large block would call mmap inside it.
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return last_error("mmap of the buffer");
  workspace.buffer = Region(memory, bytes);
  return {};
}

Failure make_pipes(const Method& method, const Transfer& job, Workspace& workspace) {
  workspace.pipe_bytes = pipe_bytes_for(job.buffer_bytes);
  if (method.needs.pipe == Provision::in_move) return {};
  if (Failure error = open_intermediate_pipe(workspace.pipe, workspace.pipe_bytes)) return error;
  if (!method.needs.second_sink) return {};
  return open_intermediate_pipe(workspace.second_pipe, workspace.pipe_bytes);
}

}  // namespace

Failure map_source(const Transfer& job, Workspace& workspace) {
  if (workspace.source_bytes == 0) return {};  // mmap refuses a length of 0
  void* memory = ::mmap(nullptr, workspace.source_bytes, PROT_READ, MAP_SHARED, job.in_fd, 0);
  if (memory == MAP_FAILED) return last_error("mmap of the source");
  workspace.mapping = Region(memory, workspace.source_bytes);
  return {};
}

Failure prepare(const Method& method, const Transfer& job, Workspace& workspace) {
  const Needs& needs = method.needs;
  if (Failure error = find_source_bytes(job, workspace)) return error;
  if (needs.buffers > 0) {
    if (Failure error = allocate_buffers(method, job, workspace)) return error;
  }
  if (needs.pipe != Provision::none) {
    if (Failure error = make_pipes(method, job, workspace)) return error;
  }
  if (needs.mapping == Provision::in_prepare) {
    if (Failure error = map_source(job, workspace)) return error;
  }
  return method.prepare ? method.prepare(job, workspace) : Failure{};
}

Failure finish(const Method& method, const Transfer& job, const Moved& moved,
               Workspace& workspace) {
  if (moved.error || method.needs.mapping == Provision::none) return {};
  struct stat status {};
  if (::fstat(job.in_fd, &status) != 0) return last_error("fstat of the source");
  const bool truncated = S_ISREG(status.st_mode) &&
                         static_cast<std::uint64_t>(status.st_size) < workspace.source_bytes;
  return truncated ? Failure{EFAULT, "the source was truncated while it was mapped"} : Failure{};
}

std::uint64_t intermediate_pipe_bytes(const Workspace& workspace) {
  if (!workspace.pipe.reader) return 0;
  const int capacity = ::fcntl(workspace.pipe.reader.get(), F_GETPIPE_SZ);
  return capacity > 0 ? static_cast<std::uint64_t>(capacity) : 0;
}

}  // namespace zctrace::transfers
