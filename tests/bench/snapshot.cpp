// SPDX-License-Identifier: MIT
// How long one reading of all counts takes: attaches to a process and its descendants, reads, and
// prints the number of tasks and each time in milliseconds.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "collector/observe/session.h"

int main(int argc, char** argv) try {
  using Clock = std::chrono::steady_clock;
  if (argc != 2) return 2;
  zctrace::Session session(zctrace::SessionOptions{});
  const auto tasks = session.attach({std::atoi(argv[1])});
  std::printf("%llu", static_cast<unsigned long long>(tasks));
  for (int i = 0; i < 20; i++) {
    const auto start = Clock::now();
    session.poll();
    std::printf(" %.2f", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::printf("\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "snapshot: %s\n", error.what());
  return 1;
}
