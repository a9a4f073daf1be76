// SPDX-License-Identifier: MIT
// Bytes through every mixture of pipes: delivered once, whichever call moved them.
#include "observed.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace zctrace::testing {
namespace {

constexpr std::size_t kChunk = 4099;
constexpr std::size_t kChunks = 13;
constexpr std::uint64_t kAll = kChunk * kChunks;

using PipeEnds = std::array<int, 2>;

PipeEnds make_pipe() {
  PipeEnds ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  // Space for each part of a page that is spliced.
  EXPECT_GT(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 0);
  return ends;
}

PipeEnds filled_pipe() {
  PipeEnds ends = make_pipe();
  const std::vector<char> bytes(kAll, 'x');
  EXPECT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return ends;
}

void close_pipe(const PipeEnds& ends) {
  ::close(ends[0]);
  ::close(ends[1]);
}

// Everything in chunks, so that a run has more than one call.
bool splice_all(int from, int to) {
  for (std::size_t i = 0; i < kChunks; i++)
    for (std::size_t left = kChunk; left > 0;) {
      const ssize_t n = ::splice(from, nullptr, to, nullptr, left, 0);
      if (n <= 0) return false;
      left -= static_cast<std::size_t>(n);
    }
  return true;
}

int source_file() {
  const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  const std::vector<char> bytes(kAll, 'x');
  EXPECT_EQ(::write(file, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::lseek(file, 0, SEEK_SET);
  return file;
}

class Pipes : public InBothModes {
 protected:
  static void expect_delivered(const Observation& seen, std::uint64_t bytes,
                               std::uint64_t kernel_only) {
    EXPECT_EQ(seen.exit_code, 0);
    EXPECT_EQ(seen.child().delivered_bytes(), bytes);
    EXPECT_EQ(seen.child().kernel_only_bytes(), kernel_only);
    EXPECT_EQ(seen.completeness.lost_events(), 0u);
  }
};

ZC_IN_BOTH_MODES(Pipes);

TEST_P(Pipes, SplicedFromOneProcessToAnotherAreDelivered) {
  ZC_NEEDS_PROBES();
  const PipeEnds in = filled_pipe();
  const PipeEnds out = make_pipe();
  expect_delivered(observe([&] { return splice_all(in[0], out[1]) ? 0 : 1; }, probes()), kAll,
                   kAll);
  close_pipe(in);
  close_pipe(out);
}

TEST_P(Pipes, TeedFromOneProcessToAnotherAreDelivered) {
  ZC_NEEDS_PROBES();
  const PipeEnds in = filled_pipe();
  const PipeEnds out = make_pipe();
  expect_delivered(observe(
                       [&] {
                         const ssize_t n = ::tee(in[0], out[1], kAll, 0);
                         return n == static_cast<ssize_t>(kAll) ? 0 : 1;
                       },
                       probes()),
                   kAll, kAll);
  close_pipe(in);
  close_pipe(out);
}

TEST_P(Pipes, ReadAndWrittenBetweenProcessesAreDeliveredButNotZeroCopy) {
  ZC_NEEDS_PROBES();
  const PipeEnds in = filled_pipe();
  const PipeEnds out = make_pipe();
  expect_delivered(observe(
                       [&] {
                         std::array<char, kChunk> buffer{};
                         iovec parts[] = {{buffer.data(), 1000}, {buffer.data(), kChunk - 1000}};
                         for (std::size_t i = 0; i < kChunks; i++)
                           if (::readv(in[0], parts, 2) != static_cast<ssize_t>(kChunk) ||
                               ::writev(out[1], parts, 2) != static_cast<ssize_t>(kChunk))
                             return 1;
                         return 0;
                       },
                       probes()),
                   kAll, 0);
  close_pipe(in);
  close_pipe(out);
}

TEST_P(Pipes, ThroughItsOwnPipeToAPipeOfOthersAreDeliveredOnce) {
  ZC_NEEDS_PROBES();
  const int file = source_file();
  const PipeEnds out = make_pipe();
  expect_delivered(observe(
                       [&] {
                         PipeEnds own{};
                         if (::pipe(own.data()) != 0) return 1;
                         for (std::size_t i = 0; i < kChunks; i++) {
                           if (::splice(file, nullptr, own[1], nullptr, kChunk, 0) !=
                                   static_cast<ssize_t>(kChunk) ||
                               ::splice(own[0], nullptr, out[1], nullptr, kChunk, 0) !=
                                   static_cast<ssize_t>(kChunk))
                             return 2;
                         }
                         return 0;
                       },
                       probes()),
                   kAll, kAll);
  ::close(file);
  close_pipe(out);
}

TEST_P(Pipes, WrittenIntoItsOwnPipeAndReadAgainAreNotDelivered) {
  ZC_NEEDS_PROBES();
  expect_delivered(
      observe(
          [] {
            std::array<char, kChunk> buffer{};
            PipeEnds own{};
            if (::pipe(own.data()) != 0) return 1;
            for (std::size_t i = 0; i < kChunks; i++)
              if (::write(own[1], buffer.data(), kChunk) != static_cast<ssize_t>(kChunk) ||
                  ::read(own[0], buffer.data(), kChunk) != static_cast<ssize_t>(kChunk))
                return 2;
            return 0;
          },
          probes()),
      0, 0);
}

TEST_P(Pipes, WrittenIntoItsOwnPipeAndSplicedOutAreDeliveredOnceAndNotZeroCopy) {
  ZC_NEEDS_PROBES();
  const PipeEnds out = make_pipe();
  expect_delivered(
      observe(
          [&] {
            std::array<char, kChunk> buffer{};
            PipeEnds own{};
            if (::pipe(own.data()) != 0) return 1;
            for (std::size_t i = 0; i < kChunks; i++)
              if (::write(own[1], buffer.data(), kChunk) != static_cast<ssize_t>(kChunk) ||
                  ::splice(own[0], nullptr, out[1], nullptr, kChunk, 0) !=
                      static_cast<ssize_t>(kChunk))
                return 2;
            return 0;
          },
          probes()),
      kAll, 0);
  close_pipe(out);
}

TEST_P(Pipes, VmsplicedOutAreCopiedAndNotDelivered) {
  ZC_NEEDS_PROBES();
  const int file = source_file();
  const Observation seen = observe(
      [&] {
        std::array<char, kChunk> buffer{};
        iovec parts[] = {{buffer.data(), 999}, {buffer.data() + 999, kChunk - 999}};
        PipeEnds own{};
        if (::pipe(own.data()) != 0) return 1;
        for (std::size_t i = 0; i < kChunks; i++) {
          if (::splice(file, nullptr, own[1], nullptr, kChunk, 0) != static_cast<ssize_t>(kChunk))
            return 2;
          if (::vmsplice(own[0], parts, 2, 0) != static_cast<ssize_t>(kChunk)) return 3;
        }
        return 0;
      },
      probes());
  expect_delivered(seen, 0, 0);
  EXPECT_EQ(seen.child().copied_bytes(), kAll);
  EXPECT_EQ(seen.row("vmsplice", Kind::pipe, Kind::user).copy, Copy::copied);
  EXPECT_EQ(seen.row("vmsplice", Kind::pipe, Kind::user).cpu_copied_bytes, kAll);
  ::close(file);
}

TEST_P(Pipes, VmsplicedIntoAPipeOfOthersAreDeliveredWithoutACopy) {
  ZC_NEEDS_PROBES();
  const PipeEnds out = make_pipe();
  const Observation seen = observe(
      [&] {
        static std::array<char, kChunk> buffer{};
        iovec part = {buffer.data(), kChunk};
        for (std::size_t i = 0; i < 5; i++)
          if (::vmsplice(out[1], &part, 1, 0) != static_cast<ssize_t>(kChunk)) return 1;
        return 0;
      },
      probes());
  expect_delivered(seen, 5 * kChunk, 5 * kChunk);
  EXPECT_EQ(seen.child().copied_bytes(), 0u);
  close_pipe(out);
}

TEST_P(Pipes, SplicedIntoDevNullAreNotDelivered) {
  ZC_NEEDS_PROBES();
  const PipeEnds in = filled_pipe();
  const Observation seen = observe(
      [&] {
        const int null = ::open("/dev/null", O_WRONLY);
        return splice_all(in[0], null) ? 0 : 1;
      },
      probes());
  expect_delivered(seen, 0, 0);
  EXPECT_EQ(seen.child().in_kernel_bytes(), 0u);
  EXPECT_EQ(seen.row("splice", Kind::pipe, Kind::device).bytes, kAll);
  close_pipe(in);
}

TEST_P(Pipes, AlternatingBetweenManyPipesLosesNothing) {
  ZC_NEEDS_PROBES();
  std::array<PipeEnds, 7> out{};
  for (PipeEnds& one : out) one = make_pipe();
  const auto body = [&] {
    std::array<char, 97> buffer{};
    for (int i = 0; i < 70; i++)
      if (::write(out[static_cast<std::size_t>(i) % out.size()][1], buffer.data(), 97) != 97)
        return 1;
    for (std::size_t i = 0; i < 3; i++)
      for (int taken = 0; taken < 10; taken++)
        if (::read(out[i][0], buffer.data(), 97) != 97) return 2;
    return 0;
  };
  expect_delivered(observe(body, probes()), 4 * 10 * 97, 0);
  for (const PipeEnds& one : out) close_pipe(one);
}

// One thread fills a pipe and another drains it: the bytes are in transit, also by thread.
TEST_P(Pipes, BetweenThreadsOfAProcessAreNotDelivered) {
  ZC_NEEDS_PROBES();
  for (const bool by_thread : {false, true}) {
    ProbeOptions options = probes();
    options.by_thread = by_thread;
    const PipeEnds out = make_pipe();
    const Observation seen = observe(
        [&] {
          static PipeEnds own;
          static int sink;
          sink = out[1];
          if (::pipe(own.data()) != 0) return 1;
          pthread_t drain;
          if (::pthread_create(
                  &drain, nullptr,
                  [](void*) -> void* { return splice_all(own[0], sink) ? nullptr : &own; },
                  nullptr) != 0)
            return 2;
          std::array<char, kChunk> buffer{};
          for (std::size_t i = 0; i < kChunks; i++)
            if (::write(own[1], buffer.data(), kChunk) != static_cast<ssize_t>(kChunk)) return 3;
          void* failed = nullptr;
          ::pthread_join(drain, &failed);
          return failed == nullptr ? 0 : 4;
        },
        options);
    ASSERT_EQ(seen.exit_code, 0);
    ASSERT_EQ(seen.processes.size(), by_thread ? 2u : 1u);
    Totals totals;
    totals.add(seen.processes);
    EXPECT_EQ(totals.delivered.bytes, kAll) << by_thread;
    EXPECT_EQ(totals.delivered.kernel_only, 0u) << by_thread;
    EXPECT_EQ(totals.delivered.zero_copy, 0u) << by_thread;
    if (by_thread) {
      EXPECT_EQ(seen.processes[0].delivered_bytes(), 0u);
    }
    close_pipe(out);
  }
}

TEST_P(Pipes, WithoutSpaceForEachAreAddedUpAndReported) {
  ZC_NEEDS_PROBES();
  ProbeOptions options = probes();
  options.room["pipes"] = 1;
  std::array<PipeEnds, 3> out{};
  for (PipeEnds& one : out) one = make_pipe();
  const Observation seen = observe(
      [&] {
        std::array<char, 97> buffer{};
        for (int i = 0; i < 30; i++)
          if (::write(out[static_cast<std::size_t>(i) % out.size()][1], buffer.data(), 97) != 97)
            return 1;
        return 0;
      },
      options);
  EXPECT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.child().delivered_bytes(), 30u * 97);
  EXPECT_GT(seen.completeness.lost_by_reason.at("pipes_full"), 0u);
  for (const PipeEnds& one : out) close_pipe(one);
}

// What a process has put into a pipe that it drains itself is on its way between two readings.
TEST_P(Pipes, OnTheirWayBetweenTwoIntervalsAreDeliveredByTheSecond) {
  ZC_NEEDS_PROBES();
  const int file = source_file();
  const PipeEnds out = make_pipe();
  const PipeEnds gate = make_pipe();
  const PipeEnds report = make_pipe();
  const pid_t child = ::fork();
  if (child == 0) {
    PipeEnds own{};
    char byte = 0;
    if (::pipe(own.data()) != 0) ::_exit(1);
    const auto move = [&](int from, int to) {
      if (::splice(from, nullptr, to, nullptr, kChunk, 0) != static_cast<ssize_t>(kChunk))
        ::_exit(2);
    };
    const auto pause = [&] {
      if (::write(report[1], "r", 1) != 1 || ::read(gate[0], &byte, 1) != 1) ::_exit(3);
    };
    pause();
    move(file, own[1]);
    move(own[0], out[1]);
    move(file, own[1]);
    pause();
    move(own[0], out[1]);
    pause();
    ::_exit(0);
  }
  const auto wait_for_pause = [&] {
    char byte = 0;
    ASSERT_EQ(::read(report[0], &byte, 1), 1);
  };
  const auto release = [&] { ASSERT_EQ(::write(gate[1], "g", 1), 1); };
  SessionOptions options;
  options.probes = probes();
  Session session(options);
  wait_for_pause();
  session.observe(child);
  release();
  wait_for_pause();
  session.poll();
  const Process first = session.process(child);
  // The byte of each report is delivered, too.
  EXPECT_EQ(first.delivered_bytes(), kChunk + 1);
  release();
  wait_for_pause();
  session.poll();
  const Process second = difference(session.process(child), first);
  EXPECT_EQ(second.delivered_bytes(), kChunk + 1);
  EXPECT_EQ(second.kernel_only_bytes(), kChunk);
  release();
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  session.poll_until_gone(child, std::chrono::seconds(5));
  EXPECT_EQ(session.process(child).delivered_bytes(), 2 * kChunk + 2);
  ::close(file);
  for (const PipeEnds& one : {out, gate, report}) close_pipe(one);
}

}  // namespace
}  // namespace zctrace::testing
