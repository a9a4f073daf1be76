// How long one reading of all counts takes: attaches to a process and its descendants, polls,
// prints the median and the greatest time in milliseconds, and the number of tasks.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "collector/session.h"

int main(int argc, char** argv) try {
  using Clock = std::chrono::steady_clock;
  if (argc != 2) return 2;
  zctrace::Session session(zctrace::SessionOptions{});
  const auto tasks = session.attach({std::atoi(argv[1])});
  std::vector<double> times_ms;
  for (int i = 0; i < 20; i++) {
    const auto start = Clock::now();
    session.poll();
    times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(times_ms.begin(), times_ms.end());
  std::printf("%.2f %.2f %llu\n", times_ms[times_ms.size() / 2], times_ms.back(),
              static_cast<unsigned long long>(tasks));
} catch (const std::exception& error) {
  std::fprintf(stderr, "snapshot: %s\n", error.what());
  return 1;
}
