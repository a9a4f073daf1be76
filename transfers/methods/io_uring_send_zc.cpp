// SPDX-License-Identifier: MIT
// io_uring's zero-copy send from a mapping (Linux 6.0): a result and a notification each.
#include <sys/socket.h>

#include "transfers/methods/io_loop.h"
#include "transfers/methods/memlock.h"
#include "transfers/methods/uring.h"

namespace zctrace::transfers {
namespace {

// liburing 2.3 has no names for these (Linux 6.2).
constexpr unsigned kReportUsage = 1U << 3;
constexpr unsigned kUsageCopied = 1U << 31;

// Sends in flight, and their results and notifications.
struct Sends {
  std::uint64_t notifications_due = 0;
  Moved& moved;

  // One completion; true when it is a send's result, which goes to `result`.
  bool take(const io_uring_cqe& completion, int& result) {
    if (completion.flags & IORING_CQE_F_NOTIF) {
      ++moved.notifications;
      // The result of a notification is a flag, not bytes.
      if (static_cast<unsigned>(completion.res) & kUsageCopied) ++moved.copied_notifications;
      return false;
    }
    if (completion.flags & IORING_CQE_F_MORE) ++notifications_due;
    result = completion.res;
    return true;
  }
};

Failure prepare(const Transfer& job, Workspace& workspace) {
  raise_memlock_limit();
  return prepare_ring(job, workspace);
}

Moved move(const Transfer& job, Workspace& workspace) {
  Ring& ring = ring_of(workspace);
  const unsigned zc_flags = ring.reports_copies() ? kReportUsage : 0;
  Moved moved;
  Sends sends{0, moved};

  // One send at a time keeps the stream's order; notifications may come much later.
  const auto send_one = [&](const std::byte* from, std::uint64_t bytes) -> ssize_t {
    ::io_uring_prep_send_zc(ring.next_entry(), job.out_fd, from, bytes, MSG_NOSIGNAL | MSG_WAITALL,
                            zc_flags);
    int result = 0;
    Failure error = ring.submit_and_wait(1);
    for (bool done = false; !error && !done;) {
      io_uring_cqe completion{};
      error = ring.take(completion);
      if (!error) done = sends.take(completion, result);
    }
    if (!error && result >= 0) return result;
    errno = error ? error.number : -result;
    return -1;
  };

  while (!moved.error && moved.bytes < workspace.mapping.bytes()) {
    const std::byte* const from = workspace.mapping.begin() + moved.bytes;
    const std::uint64_t chunk =
        std::min({job.buffer_bytes, kMaxCallBytes, workspace.mapping.bytes() - moved.bytes});
    moved.error = complete(
        "io_uring send_zc", chunk, moved.bytes,
        [&](std::uint64_t done, std::uint64_t left) { return send_one(from + done, left); });
  }
  while (!moved.error && moved.notifications < sends.notifications_due) {
    io_uring_cqe completion{};
    int result = 0;
    moved.error = ring.take(completion);
    if (!moved.error) sends.take(completion, result);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t sends =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  // A wait for a result may end with an older notification and is then repeated.
  return {{"io_uring:send_zc", sends, sends}, {"io_uring_enter", sends, 3 * sends}};
}

}  // namespace

extern const Method kIoUringSendZc;
constinit const Method kIoUringSendZc = {
    .name = "io_uring_send_zc",
    .summary = "io_uring zero-copy send from a mapping (TCP)",
    .needs = {.sinks = sink_bit(SinkKind::tcp), .mapping = Provision::in_prepare},
    .prepare = prepare,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
