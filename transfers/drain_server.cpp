// SPDX-License-Identifier: MIT
// One connection at a time, so that a transfer does not compete with another.
#include "transfers/drain_server.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256 * 1024;

std::string peer_of(const Descriptor& connection) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST] = "?";
  char port[NI_MAXSERV] = "?";
  if (::getpeername(connection.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0)
    ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof host, port,
                  sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  return RemoteAddress{host, port}.text();
}

enum class Waited { ready, silent, stopped };

Waited wait_for(int fd, int stop_fd, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::clamp<steady_clock::duration>(until - steady_clock::now(),
                                                         milliseconds(0), std::chrono::hours(1));
    pollfd events[] = {{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
    const int ready =
        ::poll(events, 2, static_cast<int>(std::chrono::ceil<milliseconds>(left).count()));
    if (ready < 0 && errno != EINTR) throw SetupError(errno, "wait for a sender");
    if (events[1].revents != 0) return Waited::stopped;
    if (ready > 0) return Waited::ready;
    if (ready == 0 && steady_clock::now() >= until) return Waited::silent;
  }
}

class Server {
 public:
  Server(const DrainLimits& limits, int stop_fd)
      : limits_(limits), stop_fd_(stop_fd), buffer_(kReadBytes) {}

  // Reads to the end, within the limits. `last` stays as it is if nothing comes. Returns false when
  // it is to stop.
  bool receive(const Descriptor& connection, DrainAnswer& last, std::string& cut_off) {
    const auto start = steady_clock::now();
    steady_clock::time_point first;
    DrainAnswer now{last.transfers + 1, 0, 0, 0};
    uLong crc = ::crc32(0, nullptr, 0);
    bool stopped = false;
    for (;;) {
      const auto wait_until = std::min(start + limits_.time, steady_clock::now() + limits_.silence);
      const Waited waited = wait_for(connection.get(), stop_fd_, wait_until);
      stopped = waited == Waited::stopped;
      if (stopped) break;
      if (waited == Waited::silent) {
        cut_off = steady_clock::now() >= start + limits_.time ? "it took too long (--timeout)"
                                                              : "it sent nothing for too long";
        break;
      }
      const ssize_t n = ::recv(connection.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) cut_off = error_text(errno, "recv");
      if (n <= 0) break;
      const auto time = steady_clock::now();
      if (now.bytes == 0) first = time;
      now.bytes += static_cast<std::uint64_t>(n);
      now.ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(time - first).count());
      crc = ::crc32_z(crc, buffer_.data(), static_cast<std::size_t>(n));
      if (now.bytes > limits_.bytes) cut_off = "it is too large (--max-size)";
      if (cut_off.empty() && time >= start + limits_.time) cut_off = "it took too long (--timeout)";
      if (!cut_off.empty()) break;
    }
    now.crc32 = static_cast<std::uint32_t>(crc);
    if (now.bytes != 0) last = now;
    return !stopped;
  }

 private:
  const DrainLimits& limits_;
  int stop_fd_;
  std::vector<unsigned char> buffer_;
};

}  // namespace

void serve_drain(const Descriptor& listener, const DrainLimits& limits, int stop_fd,
                 const std::function<void(const EndedTransfer&)>& served) {
  Server server(limits, stop_fd);
  DrainAnswer last;
  for (;;) {
    if (wait_for(listener.get(), stop_fd, steady_clock::time_point::max()) == Waited::stopped)
      return;
    const Descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) {  // it is gone by now, or there is no descriptor or memory for it
      std::this_thread::sleep_for(milliseconds(1));
      continue;
    }
    const std::uint64_t before = last.transfers;
    EndedTransfer done{peer_of(connection), {}};
    const bool go_on = server.receive(connection, last, done.cut_off);
    if (last.transfers != before) {
      done.answer = last;
      served(done);
    }
    if (!go_on) return;
    const std::string line = answer_line(last);
    ::send(connection.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

}  // namespace zctrace::transfers
