// SPDX-License-Identifier: MIT
// Sources have the promised content, sinks the promised kind, and neither leaves anything behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "transfers/error.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace::transfers {
namespace {

std::vector<unsigned char> content(const Descriptor& file, std::size_t bytes) {
  std::vector<unsigned char> read(bytes + 1);
  read.resize(static_cast<std::size_t>(::read(file.get(), read.data(), read.size())));
  return read;
}

int setup_errno(const std::function<void()>& doing) {
  try {
    doing();
  } catch (const SetupError& error) {
    return error.code().value();
  }
  return 0;
}

struct TemporaryDirectory {
  char path[32] = "/tmp/zctrace-test-XXXXXX";
  TemporaryDirectory() { EXPECT_NE(::mkdtemp(path), nullptr); }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
};

TEST(TransferSource, HasTheSizeAskedForAndNoZeroByte) {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 4097ULL, (1ULL << 20) + 13}) {
    const Source source = Source::make(kTmpfsDirectory, bytes);
    const auto read = content(source.open(), bytes);
    EXPECT_EQ(source.bytes(), bytes);
    ASSERT_EQ(read.size(), bytes);
    EXPECT_EQ(std::count(read.begin(), read.end(), 0), 0);
    EXPECT_EQ(source.crc32(), ::crc32_z(0, read.data(), read.size()));
  }
}

TEST(TransferSource, OpensAtAFreshOffsetEachTime) {
  const Source source = Source::make(kDiskDirectory, 1000);
  EXPECT_EQ(content(source.open(), 1000), content(source.open(), 1000));
  EXPECT_NE(::fcntl(source.open().get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(TransferSource, LeavesNoName) {
  const TemporaryDirectory directory;
  const Source source = Source::make(directory.path, 1000);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path));
  struct stat status {};
  ASSERT_EQ(::fstat(source.open().get(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0U);
}

TEST(TransferSource, OpensAFileOfTheUser) {
  const TemporaryDirectory directory;
  const std::string path = std::string(directory.path) + "/file";
  std::ofstream(path) << "some bytes";
  const Source source = Source::open_path(path);
  EXPECT_EQ(source.bytes(), 10U);
  EXPECT_EQ(source.path(), path);
  EXPECT_EQ(source.directory(), directory.path);
  EXPECT_EQ(source.crc32(), ::crc32_z(0, reinterpret_cast<const Bytef*>("some bytes"), 10));
}

TEST(TransferSource, RefusesWhatIsNotARegularFile) {
  EXPECT_EQ(setup_errno([] { Source::open_path("/dev/zero"); }), EINVAL);
  EXPECT_EQ(setup_errno([] { Source::open_path("/tmp"); }), EINVAL);
  EXPECT_EQ(setup_errno([] { Source::open_path("/nonexistent"); }), ENOENT);
  EXPECT_EQ(setup_errno([] { Source::make("/nonexistent", 1); }), ENOENT);
}

TEST(TransferSource, ShownElsewhereKeepsTheChecksumExpected) {
  const TemporaryDirectory directory;
  const std::string path = std::string(directory.path) + "/shown";
  std::ofstream(path) << "something else";
  const Source source = Source::make(kTmpfsDirectory, 14);
  const Source shown = source.shown_at(path);
  EXPECT_EQ(shown.bytes(), 14u);
  EXPECT_EQ(shown.path(), "");
  EXPECT_EQ(shown.directory(), directory.path);
  EXPECT_EQ(content(shown.open(), 14).front(), 's');
  EXPECT_EQ(shown.crc32(), source.crc32());
  shown.drop_cache();
  EXPECT_EQ(setup_errno([&] { source.shown_at(path + "-missing"); }), ENOENT);
}

TEST(TransferSource, DropsItsPagesFromTheCache) {
  const std::uint64_t bytes = 1 << 20;
  const Source source = Source::make(kDiskDirectory, bytes);
  if (source.filesystem() == "tmpfs") GTEST_SKIP() << "/var/tmp has no disk to read from";
  source.drop_cache();
  void* pages = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, source.open().get(), 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::vector<unsigned char> resident(bytes / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  ASSERT_EQ(::mincore(pages, bytes, resident.data()), 0);
  ::munmap(pages, bytes);
  EXPECT_EQ(std::count_if(resident.begin(), resident.end(), [](unsigned char r) { return r & 1; }),
            0);
  EXPECT_EQ(source.crc32(), *file_crc32(source.open(), bytes));
}

TEST(TransferSink, NamesAreParsedBack) {
  for (const char* name :
       {"unix", "tcp", "file", "file:other-fs", "file:/tmp", "pipe", "pipe:1M", "null"}) {
    const auto spec = parse_sink(name);
    ASSERT_TRUE(spec) << name;
    EXPECT_EQ(sink_name(*spec), name);
  }
  for (const char* name : {"", "udp", "file:", "pipe:2", "unixx"}) {
    EXPECT_FALSE(parse_sink(name)) << name;
  }
}

TEST(TransferSink, EachKindIsWhatItSays) {
  const Source source = Source::make(kDiskDirectory, 1);
  const auto mode_and_device = [&](const char* name) {
    const Sink sink = make_sink(*parse_sink(name), source);
    struct stat status {};
    EXPECT_EQ(::fstat(sink.out.get(), &status), 0);
    EXPECT_NE(::fcntl(sink.out.get(), F_GETFD) & FD_CLOEXEC, 0) << name;
    return std::pair(status.st_mode & S_IFMT, status.st_dev);
  };
  EXPECT_EQ(mode_and_device("unix").first, static_cast<mode_t>(S_IFSOCK));
  EXPECT_EQ(mode_and_device("tcp").first, static_cast<mode_t>(S_IFSOCK));
  EXPECT_EQ(mode_and_device("pipe").first, static_cast<mode_t>(S_IFIFO));
  EXPECT_EQ(mode_and_device("null").first, static_cast<mode_t>(S_IFCHR));
  EXPECT_EQ(mode_and_device("file"), std::pair(static_cast<mode_t>(S_IFREG), source.device()));
  EXPECT_NE(mode_and_device("file:other-fs").second, source.device());
  EXPECT_EQ(setup_errno([&] { make_sink(*parse_sink("file:/nonexistent"), source); }), ENOENT);
}

TEST(TransferSink, ATcpSinkIsConnectedToItsDrainEnd) {
  const Source source = Source::make(kDiskDirectory, 1);
  const Sink sink = make_sink({SinkKind::tcp}, source);
  ASSERT_EQ(::write(sink.out.get(), "z", 1), 1);
  char byte = 0;
  ASSERT_EQ(::read(sink.drain_end.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'z');
}

TEST(TransferSink, APipeHasTheCapacityAskedFor) {
  const Source source = Source::make(kDiskDirectory, 1);
  EXPECT_EQ(::fcntl(make_sink(*parse_sink("pipe"), source).out.get(), F_GETPIPE_SZ), 64 * 1024);
  EXPECT_EQ(::fcntl(make_sink(*parse_sink("pipe:1M"), source).out.get(), F_GETPIPE_SZ), 1 << 20);
}

TEST(TransferSink, APipeLargerThanAllowedIsNotFatal) {
  const Source source = Source::make(kDiskDirectory, 1);
  const Sink sink = make_sink({SinkKind::pipe, "", 16 << 20}, source);
  EXPECT_GE(::fcntl(sink.out.get(), F_GETPIPE_SZ), 64 * 1024);
}

TEST(TransferError, TextsNameTheErrno) {
  EXPECT_EQ(error_text({EINVAL, "sendfile"}), "EINVAL: sendfile: Invalid argument");
  EXPECT_STREQ(SetupError(ENOENT, "open /x", "give a file").what(),
               "cannot open /x: No such file or directory; give a file");
}

}  // namespace
}  // namespace zctrace::transfers
