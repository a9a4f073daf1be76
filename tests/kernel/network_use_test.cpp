// SPDX-License-Identifier: MIT
// What TCP hands to a network device: a pair of devices between two network namespaces.
#include "transfers/network_use.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "collector/os/wakeup.h"

namespace zctrace::transfers {
namespace {

constexpr std::size_t kBytes = 1'000'003;

enum Result : int { kHolds, kMayNot, kNoDevices, kNoConnection, kRouteIsWrong, kBytesAreWrong };

sockaddr_in receiver() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(7);
  ::inet_pton(AF_INET, "10.9.9.2", &address.sin_addr);
  return address;
}

bool shell(const std::string& command) { return std::system(command.c_str()) == 0; }

// In a namespace of its own: takes all bytes of one connection.
int receive(Wakeup& entered, Wakeup& ready, Wakeup& made) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the sender may fail and end
  made.close_send_end();
  if (::unshare(CLONE_NEWNET) != 0 || !entered.send() || !made.wait() ||
      !shell("ip addr add 10.9.9.2/24 dev right && ip link set right up"))
    return kNoDevices;
  const sockaddr_in address = receiver();
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 1) != 0 || !ready.send())
    return kNoConnection;
  const Descriptor peer(::accept(listener.get(), nullptr, nullptr));
  char buffer[65536];
  while (::read(peer.get(), buffer, sizeof buffer) > 0) continue;
  return kHolds;
}

// Sends `kBytes`, and compares.
int send_by_device() {
  const sockaddr_in address = receiver();
  const Descriptor out(::socket(AF_INET, SOCK_STREAM, 0));
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return kNoConnection;
  if (leaves_by_a_device(out) != true) return kRouteIsWrong;
  const std::string content(kBytes, 'x');
  for (std::size_t sent = 0; sent < kBytes;) {
    const ssize_t n = ::write(out.get(), content.data() + sent, kBytes - sent);
    if (n <= 0) return kNoConnection;
    sent += static_cast<std::size_t>(n);
  }
  ::shutdown(out.get(), SHUT_WR);
  char end = 0;
  if (::read(out.get(), &end, 1) != 0) return kNoConnection;
  // At least: under load it may send some again.
  const auto sent = tcp_sent_bytes(out);
  return sent && *sent >= kBytes && *sent < 2 * kBytes ? kHolds : kBytesAreWrong;
}

int in_two_networks() {
  if (::unshare(CLONE_NEWNET) != 0) return kMayNot;
  Wakeup entered;
  Wakeup ready;
  Wakeup made;
  const pid_t other = ::fork();
  if (other == 0) ::_exit(receive(entered, ready, made));
  entered.close_send_end();
  ready.close_send_end();
  if (!entered.wait() ||
      !shell("ip link add left type veth peer name right netns " + std::to_string(other) +
             " && ip addr add 10.9.9.1/24 dev left && ip link set left up") ||
      !made.send() || !ready.wait())
    return kNoDevices;
  const int result = send_by_device();
  int status = 0;
  ::waitpid(other, &status, 0);
  return result != kHolds ? result : WEXITSTATUS(status);
}

TEST(NetworkUse, CountsWhatTcpHandsToADevice) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(in_two_networks());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kMayNot) GTEST_SKIP() << "may not make network namespaces";
  EXPECT_EQ(WEXITSTATUS(status), kHolds);
}

}  // namespace
}  // namespace zctrace::transfers
