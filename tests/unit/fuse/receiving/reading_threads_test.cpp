// SPDX-License-Identifier: MIT
// Threads that wait in read(2) of a pipe, and are recalled again and again.
#include "collector/fuse/receiving/reading_threads.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <vector>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {
namespace {

constexpr int kThreads = 4;
constexpr int kRecalls = 500;

thread_local int signals = 0;

struct Readers {
  Descriptor pipe;
  ExpectedWrites writes;
  ReadingThreads threads;
  std::atomic<int> inside{0};
  std::atomic<int> received{0};
  std::atomic<bool> ended{false};
  std::atomic<int> errors{0};
  std::atomic<int> late_signals{0};

  void read_one() {
    char byte = 0;
    const ssize_t n = ::read(pipe.get(), &byte, 1);
    if (n == 1)
      received++;
    else if (n == 0 || errno != EINTR)
      errors++;
  }

  void work() {
    ReadingThread& thread = threads.add_this_thread();
    while (!ended) {
      if (!thread.begin(writes)) {
        const int until_begin = signals;
        std::this_thread::yield();
        if (signals != until_begin) late_signals++;
        continue;
      }
      inside++;
      read_one();
      inside--;
      thread.end();
      const int until_end = signals;
      std::this_thread::yield();
      if (signals != until_end) late_signals++;
    }
  }
};

TEST(ReadingThreads, ARecallEndsEveryReadAndLosesNothing) {
  const int signal = SIGRTMIN + 6;
  struct sigaction count = {};
  count.sa_handler = [](int) { signals++; };
  struct sigaction before = {};
  ::sigaction(signal, &count, &before);
  Readers readers;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  readers.pipe.reset(ends[0]);
  const Descriptor writer(ends[1]);
  int recalls = 0;
  readers.writes.set_recall([&] {
    readers.threads.recall(signal);
    EXPECT_EQ(readers.inside, 0);
    recalls++;
  });
  std::vector<std::thread> workers;
  for (int i = 0; i < kThreads; ++i) workers.emplace_back([&readers] { readers.work(); });
  for (int i = 0; i < kRecalls; ++i) {
    while (readers.inside != kThreads) std::this_thread::yield();
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    {
      WriteAccess access;
      access.begin(readers.writes, O_RDWR, false);
    }
    for (std::size_t n = 0; n < ExpectedWrites::kCalm; ++n) readers.writes.received();
  }
  while (readers.received != kRecalls) std::this_thread::yield();
  readers.ended = true;
  WriteAccess last;
  last.begin(readers.writes, O_RDWR, false);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(recalls, kRecalls + 1);
  EXPECT_EQ(readers.errors, 0);
  EXPECT_EQ(readers.late_signals, 0);
  ::sigaction(signal, &before, nullptr);
}

}  // namespace
}  // namespace zctrace::fuse
