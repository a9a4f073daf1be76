// SPDX-License-Identifier: MIT
// Copies by experiment: the table of copies in docs/methods.md, cell by cell.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ostream>
#include <string>
#include <vector>

#include "transfers/aliasing.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

struct ExpectedCopies {
  const char* method;
  const char* sink;
  double into_buffer;
  double into_sink;
};
void PrintTo(const ExpectedCopies& cell, std::ostream* out) {
  *out << cell.method << " to " << cell.sink;
}

bool refuses_io_uring(const CopiesFound& found) {
  return found.unknown.find("io_uring_setup") != std::string::npos;
}

class CopiesOf : public testing::TestWithParam<ExpectedCopies> {};

TEST_P(CopiesOf, AreThoseOfTheTable) {
  const auto& [name, sink, into_buffer, into_sink] = GetParam();
  for (const char* directory : {kDiskDirectory, kTmpfsDirectory}) {
    const Source source = Source::make(directory, 10);
    // Less than a page, a page, several, and more than is moved.
    for (const std::uint64_t buffer : {1000, 4096, 5000, 16384, 1 << 20}) {
      const CopiesFound found =
          find_copies(*find_method(name), {buffer}, source, *parse_sink(sink));
      if (refuses_io_uring(found)) GTEST_SKIP() << found.unknown;
      EXPECT_EQ(found.unknown, "") << directory << " " << buffer;
      EXPECT_EQ(found.into_buffer, into_buffer) << directory << " " << buffer;
      EXPECT_EQ(found.into_sink, into_sink) << directory << " " << buffer;
    }
  }
}

std::vector<ExpectedCopies> table() {
  std::vector<ExpectedCopies> cells;
  const auto add = [&](std::vector<const char*> methods, std::vector<const char*> sinks,
                       double into_buffer, double into_sink) {
    for (const char* method : methods)
      for (const char* sink : sinks) cells.push_back({method, sink, into_buffer, into_sink});
  };
  const std::vector<const char*> channels = {"unix", "tcp", "pipe", "pipe:1M"};
  const std::vector<const char*> files = {"file", "file:other-fs"};
  const std::vector<const char*> reading = {"read_write", "readv_writev", "io_uring_read_write",
                                            "async_hop"};
  const std::vector<const char*> lending = {"sendfile", "splice", "tee", "vmsplice",
                                            "io_uring_splice"};
  for (const auto& sinks : {channels, files}) {
    add(reading, sinks, 1, 1);
    add({"mmap_write"}, sinks, 0, 1);
  }
  add({"mmap_send"}, {"unix", "tcp"}, 0, 1);
  add({"pread_pwrite"}, files, 1, 1);
  add({"mmap_memcpy"}, files, 0, 1);
  add({"copy_file_range"}, {"file"}, 0, 1);
  add({"msg_zerocopy", "io_uring_send_zc"}, {"tcp"}, 0, 1);
  add(lending, channels, 0, 0);
  add(lending, files, 0, 1);
  add(reading, {"null"}, 1, 0);
  add(lending, {"null"}, 0, 0);
  add({"mmap_write"}, {"null"}, 0, 0);
  return cells;
}

INSTANTIATE_TEST_SUITE_P(Kernel, CopiesOf, testing::ValuesIn(table()));

TEST(CopiesByExperiment, KnowADirectReadFromAFallback) {
  const Method& direct = *find_method("direct_read_write");
  const Source in_memory = Source::make(kTmpfsDirectory, 10);
  const CopiesFound buffered = find_copies(direct, {4096}, in_memory, {SinkKind::file});
  if (buffered.unknown.starts_with("EINVAL")) GTEST_SKIP() << "tmpfs without O_DIRECT";
  EXPECT_EQ(buffered.unknown, "");
  EXPECT_EQ(buffered.into_buffer, 1);
  EXPECT_EQ(buffered.into_sink, 1);
  const Source on_disk = Source::make(kDiskDirectory, 10);
  if (on_disk.filesystem() != "ext4" && on_disk.filesystem() != "xfs")
    GTEST_SKIP() << "no O_DIRECT to expect on " << on_disk.filesystem();
  const CopiesFound to_disk = find_copies(direct, {4096}, on_disk, {SinkKind::file});
  EXPECT_EQ(to_disk.into_buffer, 0);
  EXPECT_EQ(to_disk.into_sink, 0);
  EXPECT_TRUE(to_disk.sink_unseen);
  const CopiesFound to_socket = find_copies(direct, {4096}, on_disk, {});
  EXPECT_EQ(to_socket.into_buffer, 0);
  EXPECT_EQ(to_socket.into_sink, 1);
}

Method test_method(Moved (*move)(const Transfer&, Workspace&)) {
  return {.name = "test",
          .summary = "",
          .needs = {.buffers = 1},
          .move = move,
          .expected = [](const Workload&) { return std::vector<ExpectedCalls>(); }};
}

Moved read_all(const Transfer& job, Workspace& workspace) {
  Moved moved;
  const ssize_t n = ::read(job.in_fd, workspace.buffer.begin(), job.length);
  if (n < 0)
    moved.error = last_error("read");
  else
    moved.bytes = static_cast<std::uint64_t>(n);
  return moved;
}

TEST(CopiesByExperiment, SeeABufferThatIsLentToThePipe) {
  const Method method = test_method([](const Transfer& job, Workspace& workspace) {
    Moved moved = read_all(job, workspace);
    const iovec part = {workspace.buffer.begin(), moved.bytes};
    if (::vmsplice(job.out_fd, &part, 1, 0) != static_cast<ssize_t>(moved.bytes))
      moved.error = last_error("vmsplice");
    return moved;
  });
  const Source source = Source::make(kDiskDirectory, 10);
  const CopiesFound found = find_copies(method, kWholeSource, source, {SinkKind::pipe});
  EXPECT_EQ(found.unknown, "");
  EXPECT_EQ(found.into_buffer, 1);
  EXPECT_EQ(found.into_sink, 0);
}

TEST(CopiesByExperiment, CountTheShareThatWasCopied) {
  const Method method = test_method([](const Transfer& job, Workspace& workspace) {
    Moved moved = read_all(job, workspace);
    const std::uint64_t quarter = moved.bytes / 4;
    const iovec part = {workspace.buffer.begin() + quarter, moved.bytes - quarter};
    if (::write(job.out_fd, workspace.buffer.begin(), quarter) != static_cast<ssize_t>(quarter) ||
        ::vmsplice(job.out_fd, &part, 1, 0) != static_cast<ssize_t>(part.iov_len))
      moved.error = last_error("write or vmsplice");
    return moved;
  });
  const Source source = Source::make(kDiskDirectory, 10);
  const CopiesFound found = find_copies(method, kWholeSource, source, {SinkKind::pipe});
  EXPECT_EQ(found.unknown, "");
  EXPECT_EQ(found.into_sink, 0.25);
}

TEST(CopiesByExperiment, AreUnknownWhereBytesAreMissing) {
  const Source source = Source::make(kDiskDirectory, 10);
  const Method none = test_method(read_all);
  EXPECT_NE(find_copies(none, kWholeSource, source, {}).unknown.find("only 0 of"),
            std::string::npos);
  EXPECT_EQ(find_copies(*find_method("copy_file_range"), {4096}, source, {}).unknown.find("EINVAL"),
            0U);
}

TEST(CopiesByExperiment, AreUnknownWhereTheSinkWaitsForAReader) {
  const Method method = test_method([](const Transfer& job, Workspace& workspace) {
    Moved moved;
    while (::write(job.out_fd, workspace.buffer.begin(), job.length) > 0) moved.bytes++;
    return moved;
  });
  const Source source = Source::make(kDiskDirectory, 10);
  const CopiesFound found = find_copies(method, kWholeSource, source, {SinkKind::pipe}, -1, 100);
  EXPECT_NE(found.unknown.find("does not take the bytes"), std::string::npos) << found.unknown;
}

TEST(CopiesByExperiment, EndWhenTheyAreInterrupted) {
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    for (;;) ::pause();
  });
  const Descriptor stop(::eventfd(1, EFD_CLOEXEC));  // readable from the beginning
  const Source source = Source::make(kDiskDirectory, 10);
  EXPECT_EQ(find_copies(method, kWholeSource, source, {}, stop.get()).unknown, "interrupted");
}

TEST(CopiesByExperiment, LeaveTheSourceAsItWas) {
  const Source source = Source::make(kDiskDirectory, 100'000);
  const std::uint32_t before = *file_crc32(source.open(), source.bytes());
  find_copies(*find_method("sendfile"), {4096}, source, {});
  EXPECT_EQ(*file_crc32(source.open(), source.bytes()), before);
}

}  // namespace
}  // namespace zctrace::transfers
