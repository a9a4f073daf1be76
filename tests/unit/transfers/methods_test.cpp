// SPDX-License-Identifier: MIT
// Every transfer method passes one suite, on every sink where it is legal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "transfers/run.h"
#include "transfers/unnamed_file.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

constexpr std::uint64_t kPipeBytes = 64 * 1024;
constexpr std::uint64_t kLargerThanPipeBytes = 16 * kPipeBytes + 17;

struct Pair {
  const Method* method;
  std::string sink;
};
void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.method->name << "→" << pair.sink; }

std::string pair_name(const testing::TestParamInfo<Pair>& tested) {
  std::string name = std::string(tested.param.method->name) + "_to_" + tested.param.sink;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

constexpr SinkSet kPeeredSinks = kSocketSinks | sink_bit(SinkKind::pipe);

// The legal pairs, of the methods for which `wanted` holds.
std::vector<Pair> pairs(
    SinkSet sinks = kEverySink,
    const std::function<bool(const Method&)>& wanted = [](const Method&) { return true; }) {
  std::vector<Pair> all;
  for (const Method* method : all_methods()) {
    for (const char* sink : {"unix", "tcp", "file", "file:other-fs", "pipe", "pipe:1M", "null"}) {
      const SinkKind kind = parse_sink(sink)->kind;
      if (contains(method->needs.sinks & sinks, kind) && wanted(*method)) {
        all.push_back({method, sink});
      }
    }
  }
  return all;
}

// Why this machine cannot run the method; "" if it can.
std::string missing_here(const RunFailure& failure) {
  const bool no_ring = failure.text.find("io_uring_setup") != std::string::npos;
  if (no_ring) return "no io_uring: " + failure.text;
  const bool no_clone =
      failure.number == EOPNOTSUPP && failure.text.find("FICLONE") != std::string::npos;
  if (no_clone) return "/var/tmp is neither on XFS nor on btrfs: " + failure.text;
  return "";
}

class MethodOnSink : public testing::TestWithParam<Pair> {
 protected:
  MethodOnSink() {
    // A closed peer must be an error in this process too, not a signal.
    ::signal(SIGPIPE, SIG_IGN);
  }
  const Method& method() const { return *GetParam().method; }
  SinkSpec sink() const { return *parse_sink(GetParam().sink); }
  bool has_drain() const { return contains(kPeeredSinks, sink().kind); }

  // One verified run; every check that holds whatever the size.
  void expect_moved(std::uint64_t source_bytes, BufferSize buffer,
                    std::optional<std::uint64_t> asked = std::nullopt) {
    SCOPED_TRACE(std::to_string(source_bytes) + " bytes, buffer " +
                 (buffer.bytes ? std::to_string(*buffer.bytes) : "whole"));
    const Source source = Source::make(kDiskDirectory, source_bytes);
    const TransferResult outcome =
        run_once(method(), buffer, source, sink(), {.verify = true, .length = asked});
    if (outcome.error) {
      const std::string missing = missing_here(*outcome.error);
      if (!missing.empty()) GTEST_SKIP() << missing;
    }
    ASSERT_FALSE(outcome.error) << outcome.error->text;
    const std::uint64_t expected = std::min(source_bytes, asked.value_or(source_bytes));
    EXPECT_EQ(outcome.moved_bytes, expected);
    const std::uint64_t sinks = method().needs.second_sink ? 2 : 1;
    EXPECT_EQ(outcome.drained_bytes, has_drain() ? expected * sinks : 0);
    if (sink().kind != SinkKind::null && expected == source_bytes) {
      EXPECT_EQ(outcome.checksum_ok, true);
    }
    EXPECT_GE(outcome.drained_wall_ns, outcome.wall_ns);
    EXPECT_EQ(outcome.notifications > 0,
              method().name == "msg_zerocopy" || method().name == "io_uring_send_zc" ? expected > 0
                                                                                     : false);
  }
  void expect_moved_with_all_buffers(std::uint64_t source_bytes) {
    for (const BufferSize buffer :
         {BufferSize{4096}, BufferSize{kPipeBytes}, BufferSize{2 * kPipeBytes}, kWholeSource}) {
      expect_moved(source_bytes, buffer);
      if (IsSkipped() || HasFatalFailure()) return;
    }
  }

  // prepare, move and finish in this process, on descriptors that a test has broken.
  Moved move_here(
      const Descriptor& in, int out_fd, std::uint64_t length,
      const std::function<void()>& before_move = [] {}) {
    const Transfer job = {.in_fd = in.get(),
                          .out_fd = out_fd,
                          .second_out_fd = out_fd,
                          .length = length,
                          .buffer_bytes = resolve_buffer_bytes(method(), {kPipeBytes}, length)};
    Workspace workspace;
    Moved moved;
    moved.error = prepare(method(), job, workspace);
    if (moved.error) return moved;
    before_move();
    moved = method().move(job, workspace);
    if (!moved.error) moved.error = finish(method(), job, moved, workspace);
    return moved;
  }
};

TEST_P(MethodOnSink, MovesNothingFromAnEmptySource) { expect_moved_with_all_buffers(0); }
TEST_P(MethodOnSink, MovesOneByte) { expect_moved_with_all_buffers(1); }
TEST_P(MethodOnSink, MovesAnOddLength) { expect_moved_with_all_buffers(100'003); }
TEST_P(MethodOnSink, MovesMoreThanAPipeHolds) {
  expect_moved_with_all_buffers(kLargerThanPipeBytes);
}
TEST_P(MethodOnSink, MovesWholeChunksWithoutRemainder) {
  expect_moved_with_all_buffers(16 * kPipeBytes);
}
TEST_P(MethodOnSink, ASourceThatEndsEarlyIsNotAnError) { expect_moved(50'001, {8192}, 80'000); }
TEST_P(MethodOnSink, AnInvalidDescriptorIsAnErrorValue) {
  const Source source = Source::make(kDiskDirectory, 10'000);
  const Sink open_sink = make_sink(sink(), source);
  const Descriptor unreadable = reopen(source.open(), O_WRONLY);
  EXPECT_EQ(move_here(Descriptor(), open_sink.out.get(), 10'000).error.number, EBADF);
  EXPECT_TRUE(move_here(source.open(), -1, 10'000).error);
  EXPECT_TRUE(move_here(unreadable, open_sink.out.get(), 10'000).error);
}

INSTANTIATE_TEST_SUITE_P(EveryPair, MethodOnSink, testing::ValuesIn(pairs()), pair_name);

class ChunkedMethod : public MethodOnSink {};

TEST_P(ChunkedMethod, MovesNoMoreThanAsked) {
  expect_moved(100'000, {8192}, 70'001);
  expect_moved(100'000, {8192}, 8192);
}

INSTANTIATE_TEST_SUITE_P(EveryPair, ChunkedMethod,
                         testing::ValuesIn(pairs(kEverySink,
                                                 [](const Method& method) {
                                                   return method.needs.takes_buffer_size;
                                                 })),
                         pair_name);

class UnalignedMethod : public MethodOnSink {};

TEST_P(UnalignedMethod, MovesWithABufferThatIsNotAMultipleOfAPage) {
  expect_moved(300'007, {1000});
  expect_moved(300'007, {kPipeBytes - 1});
}

INSTANTIATE_TEST_SUITE_P(EveryPair, UnalignedMethod,
                         testing::ValuesIn(pairs(kEverySink,
                                                 [](const Method& method) {
                                                   return method.needs.takes_buffer_size &&
                                                          method.needs.buffer_alignment == 1;
                                                 })),
                         pair_name);

class PeeredSink : public MethodOnSink {};

TEST_P(PeeredSink, AClosedPeerIsAnErrorValue) {
  const Source source = Source::make(kDiskDirectory, 64 * kPipeBytes);
  Sink open_sink = make_sink(sink(), source);
  open_sink.drain_end.reset();
  const Moved moved = move_here(source.open(), open_sink.out.get(), source.bytes());
  EXPECT_TRUE(moved.error.number == EPIPE || moved.error.number == ECONNRESET)
      << error_text(moved.error);
  EXPECT_LT(moved.bytes, source.bytes());
}

INSTANTIATE_TEST_SUITE_P(EveryPair, PeeredSink, testing::ValuesIn(pairs(kPeeredSinks)), pair_name);

// Half of the last page is truncated: the kernel reads zeroes there and reports nothing.
class MappedMethod : public MethodOnSink {};

TEST_P(MappedMethod, ATruncationWithinTheLastPageIsReported) {
  const Source source = Source::make(kDiskDirectory, 10'000);
  const Sink open_sink = make_sink(sink(), source);
  const Descriptor in = source.open();
  const Descriptor truncatable = reopen(in, O_RDWR);
  const Moved moved = move_here(in, open_sink.out.get(), 10'000,
                                [&] { ASSERT_EQ(::ftruncate(truncatable.get(), 9'000), 0); });
  EXPECT_EQ(moved.error.number, EFAULT) << error_text(moved.error);
}

TEST_P(MappedMethod, ATruncationOfWholePagesIsReported) {
  const Source source = Source::make(kDiskDirectory, 40'000);
  const Sink open_sink = make_sink(sink(), source);
  const Descriptor in = source.open();
  const Descriptor truncatable = reopen(in, O_RDWR);
  const Moved moved = move_here(in, open_sink.out.get(), 40'000,
                                [&] { ASSERT_EQ(::ftruncate(truncatable.get(), 0), 0); });
  EXPECT_EQ(moved.error.number, EFAULT) << error_text(moved.error);
}

INSTANTIATE_TEST_SUITE_P(EveryPair, MappedMethod,
                         testing::ValuesIn(pairs(kEverySink,
                                                 [](const Method& method) {
                                                   return method.needs.mapping != Provision::none;
                                                 })),
                         pair_name);

// Methods that read a file to its end see a truncated file as a shorter one.
TEST(TransferMethods, ATruncationBeforeReadingShortensTheTransfer) {
  for (const char* name : {"read_write", "sendfile", "splice", "copy_file_range"}) {
    const Source source = Source::make(kDiskDirectory, 10'000);
    const Descriptor in = source.open();
    const Descriptor out = make_unnamed_file(kDiskDirectory);
    ASSERT_EQ(::ftruncate(reopen(in, O_RDWR).get(), 3'000), 0);
    const Method& method = *find_method(name);
    const Transfer job = {
        .in_fd = in.get(), .out_fd = out.get(), .length = 10'000, .buffer_bytes = 4096};
    Workspace workspace;
    ASSERT_FALSE(prepare(method, job, workspace));
    const Moved moved = method.move(job, workspace);
    EXPECT_FALSE(moved.error) << name << ": " << error_text(moved.error);
    EXPECT_EQ(moved.bytes, 3'000U) << name;
  }
}

TEST(TransferMethods, TheTableHasEveryMethodOnce) {
  const std::vector<std::string_view> names = {"read_write",        "pread_pwrite",
                                               "readv_writev",      "mmap_write",
                                               "mmap_send",         "mmap_memcpy",
                                               "sendfile",          "splice",
                                               "vmsplice",          "tee",
                                               "copy_file_range",   "reflink",
                                               "msg_zerocopy",      "io_uring_read_write",
                                               "io_uring_splice",   "io_uring_send_zc",
                                               "direct_read_write", "async_hop"};
  ASSERT_EQ(all_methods().size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(all_methods()[i]->name, names[i]);
    EXPECT_EQ(find_method(names[i]), all_methods()[i]);
  }
  EXPECT_EQ(find_method("teleport"), nullptr);
}

std::uint64_t exact_calls(std::string_view method, std::string_view syscall, const Workload& work) {
  for (const ExpectedCalls& calls : find_method(method)->expected(work)) {
    if (calls.syscall != syscall) continue;
    EXPECT_TRUE(calls.exact()) << method << " " << syscall;
    return calls.min;
  }
  ADD_FAILURE() << method << " does not expect " << syscall;
  return 0;
}

TEST(TransferMethods, ExpectTheCallsOfTheContract) {
  const Workload even{1 << 20, 64 * 1024, 64 * 1024, SinkKind::file};
  EXPECT_EQ(exact_calls("read_write", "read", even), 17U);
  EXPECT_EQ(exact_calls("read_write", "write", even), 16U);
  EXPECT_EQ(exact_calls("mmap_write", "mmap", even), 1U);
  EXPECT_EQ(exact_calls("splice", "splice", even), 33U);
  EXPECT_EQ(exact_calls("splice", "fcntl", even), 0U);
  EXPECT_EQ(exact_calls("tee", "splice", even), 49U);
  EXPECT_EQ(exact_calls("tee", "tee", even), 16U);
  const Workload odd{(1 << 20) + 1, 128 * 1024, 128 * 1024, SinkKind::unix_stream};
  EXPECT_EQ(exact_calls("sendfile", "sendfile", odd), 9U);
  EXPECT_EQ(exact_calls("splice", "splice", odd), 19U);
  EXPECT_EQ(exact_calls("splice", "fcntl", odd), 1U);
  const Workload huge{5ULL << 30, 5ULL << 30, 0, SinkKind::null};
  EXPECT_EQ(exact_calls("sendfile", "sendfile", huge), 3U);  // MAX_RW_COUNT per call
}

}  // namespace
}  // namespace zctrace::transfers
