// SPDX-License-Identifier: MIT
// The ring of the io_uring methods. Only they include it.
#pragma once

#include <liburing.h>

#include "transfers/workspace.h"

namespace zctrace::transfers {

// Owns one io_uring. When it is destroyed, only notifications may be in flight.
class Ring : public MethodState {
 public:
  // Empty if the kernel refuses one (ENOSYS, or EPERM by kernel.io_uring_disabled or seccomp);
  // `error` says why. After that it makes no syscall of its own.
  static std::unique_ptr<Ring> make(Failure& error);
  ~Ring() override;

  // A cleared entry. There is always space: the methods have at most two in flight.
  io_uring_sqe* next_entry() { return ::io_uring_get_sqe(&ring_); }

  // Submits the entries of next_entry() and waits for `completions`: one io_uring_enter.
  Failure submit_and_wait(unsigned completions);

  // The oldest completion, waiting for it if necessary.
  Failure take(io_uring_cqe& completion);

  // Submits one operation, waits for it, returns its result or -1 with errno set.
  ssize_t run_one();

  bool reports_copies() const;  // IORING_SEND_ZC_REPORT_USAGE is supported

 private:
  Ring() = default;
  io_uring ring_{};
};

Failure prepare_ring(const Transfer& job, Workspace& workspace);
inline Ring& ring_of(Workspace& workspace) { return static_cast<Ring&>(*workspace.state); }

}  // namespace zctrace::transfers
