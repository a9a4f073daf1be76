// SPDX-License-Identifier: MIT
// Native AIO: its requests count when they complete, however the program learns of it.
#include "aio.h"
#include "observed.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <vector>

namespace zctrace::testing {
namespace {

constexpr std::size_t kChunk = 4096;

class Aio : public InBothModes {
 protected:
  void SetUp() override {
    aio_context_t context = 0;
    if (::syscall(SYS_io_setup, 1, &context) != 0) GTEST_SKIP() << "no native AIO here";
    ::syscall(SYS_io_destroy, context);
  }
};

ZC_IN_BOTH_MODES(Aio);

int file_of(std::size_t bytes, int flags = 0) {
  const int file = ::open("/var/tmp", O_TMPFILE | O_RDWR, 0600);
  const std::vector<char> contents(bytes, 'x');
  EXPECT_EQ(::write(file, contents.data(), bytes), static_cast<ssize_t>(bytes));
  if (flags != 0) {
    EXPECT_EQ(::fcntl(file, F_SETFL, flags), 0);
  }
  return file;
}

void expect_copied(const Observation& seen, std::uint64_t calls, std::uint64_t bytes) {
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read", Kind::file, Kind::user).calls, calls);
  EXPECT_EQ(seen.row("aio:read", Kind::file, Kind::user).bytes, bytes);
  EXPECT_EQ(seen.row("aio:write", Kind::user, Kind::file).calls, calls);
  EXPECT_EQ(seen.row("aio:write", Kind::user, Kind::file).bytes, bytes);
  EXPECT_EQ(seen.child().copied_bytes(), 2 * bytes);
  EXPECT_EQ(seen.child().cpu_copied_bytes() + seen.child().uncopied_bytes(), 2 * bytes);
  EXPECT_EQ(seen.child().delivered_bytes(), bytes);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
}

TEST_P(Aio, ReadsAndWritesCountWithTheirBytes) {
  ZC_NEEDS_PROBES();
  const int in = file_of(31 * 1009);
  const int out = file_of(0);
  const Observation seen = observe(
      [&] {
        std::array<char, 1009> buffer{};
        Context context;
        for (std::size_t i = 0; i < 31; i++)
          if (context.complete(request(IOCB_CMD_PREAD, in, buffer.data(), 1009, i * 1009)) !=
                  1009 ||
              context.complete(request(IOCB_CMD_PWRITE, out, buffer.data(), 1009, i * 1009)) !=
                  1009)
            return 1;
        return 0;
      },
      probes());
  expect_copied(seen, 31, 31 * 1009);
  EXPECT_EQ(seen.row("io_submit").calls, 62u);
  EXPECT_EQ(seen.row("io_submit").bytes, 0u);
  EXPECT_EQ(seen.row("io_getevents").calls, 62u);
  for (const Row& row : seen.child().rows)
    EXPECT_EQ(row.asynchronous, row.syscall.starts_with("aio:")) << row.syscall;
  ::close(in);
  ::close(out);
}

TEST_P(Aio, VectoredOnesCountTheSame) {
  ZC_NEEDS_PROBES();
  const int in = file_of(1009);
  const int out = file_of(0);
  const Observation seen = observe(
      [&] {
        std::array<char, 1009> buffer{};
        iovec parts[] = {{buffer.data(), 9}, {buffer.data() + 9, 1000}};
        Context context;
        for (int i = 0; i < 7; i++)
          if (context.complete(request(IOCB_CMD_PREADV, in, parts, 2)) != 1009 ||
              context.complete(request(IOCB_CMD_PWRITEV, out, parts, 2)) != 1009)
            return 1;
        return 0;
      },
      probes());
  expect_copied(seen, 7, 7 * 1009);
  ::close(in);
  ::close(out);
}

// Many of a submission, more than the ring of the context holds; direct ones complete later.
TEST_P(Aio, ManyInFlightAtOnceAllCount) {
  ZC_NEEDS_PROBES();
  for (const int flags : {0, O_DIRECT}) {
    const int in = file_of(64 * kChunk, flags);
    const int out = file_of(64 * kChunk, flags);
    const Observation seen = observe(
        [&] {
          void* memory = nullptr;
          std::array<iocb, 128> requests{};
          std::array<iocb*, 128> list{};
          std::array<io_event, 128> events{};
          if (::posix_memalign(&memory, kChunk, kChunk) != 0) return 1;
          Context context(128);
          for (std::size_t i = 0; i < 128; i++) {
            const bool read = i % 2 == 0;
            requests[i] = request(read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE, read ? in : out, memory,
                                  kChunk, i / 2 * kChunk);
            list[i] = &requests[i];
          }
          for (int round = 0; round < 50; round++) {
            if (::syscall(SYS_io_submit, context.id(), 128, list.data()) != 128) return 2;
            if (::syscall(SYS_io_getevents, context.id(), 128, 128, events.data(), nullptr) != 128)
              return 3;
            for (const io_event& event : events)
              if (event.res != static_cast<__s64>(kChunk)) return 4;
          }
          return ::syscall(SYS_io_destroy, context.id()) == 0 ? 0 : 5;
        },
        probes());
    expect_copied(seen, 50 * 64, 50 * 64 * kChunk);
    ::close(in);
    ::close(out);
  }
}

TEST_P(Aio, WhatTheProgramReapsFromTheRingItselfCounts) {
  ZC_NEEDS_PROBES();
  const int in = file_of(kChunk, O_DIRECT);
  const int out = file_of(kChunk, O_DIRECT);
  const Observation seen = observe(
      [&] {
        void* memory = nullptr;
        if (::posix_memalign(&memory, kChunk, kChunk) != 0) return 1;
        Context context(16);
        iocb read = request(IOCB_CMD_PREAD, in, memory, kChunk);
        iocb write = request(IOCB_CMD_PWRITE, out, memory, kChunk);
        for (int i = 0; i < 211; i++) {
          if (!context.submit(read) || context.reap() != static_cast<long>(kChunk)) return 2;
          if (!context.submit(write) || context.reap() != static_cast<long>(kChunk)) return 3;
        }
        // Any call on the context looks at its ring.
        io_event event{};
        return ::syscall(SYS_io_getevents, context.id(), 0, 1, &event, nullptr) == 0 ? 0 : 4;
      },
      probes());
  expect_copied(seen, 211, 211 * kChunk);
  ::close(in);
  ::close(out);
}

// Before Linux 6.16 the ring is gone when the exit of a process can be seen.
TEST_P(Aio, TheLastRequestsBeforeTheExitCountOrAreReportedAsLost) {
  ZC_NEEDS_PROBES();
  const int in = file_of(kChunk, O_DIRECT);
  const Observation seen = observe_process(
      [&] {
        void* memory = nullptr;
        if (::posix_memalign(&memory, kChunk, kChunk) != 0) return 1;
        Context context(64);
        std::array<iocb, 64> requests{};
        for (iocb& one : requests) {
          one = request(IOCB_CMD_PREAD, in, memory, kChunk);
          if (!context.submit(one)) return 2;
        }
        for (int i = 0; i < 64; i++)
          if (context.reap() != static_cast<long>(kChunk)) return 3;
        return 0;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read").calls + seen.completeness.lost_by_reason.at("aio_results"), 64u);
  EXPECT_EQ(seen.row("aio:read").bytes, seen.row("aio:read").calls * kChunk);
  ::close(in);
}

TEST_P(Aio, ResultsThatAreErrorsCountAsErrors) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        std::array<char, 100> buffer{};
        Context context;
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        for (int i = 0; i < 3; i++)
          if (context.complete(request(IOCB_CMD_PREAD, socket, buffer.data(), 100)) != -ENOTCONN)
            return 1;
        iocb closed = request(IOCB_CMD_PREAD, 999, buffer.data(), 100);
        return context.submit(closed) ? 2 : 0;  // it must be refused
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read", Kind::socket, Kind::user).calls, 3u);
  EXPECT_EQ(seen.row("aio:read").calls, 3u);
  EXPECT_EQ(seen.row("aio:read").errors, 3u);
  EXPECT_EQ(seen.row("aio:read").bytes, 0u);
}

TEST_P(Aio, RequestsWithoutBytesAreNoRows) {
  ZC_NEEDS_PROBES();
  const int file = file_of(1);
  const Observation seen = observe(
      [&] {
        char byte = 0;
        Context context;
        if (context.complete(request(IOCB_CMD_FSYNC, file, nullptr, 0)) != 0) return 1;
        return context.complete(request(IOCB_CMD_PREAD, file, &byte, 1)) == 1 ? 0 : 2;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read").calls, 1u);
  EXPECT_EQ(seen.row("aio:write").calls, 0u);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
  ::close(file);
}

// One thread submits, another waits for results, as databases do.
TEST_P(Aio, ThreadsThatShareAContextCountEachRequestOnce) {
  ZC_NEEDS_PROBES();
  constexpr int kRequests = 4001;
  const int in = file_of(kChunk, O_DIRECT);
  const Observation seen = observe(
      [&] {
        static std::atomic<int> in_flight;
        void* memory = nullptr;
        if (::posix_memalign(&memory, kChunk, kChunk) != 0) return 1;
        Context context(64);
        pthread_t reaper;
        ::pthread_create(
            &reaper, nullptr,
            [](void* shared) -> void* {
              for (int i = 0; i < kRequests; i++) {
                if (static_cast<Context*>(shared)->wait() != static_cast<long>(kChunk)) ::_exit(92);
                --in_flight;
              }
              return nullptr;
            },
            &context);
        std::array<iocb, 64> requests{};
        for (std::size_t i = 0; i < kRequests; i++) {
          while (in_flight > 32) ::sched_yield();
          ++in_flight;
          requests[i % 64] = request(IOCB_CMD_PREAD, in, memory, kChunk);
          if (!context.submit(requests[i % 64])) return 2;
        }
        ::pthread_join(reaper, nullptr);
        // A thread that looked while the other one did leaves the rest to it.
        io_event event{};
        return ::syscall(SYS_io_getevents, context.id(), 0, 1, &event, nullptr) == 0 ? 0 : 3;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read", Kind::file, Kind::user).calls, static_cast<unsigned>(kRequests));
  EXPECT_EQ(seen.row("aio:read").bytes, kRequests * kChunk);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
  ::close(in);
}

TEST_P(Aio, AContextWithoutSpaceIsReportedAsLost) {
  ZC_NEEDS_PROBES();
  ProbeOptions options = probes();
  options.room["aio_contexts"] = 1;
  const int file = file_of(100);
  const Observation seen = observe(
      [&] {
        std::array<char, 100> buffer{};
        Context first;
        Context second;
        for (int i = 0; i < 5; i++)
          for (Context* context : {&first, &second})
            if (context->complete(request(IOCB_CMD_PREAD, file, buffer.data(), 100)) != 100)
              return 1;
        return 0;
      },
      options);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read").bytes, 500u);
  EXPECT_EQ(seen.completeness.lost_by_reason.at("aio_results"), 5u);
  EXPECT_EQ(seen.completeness.lost_events(), 5u);
  ::close(file);
}

// A context that is destroyed makes space, and so does a process that ends.
TEST_P(Aio, ContextsThatAreGoneMakeSpace) {
  ZC_NEEDS_PROBES();
  ProbeOptions options = probes();
  options.room["aio_contexts"] = 1;
  const int file = file_of(100);
  const auto read_once = [&](const Context& context) {
    std::array<char, 100> buffer{};
    return const_cast<Context&>(context).complete(
               request(IOCB_CMD_PREAD, file, buffer.data(), 100)) == 100;
  };
  const Observation seen = observe(
      [&] {
        for (int i = 0; i < 3; i++) {
          const Context context;
          if (!read_once(context)) return 1;
          if (::syscall(SYS_io_destroy, context.id()) != 0) return 2;
        }
        for (int i = 0; i < 3; i++) {
          const pid_t child = ::fork();
          if (child == 0) ::_exit(read_once(Context()) ? 0 : 1);
          int status = -1;
          if (::waitpid(child, &status, 0) != child || status != 0) return 3;
        }
        return 0;
      },
      options);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("aio:read").bytes, 600u);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
  ::close(file);
}

// What completed before zctrace attached does not count, and what follows does.
TEST_P(Aio, AContextFromBeforeTheObservationCountsFromItsNextCallOn) {
  ZC_NEEDS_PROBES();
  const int file = file_of(100);
  int gate[2];
  int report[2];
  ASSERT_EQ(::pipe(gate), 0);
  ASSERT_EQ(::pipe(report), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::array<char, 100> buffer{};
    char byte = 0;
    Context context;
    const auto read = [&](int times) {
      for (int i = 0; i < times; i++)
        if (context.complete(request(IOCB_CMD_PREAD, file, buffer.data(), 100)) != 100) ::_exit(1);
    };
    read(7);
    if (::write(report[1], "r", 1) != 1 || ::read(gate[0], &byte, 1) != 1) ::_exit(2);
    io_event event{};
    ::syscall(SYS_io_getevents, context.id(), 0, 1, &event, nullptr);
    read(11);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(report[0], &byte, 1), 1);
  SessionOptions options;
  options.probes = probes();
  Session session(options);
  session.attach({child});
  ASSERT_EQ(::write(gate[1], "g", 1), 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  session.poll_until_gone(child, std::chrono::seconds(5));
  Row read;
  for (const Row& row : session.process(child).rows)
    if (row.syscall == "aio:read") read = row;
  EXPECT_EQ(read.calls, 11u);
  EXPECT_EQ(read.bytes, 1100u);
  EXPECT_EQ(session.completeness().lost_events(), 0u);
  for (const int fd : {gate[0], gate[1], report[0], report[1], file}) ::close(fd);
}

}  // namespace
}  // namespace zctrace::testing
