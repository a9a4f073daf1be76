// SPDX-License-Identifier: MIT
// Each read on one thread, each write on another, 8 KiB at a time: what asynchronous
// runtimes do to files, which no event loop can wait for (tokio::io::copy, libuv).
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

constexpr std::uint64_t kHopBytes = 8ULL * 1024;

// Owns one pool thread, which runs one call at a time. It uses POSIX semaphores, because
// they only call futex; those of libstdc++ spin with sched_yield first.
class PoolThread {
 public:
  using Call = ssize_t (*)(int fd, std::byte* buffer, std::uint64_t bytes);

  explicit PoolThread(Call call) : call_(call) {
    ::sem_init(&asked_, 0, 0);
    ::sem_init(&answered_, 0, 0);
  }
  PoolThread(const PoolThread&) = delete;
  PoolThread& operator=(const PoolThread&) = delete;
  ~PoolThread() {
    if (started_) {
      stopping_ = true;
      ::sem_post(&asked_);
      ::pthread_join(thread_, nullptr);
    }
    ::sem_destroy(&asked_);
    ::sem_destroy(&answered_);
  }

  // Returns once the thread runs, so that what it does first (rseq, robust list, signal
  // mask) is over before the window.
  Failure start() {
    const int number = ::pthread_create(&thread_, nullptr, &PoolThread::serve, this);
    if (number != 0) return {number, "pthread_create"};
    started_ = true;
    wait(answered_);
    return {};
  }

  // Runs the call there and waits for its result; errno is the caller's to read.
  ssize_t run(int fd, std::byte* buffer, std::uint64_t bytes) {
    fd_ = fd;
    buffer_ = buffer;
    bytes_ = bytes;
    ::sem_post(&asked_);
    wait(answered_);
    errno = error_number_;
    return result_;
  }

 private:
  static void wait(sem_t& semaphore) {
    while (::sem_wait(&semaphore) != 0) {  // fails with EINTR only
    }
  }
  static void* serve(void* self_pointer) {
    auto& self = *static_cast<PoolThread*>(self_pointer);
    ::sem_post(&self.answered_);
    for (;;) {
      wait(self.asked_);
      if (self.stopping_) return nullptr;
      self.result_ = self.call_(self.fd_, self.buffer_, self.bytes_);
      self.error_number_ = errno;
      ::sem_post(&self.answered_);
    }
  }

  const Call call_;
  // The semaphores order all accesses to these members: only one side runs at a time.
  sem_t asked_;
  sem_t answered_;
  pthread_t thread_{};
  bool started_ = false;
  bool stopping_ = false;
  int fd_ = -1;
  std::byte* buffer_ = nullptr;
  std::uint64_t bytes_ = 0;
  ssize_t result_ = 0;
  int error_number_ = 0;
};

struct Pool : MethodState {
  PoolThread reader{
      [](int fd, std::byte* buffer, std::uint64_t bytes) { return ::read(fd, buffer, bytes); }};
  PoolThread writer{
      [](int fd, std::byte* buffer, std::uint64_t bytes) { return ::write(fd, buffer, bytes); }};
};

Failure prepare(const Transfer&, Workspace& workspace) {
  auto pool = std::make_unique<Pool>();
  if (Failure error = pool->reader.start()) return error;
  if (Failure error = pool->writer.start()) return error;
  workspace.state = std::move(pool);
  return {};
}

Moved move(const Transfer& job, Workspace& workspace) {
  std::byte* const buffer = workspace.buffer.begin();
  auto& pool = static_cast<Pool&>(*workspace.state);
  Moved moved;
  // Reads until the end of the file, as read_write does.
  for (;;) {
    const ssize_t n =
        restarted([&] { return pool.reader.run(job.in_fd, buffer, job.buffer_bytes); });
    if (n < 0) moved.error = last_error("read on a pool thread");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error = complete("write on a pool thread", chunk, moved.bytes,
                           [&](std::uint64_t done, std::uint64_t left) {
                             return pool.writer.run(job.out_fd, buffer + done, left);
                           });
    if (moved.error) break;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks = divide_up(workload.bytes, workload.buffer_bytes);
  // A hop is two handovers. Each is one wake, one wait that sleeps, and one that finds the
  // value changed; fewer if the other side was faster. Twice that is a safe bound.
  const std::uint64_t hops = 2 * chunks + 1;
  return {
      {"read", chunks + 1, chunks + 1}, {"write", chunks, chunks}, {"futex", 0, 12 * (hops + 1)}};
}

}  // namespace

extern const Method kAsyncHop;
constinit const Method kAsyncHop = {
    .name = "async_hop",
    .summary = "read and write on two pool threads, 8 KiB a hop",
    .needs = {.fixed_buffer_bytes = kHopBytes, .buffers = 1},
    .prepare = prepare,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
