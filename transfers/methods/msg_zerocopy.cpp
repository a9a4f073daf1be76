// SPDX-License-Identifier: MIT
// send with MSG_ZEROCOPY from a mapping; a send is complete when its notification has arrived.
// Documentation/networking/msg_zerocopy.rst of the kernel describes the error queue.
// linux/errqueue.h uses timespec without declaring it:
// clang-format off
#include <time.h>
#include <linux/errqueue.h>
// clang-format on
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>

#include "transfers/methods/io_loop.h"
#include "transfers/methods/memlock.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// Each waiting notification is charged to net.core.optmem_max (128 KiB by default, 20 KiB before
// Linux 6.9): with more sends in flight than these, a send would fail with ENOBUFS.
constexpr std::uint64_t kMaxOutstanding = 16;

// The syscall behind poll(3): arm64 has only ppoll.
#ifdef SYS_poll
constexpr const char* kPoll = "poll";
#else
constexpr const char* kPoll = "ppoll";
#endif

Failure prepare(const Transfer& job, Workspace&) {
  raise_memlock_limit();
  const int on = 1;
  if (::setsockopt(job.out_fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0) {
    return last_error("setsockopt SO_ZEROCOPY");
  }
  return {};
}

// Takes one message from the error queue; it may stand for a range of sends. EAGAIN when
// there is none.
Failure take_notification(int socket_fd, Moved& moved) {
  alignas(cmsghdr) char control[256];
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (restarted([&] { return ::recvmsg(socket_fd, &message, MSG_ERRQUEUE); }) < 0) {
    return last_error("recvmsg MSG_ERRQUEUE");
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_IP || part->cmsg_type != IP_RECVERR) continue;
    sock_extended_err notified;
    std::memcpy(&notified, CMSG_DATA(part), sizeof notified);
    if (notified.ee_origin != SO_EE_ORIGIN_ZEROCOPY) continue;
    const std::uint64_t sends = std::uint64_t{notified.ee_data} - notified.ee_info + 1;
    moved.notifications += sends;
    if (notified.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) moved.copied_notifications += sends;
  }
  return {};
}

// Waits until at most `most` sends are without a notification.
Failure wait_for_notifications(int socket_fd, std::uint64_t sends, std::uint64_t most,
                               Moved& moved) {
  while (sends - moved.notifications > most) {
    pollfd waiting{socket_fd, 0, 0};  // POLLERR is always reported
    if (restarted([&] { return ::poll(&waiting, 1, -1); }) < 0) return last_error("poll");
    const Failure error = take_notification(socket_fd, moved);
    // Something is reported but nothing is queued: the connection itself has failed.
    if (error.number == EAGAIN) return {ECONNRESET, "waiting for notifications"};
    if (error) return error;
  }
  return {};
}

Moved move(const Transfer& job, Workspace& workspace) {
  std::uint64_t sends = 0;
  Moved moved;
  while (!moved.error && moved.bytes < workspace.mapping.bytes()) {
    const std::byte* const from = workspace.mapping.begin() + moved.bytes;
    const std::uint64_t chunk = std::min(job.buffer_bytes, workspace.mapping.bytes() - moved.bytes);
    moved.error =
        complete("sendto", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          const ssize_t n = ::send(job.out_fd, from + done, left, MSG_ZEROCOPY | MSG_NOSIGNAL);
          if (n > 0) ++sends;
          return n;
        });
    if (!moved.error) {
      moved.error = wait_for_notifications(job.out_fd, sends, kMaxOutstanding - 1, moved);
    }
  }
  // The mapping lives as long as the workspace, so after an error there is nothing to wait for.
  if (!moved.error) moved.error = wait_for_notifications(job.out_fd, sends, 0, moved);
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t sends =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  const std::uint64_t least = sends > 0;  // one notification may cover many sends
  return {{"sendto", sends, sends}, {"recvmsg", least, sends}, {kPoll, least, sends}};
}

}  // namespace

extern const Method kMsgZerocopy;
constinit const Method kMsgZerocopy = {
    .name = "msg_zerocopy",
    .summary = "send with MSG_ZEROCOPY from a mapping (TCP)",
    .needs = {.sinks = sink_bit(SinkKind::tcp), .mapping = Provision::in_prepare},
    .prepare = prepare,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
