// SPDX-License-Identifier: MIT
// What the kernel refuses and with which errno: the table in docs/methods.md.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ostream>

#include "transfers/run.h"
#include "transfers/unnamed_file.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

struct IllegalPair {
  const char* method;
  const char* sink;
  int number;
};
void PrintTo(const IllegalPair& pair, std::ostream* out) {
  *out << pair.method << " to " << pair.sink;
}

class IllegalTransfer : public testing::TestWithParam<IllegalPair> {};

TEST_P(IllegalTransfer, IsReportedWithItsErrno) {
  const auto& [name, sink, number] = GetParam();
  const Source source = Source::make(kDiskDirectory, 10'000);
  const TransferResult outcome =
      run_once(*find_method(name), {4096}, source, *parse_sink(sink), {.verify = true});
  ASSERT_TRUE(outcome.error);
  if (outcome.error->text.find("io_uring_setup") != std::string::npos) {
    GTEST_SKIP() << "no io_uring: " << outcome.error->text;
  }
  EXPECT_EQ(outcome.error->number, number) << outcome.error->text;
  EXPECT_EQ(outcome.moved_bytes, 0U);
  EXPECT_EQ(outcome.drained_bytes, 0U);
  EXPECT_FALSE(outcome.checksum_ok);
}

INSTANTIATE_TEST_SUITE_P(Kernel, IllegalTransfer,
                         testing::Values(IllegalPair{"pread_pwrite", "unix", ESPIPE},
                                         IllegalPair{"pread_pwrite", "tcp", ESPIPE},
                                         IllegalPair{"pread_pwrite", "pipe", ESPIPE},
                                         IllegalPair{"mmap_send", "file", ENOTSOCK},
                                         IllegalPair{"mmap_send", "pipe", ENOTSOCK},
                                         IllegalPair{"mmap_send", "null", ENOTSOCK},
                                         IllegalPair{"mmap_memcpy", "unix", EINVAL},
                                         IllegalPair{"mmap_memcpy", "pipe", EINVAL},
                                         IllegalPair{"mmap_memcpy", "null", EINVAL},
                                         IllegalPair{"copy_file_range", "unix", EINVAL},
                                         IllegalPair{"copy_file_range", "pipe", EINVAL},
                                         IllegalPair{"copy_file_range", "null", EINVAL},
                                         IllegalPair{"copy_file_range", "file:other-fs", EXDEV},
                                         IllegalPair{"reflink", "file:other-fs", EXDEV},
                                         IllegalPair{"msg_zerocopy", "unix", EOPNOTSUPP},
                                         IllegalPair{"msg_zerocopy", "pipe", ENOTSOCK},
                                         IllegalPair{"msg_zerocopy", "file", ENOTSOCK},
                                         IllegalPair{"io_uring_send_zc", "unix", EOPNOTSUPP},
                                         IllegalPair{"io_uring_send_zc", "pipe", ENOTSOCK},
                                         IllegalPair{"io_uring_send_zc", "file", ENOTSOCK}));

// Runs a method in this process, on descriptors that no sink provides.
Failure error_of(const char* name, int in_fd, int out_fd, std::uint64_t buffer_bytes = 4096) {
  const Method& method = *find_method(name);
  const Transfer job = {.in_fd = in_fd,
                        .out_fd = out_fd,
                        .second_out_fd = out_fd,
                        .length = 10'000,
                        .buffer_bytes = buffer_bytes};
  Workspace workspace;
  if (const Failure error = prepare(method, job, workspace)) return error;
  return method.move(job, workspace).error;
}

class Legality : public testing::Test {
 protected:
  const Source source_ = Source::make(kDiskDirectory, 10'000);
  const Descriptor in_ = source_.open();
  const Descriptor null_in_{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const Sink unix_ = make_sink({SinkKind::unix_stream}, source_);
  const Sink file_ = make_sink({SinkKind::file}, source_);
  const Sink pipe_ = make_sink({SinkKind::pipe}, source_);
};

TEST_F(Legality, SendfileReadsNeitherAPipeNorNull) {
  EXPECT_EQ(error_of("sendfile", pipe_.drain_end.get(), unix_.out.get()).number, EINVAL);
  EXPECT_EQ(error_of("sendfile", null_in_.get(), unix_.out.get()).number, EINVAL);
  EXPECT_EQ(error_of("sendfile", unix_.drain_end.get(), file_.out.get()).number, EINVAL);
}

TEST_F(Legality, SpliceDoesNotReadNull) {
  EXPECT_EQ(error_of("splice", null_in_.get(), unix_.out.get()).number, EINVAL);
}

TEST_F(Legality, AnAppendingFileIsRefused) {
  const Descriptor appending = reopen(file_.out, O_WRONLY | O_APPEND);
  EXPECT_EQ(error_of("sendfile", in_.get(), appending.get()).number, EINVAL);
  EXPECT_EQ(error_of("splice", in_.get(), appending.get()).number, EINVAL);
  EXPECT_EQ(error_of("copy_file_range", in_.get(), appending.get()).number, EBADF);
}

TEST_F(Legality, OverlappingRangesAreRefused) {
  const Descriptor both = reopen(in_, O_RDWR);
  EXPECT_EQ(error_of("copy_file_range", both.get(), both.get()).number, EINVAL);
}

TEST_F(Legality, SpliceTeeAndVmspliceNeedAPipe) {
  EXPECT_EQ(::splice(in_.get(), nullptr, unix_.out.get(), nullptr, 1, 0), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::tee(in_.get(), pipe_.out.get(), 1, 0), -1);
  EXPECT_EQ(errno, EINVAL);
  char byte = 'z';
  iovec part = {&byte, 1};
  EXPECT_EQ(::vmsplice(unix_.out.get(), &part, 1, 0), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(Legality, ReflinkNeedsAFileSystemThatShares) {
  if (source_.filesystem() != "ext4" && source_.filesystem() != "tmpfs") {
    GTEST_SKIP() << "/var/tmp is on " << source_.filesystem();
  }
  EXPECT_EQ(error_of("reflink", in_.get(), file_.out.get()).number, EOPNOTSUPP);
}

TEST_F(Legality, DirectNeedsAnAlignedBuffer) {
  EXPECT_EQ(error_of("direct_read_write", in_.get(), file_.out.get(), 1000).number, EINVAL);
}

TEST_F(Legality, OnlyFilesCanBeMapped) {
  EXPECT_EQ(error_of("mmap_write", pipe_.drain_end.get(), unix_.out.get()).number, ENODEV);
}

}  // namespace
}  // namespace zctrace::transfers
