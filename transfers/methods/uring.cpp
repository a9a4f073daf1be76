// SPDX-License-Identifier: MIT
// Sets up an io_uring and waits for its completions.
#include "transfers/methods/uring.h"

namespace zctrace::transfers {
namespace {

constexpr unsigned kEntries = 64;

// liburing 2.3 has no name for it: IORING_FEAT_REG_REG_RING, since Linux 6.3.
constexpr unsigned kFeatureOfLinux63 = 1U << 13;

}  // namespace

std::unique_ptr<Ring> Ring::make(Failure& error) {
  std::unique_ptr<Ring> ring(new Ring);
  const int result = ::io_uring_queue_init(kEntries, &ring->ring_, 0);
  if (result == 0) return ring;
  error = {-result, "io_uring_setup"};
  ring->ring_.ring_fd = -1;
  return nullptr;
}

Ring::~Ring() {
  if (ring_.ring_fd >= 0) ::io_uring_queue_exit(&ring_);
}

Failure Ring::submit_and_wait(unsigned completions) {
  for (;;) {
    const int result = ::io_uring_submit_and_wait(&ring_, completions);
    if (result >= 0) return {};
    if (result != -EINTR) return {-result, "io_uring_enter"};
  }
}

Failure Ring::take(io_uring_cqe& completion) {
  io_uring_cqe* oldest = nullptr;
  int result;
  do {
    result = ::io_uring_wait_cqe(&ring_, &oldest);
  } while (result == -EINTR);
  if (result < 0) return {-result, "io_uring_enter"};
  completion = *oldest;
  ::io_uring_cqe_seen(&ring_, oldest);
  return {};
}

ssize_t Ring::run_one() {
  io_uring_cqe completion{};
  Failure error = submit_and_wait(1);
  if (!error) error = take(completion);
  const int result = error ? -error.number : completion.res;
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

// The flag came with 6.2, and older kernels refuse it. The nearest feature bit is that of 6.3.
bool Ring::reports_copies() const { return (ring_.features & kFeatureOfLinux63) != 0; }

Failure prepare_ring(const Transfer&, Workspace& workspace) {
  Failure error;
  workspace.state = Ring::make(error);
  return error;
}

}  // namespace zctrace::transfers
