// SPDX-License-Identifier: MIT
// Stacks of the calls that move bytes: how many there are, of which calls, and what is lost.
#include <fcntl.h>
#include <liburing.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "collector/observe/machine/kernel_types.h"
#include "collector/os/child.h"
#include "observed.h"

namespace zctrace::testing {
namespace {

constexpr std::uint64_t kEvery = 64 << 10;

struct Sampled {
  std::uint64_t moved = 0;  // as counted, without samples
  StackProfile profile;
  std::uint64_t lost = 0;
};

Sampled sample(const Body& body, ProbeOptions probes = {}) {
  SessionOptions options;
  options.probes = std::move(probes);
  if (options.probes.stack_bytes == 0) options.probes.stack_bytes = kEvery;
  Session session(options);
  ChildOptions gated;
  gated.gated = true;
  Child child(gated, [&] { ::_exit(body()); });
  session.observe(child.pid());
  child.release();
  EXPECT_EQ(child.wait(), 0);
  session.poll_until_gone(child.pid(), std::chrono::seconds(5));
  Sampled sampled;
  for (const Process& process : session.processes())
    for (const Row& row : process.rows) sampled.moved += row.bytes;
  sampled.profile = *session.stacks();
  sampled.lost = session.completeness().lost_by_reason.at("stacks");
  return sampled;
}

std::uint64_t bytes_of(const StackProfile& profile, const std::string& syscall) {
  std::uint64_t bytes = 0;
  for (const StackProfile::SampledStack& stack : profile.entries())
    if (stack.site->syscall == syscall) bytes += profile.bytes(stack.samples);
  return bytes;
}

// A CPU has one sample of each whole stretch, and of the last part of one at most one.
void expect_sum_within_bounds(const Sampled& sampled) {
  const auto sum = static_cast<double>(sampled.profile.bytes(sampled.profile.samples()));
  const auto bound = static_cast<double>(sampled.profile.every()) *
                     static_cast<double>(::sysconf(_SC_NPROCESSORS_CONF));
  EXPECT_EQ(sampled.lost, 0u);
  EXPECT_LE(std::abs(sum - static_cast<double>(sampled.moved)), bound)
      << sum << " sampled of " << sampled.moved;
}

int zeros() { return ::open("/dev/zero", O_RDONLY | O_CLOEXEC); }
int null() { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }

// Writes so often.
int write_often(std::size_t bytes, int times) {
  static char buffer[1 << 20];
  const int to = null();
  for (int i = 0; i < times; i++)
    if (::write(to, buffer, bytes) != static_cast<ssize_t>(bytes)) return 1;
  return 0;
}

TEST(Stacks, SumToWhatSmallCallsMoved) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] { return write_often(1009, 10007); });
  EXPECT_EQ(sampled.moved, 1009u * 10007u + 1);  // one byte opens the gate
  expect_sum_within_bounds(sampled);
}

TEST(Stacks, SumToWhatLargeCallsMoved) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] { return write_often(1000003, 101); });
  expect_sum_within_bounds(sampled);
}

TEST(Stacks, ThatAreOneForALittleMoreThanItMovesAreAtMostTwo) {
  ZC_NEEDS_PROBES();
  ProbeOptions probes;
  probes.stack_bytes = 1 << 20;
  const Sampled sampled = sample([] { return write_often(1000003, 1); }, probes);
  EXPECT_LE(sampled.profile.samples(), 2u);
}

// Bytes of the first of two calls that take turns, in the long run. Without chance a stretch as
// long as both together would always end in the same one.
TEST(Stacks, OfAPeriodicProgramAreOfAllOfItsParts) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] {
    static char buffer[kEvery / 2];
    const int from = zeros();
    const int to = null();
    for (int i = 0; i < 1000; i++)
      if (::read(from, buffer, sizeof(buffer)) < 0 || ::write(to, buffer, sizeof(buffer)) < 0)
        return 1;
    return 0;
  });
  expect_sum_within_bounds(sampled);
  const double share = static_cast<double>(bytes_of(sampled.profile, "write")) /
                       static_cast<double>(sampled.profile.bytes(sampled.profile.samples()));
  // Of 1,000 samples five standard deviations are 7.9 %: once in 1,700,000 runs it is farther away.
  EXPECT_NEAR(share, 0.5, 0.08);
}

TEST(Stacks, NameTheFunctionsOfTheProgram) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] { return write_often(65537, 2000); });
  ASSERT_FALSE(sampled.profile.entries().empty());
  const StackProfile::SampledStack stack = sampled.profile.entries().front();
  const auto has = [&stack](std::string_view function) {
    return std::any_of(stack.user.begin(), stack.user.end(), [function](const StackFrame* frame) {
      return frame->function.find(function) != std::string::npos;
    });
  };
  EXPECT_TRUE(has("write_often"));
  EXPECT_TRUE(has("main"));
  EXPECT_TRUE(stack.whole);
  const std::vector<std::string> innermost =
      sampled.profile.innermost(stack.site->pid, "write", stack.site->from, stack.site->to, 1);
  ASSERT_EQ(innermost.size(), 1u);
  EXPECT_NE(innermost[0].find("write_often"), std::string::npos) << innermost[0];
}

TEST(Stacks, OfRequestsOfIoUringHaveKernelFrames) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] {
    static char buffer[kEvery];
    io_uring ring{};
    if (::io_uring_queue_init(4, &ring, 0) != 0) return 1;
    const int to = null();
    for (int i = 0; i < 500; i++) {
      ::io_uring_prep_write(::io_uring_get_sqe(&ring), to, buffer, sizeof(buffer), 0);
      io_uring_cqe* done = nullptr;
      if (::io_uring_submit_and_wait(&ring, 1) < 0 || ::io_uring_wait_cqe(&ring, &done) != 0)
        return 2;
      if (done->res != static_cast<int>(sizeof(buffer))) return 3;
      ::io_uring_cqe_seen(&ring, done);
    }
    ::io_uring_queue_exit(&ring);
    return 0;
  });
  expect_sum_within_bounds(sampled);
  EXPECT_GT(bytes_of(sampled.profile, "io_uring:write"), 400 * kEvery);
  for (const StackProfile::SampledStack& stack : sampled.profile.entries()) {
    if (stack.site->syscall != "io_uring:write") continue;
    ASSERT_FALSE(stack.kernel.empty());
    EXPECT_FALSE(stack.kernel.front()->function.starts_with("bpf_"));
  }
}

bool has_kernel_function(const StackProfile& profile, const std::string& syscall,
                         std::string_view function) {
  const auto entries = profile.entries();
  return std::any_of(entries.begin(), entries.end(), [&](const StackProfile::SampledStack& stack) {
    return stack.site->syscall == syscall &&
           std::any_of(stack.kernel.begin(), stack.kernel.end(),
                       [function](const StackFrame* frame) {
                         return frame->function.find(function) != std::string::npos;
                       });
  });
}

TEST(Stacks, OfASocketThatIsReadHaveTheKernelsFunctionsWithinTheCall) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] {
    static char buffer[kEvery / 2];
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    for (int i = 0; i < 500; i++) {
      if (::send(ends[0], buffer, sizeof(buffer), 0) != static_cast<ssize_t>(sizeof(buffer)))
        return 2;
      if (::recv(ends[1], buffer, sizeof(buffer), MSG_WAITALL) !=
          static_cast<ssize_t>(sizeof(buffer)))
        return 3;
    }
    return 0;
  });
  expect_sum_within_bounds(sampled);
  EXPECT_TRUE(has_kernel_function(sampled.profile, "recvfrom", "unix_stream_read"));
  // There is no tracepoint on the way in, and what recvfrom did does not count for it.
  EXPECT_FALSE(has_kernel_function(sampled.profile, "sendto", "unix_stream"));
}

TEST(Stacks, OfCallsWhoseBytesPassNoTracepointHaveNoKernelFunctions) {
  ZC_NEEDS_PROBES();
  const Sampled sampled = sample([] { return write_often(65536, 500); });
  ASSERT_FALSE(sampled.profile.entries().empty());
  for (const StackProfile::SampledStack& stack : sampled.profile.entries())
    if (stack.site->syscall == "write") {
      EXPECT_TRUE(stack.kernel.empty());
    }
}

TEST(Stacks, OfTheFilesThatAreReadHaveTheKernelsFunctionsWithinTheCall) {
  ZC_NEEDS_PROBES();
  if (KernelTypes().tracepoint_arguments("mm_filemap_get_pages") == 0)
    GTEST_SKIP() << "this kernel has no tracepoint mm_filemap_get_pages";
  const Sampled sampled = sample([] {
    static char buffer[kEvery];
    // Not in /tmp, which may be memory, whose pages are found in another way.
    const int file = ::open("/var/tmp", O_TMPFILE | O_RDWR, 0600);
    if (::write(file, buffer, sizeof(buffer)) != static_cast<ssize_t>(sizeof(buffer))) return 1;
    for (int i = 0; i < 500; i++)
      if (::pread(file, buffer, sizeof(buffer), 0) != static_cast<ssize_t>(sizeof(buffer)))
        return 2;
    return 0;
  });
  expect_sum_within_bounds(sampled);
  EXPECT_TRUE(has_kernel_function(sampled.profile, "pread64", "filemap_read"));
}

TEST(Stacks, WithoutSpaceAreCountedAsLost) {
  ZC_NEEDS_PROBES();
  ProbeOptions probes;
  probes.stack_bytes = 4096;
  probes.room["stacks"] = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
  const Sampled sampled = sample([] { return write_often(4096, 5000); }, probes);
  EXPECT_GT(sampled.lost, 0u);
  // Each call has one sample on average, none or two.
  EXPECT_GE(sampled.lost + sampled.profile.samples(), 4000u);
}

TEST(Stacks, WithoutTheOptionThereAreNone) {
  ZC_NEEDS_PROBES();
  Session session(SessionOptions{});
  EXPECT_EQ(session.stacks(), nullptr);
  EXPECT_EQ(session.completeness().lost_by_reason.at("stacks"), 0u);
}

}  // namespace
}  // namespace zctrace::testing
