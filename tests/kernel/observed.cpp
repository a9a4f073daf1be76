// SPDX-License-Identifier: MIT
#include "observed.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/observe/preflight.h"
#include "collector/os/child.h"
#include "collector/os/error.h"
#include "collector/os/exit_status.h"

namespace zctrace::testing {

const std::string& probes_refused() {
  static const std::string reason = [] {
    try {
      require_observation();
      const Session session(SessionOptions{});
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }();
  return reason;
}

std::array<int, 2> tcp_pair() {
  std::array<int, 2> pair{};
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  pair[0] = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(pair[0], reinterpret_cast<sockaddr*>(&address), length), 0);
  pair[1] = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return pair;
}

Row Observation::row(const std::string& syscall) const {
  Row sum;
  sum.syscall = syscall;
  for (const Process& process : processes)
    for (const Row& row : process.rows) {
      if (row.syscall != syscall) continue;
      sum.calls += row.calls;
      sum.errors += row.errors;
      sum.restarts += row.restarts;
      sum.bytes += row.bytes;
      sum.wall_ns += row.wall_ns;
      sum.off_cpu_ns += row.off_cpu_ns;
      sum.voluntary_switches += row.voluntary_switches;
      sum.involuntary_switches += row.involuntary_switches;
      sum.latency += row.latency;
    }
  return sum;
}

Row Observation::row(const std::string& syscall, Kind from, Kind to) const {
  for (const Process& process : processes)
    for (const Row& row : process.rows)
      if (row.syscall == syscall && row.from == from && row.to == to) return row;
  Row none;
  none.syscall = syscall;
  return none;
}

namespace {

Observation observe_with(const Body& body, const ProbeOptions& probes,
                         const std::string& syscalls) {
  SessionOptions options;
  options.probes = probes;
  options.syscalls = syscalls;
  Session session(options);

  volatile std::uint32_t* const window = session.window();
  ChildOptions gated;
  gated.gated = true;
  Child child(gated, [&] {
    *window = 1;
    const int result = body();
    *window = 0;
    ::_exit(result);
  });
  session.observe(child.pid());
  child.release();
  const int status = child.wait();
  session.poll_until_gone(child.pid(), std::chrono::seconds(5));
  Observation observation;
  observation.processes = session.processes();
  observation.completeness = session.completeness();
  observation.untimed_ns = session.untimed_ns();
  observation.exit_code = shell_status(status);
  return observation;
}

}  // namespace

Observation observe(const Body& body, ProbeOptions probes, const std::string& syscalls) {
  probes.windowed = true;
  return observe_with(body, probes, syscalls);
}

Observation observe_process(const Body& body, const ProbeOptions& probes) {
  return observe_with(body, probes, "%all");
}

}  // namespace zctrace::testing
