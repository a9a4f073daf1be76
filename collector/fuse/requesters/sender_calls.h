// SPDX-License-Identifier: MIT
// In which system call a thread sent a read request. A BPF program notes it when the request is
// sent (Linux 6.12), which costs nothing to ask for; see bpf/fuse/senders.bpf.c.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

struct senders_bpf;

namespace zctrace::fuse {

// Owns the program. Any thread may call take().
class SenderCalls {
 public:
  // Loads and attaches the program. Null where that is not allowed or the kernel lacks the
  // tracepoint. Needs CAP_BPF and CAP_PERFMON until it returns.
  static std::shared_ptr<SenderCalls> load();

  // From now on notes the requests of this mount.
  void watch(dev_t device) noexcept;

  // The number of the call in which a thread, by its ID as requests give it, sent its latest
  // request for what begins at this offset of an open file; -1 for a page fault of user code.
  // nullopt if that is not known. A note serves one request.
  std::optional<int> take(pid_t thread, std::uint64_t handle, std::uint64_t offset) noexcept;

 private:
  struct UnloadSenders {
    void operator()(senders_bpf* bpf) const;
  };

  std::unique_ptr<senders_bpf, UnloadSenders> bpf_;
};

}  // namespace zctrace::fuse
