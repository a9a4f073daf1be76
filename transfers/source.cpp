// SPDX-License-Identifier: MIT
// Makes, opens, checks and cools source files.
#include "transfers/source.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "transfers/error.h"
#include "transfers/unnamed_file.h"

namespace zctrace::transfers {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;
#ifndef XFS_SUPER_MAGIC  // linux/magic.h has it since 5.19
constexpr long kXfsMagic = 0x58465342;
#else
constexpr long kXfsMagic = XFS_SUPER_MAGIC;
#endif

std::string filesystem_name(const Descriptor& file) {
  struct statfs status {};
  if (::fstatfs(file.get(), &status) != 0)
    throw SetupError(errno, "find the file system of the source");
  switch (static_cast<long>(status.f_type)) {
    case EXT4_SUPER_MAGIC: return "ext4";  // ext2 and ext3 share the number
    case TMPFS_MAGIC: return "tmpfs";
    case FUSE_SUPER_MAGIC: return "fuse";
    case BTRFS_SUPER_MAGIC: return "btrfs";
    case OVERLAYFS_SUPER_MAGIC: return "overlay";
    case NFS_SUPER_MAGIC: return "nfs";
    case kXfsMagic: return "xfs";
    default: return "other";
  }
}

// xorshift64* (Vigna 2016, "An experimental exploration of Marsaglia's xorshift
// generators, scrambled"), the lowest bit of each byte set so that none is zero.
class NonZeroBytes {
 public:
  void fill(std::vector<unsigned char>& block) {
    for (std::size_t i = 0; i + sizeof(std::uint64_t) <= block.size(); i += sizeof(std::uint64_t)) {
      state_ ^= state_ >> 12;
      state_ ^= state_ << 25;
      state_ ^= state_ >> 27;
      const std::uint64_t word = (state_ * 0x2545F4914F6CDD1DULL) | 0x0101010101010101ULL;
      std::memcpy(&block[i], &word, sizeof word);
    }
  }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

[[noreturn]] void throw_cannot_fill(int number, const std::string& directory, std::uint64_t bytes) {
  throw SetupError(number, "write " + std::to_string(bytes) + " bytes to a file in " + directory,
                   number == ENOSPC || number == EDQUOT
                       ? "free some space, or choose a smaller size or another directory"
                       : "");
}

// Fills `file` and returns the CRC of what it wrote.
std::uint32_t fill(const Descriptor& file, const std::string& directory, std::uint64_t bytes) {
  // Fails at once on a full file system, not after minutes of writing. Without fallocate
  // the writes fail.
  if (bytes > 0 && ::fallocate(file.get(), 0, 0, static_cast<off_t>(bytes)) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS && errno != EINTR) {
    throw_cannot_fill(errno, directory, bytes);
  }
  NonZeroBytes content;
  std::vector<unsigned char> block(kBlockBytes);
  uLong crc = ::crc32(0, nullptr, 0);
  for (std::uint64_t done = 0; done < bytes;) {
    content.fill(block);
    const std::size_t want = std::min<std::uint64_t>(block.size(), bytes - done);
    for (std::size_t part = 0; part < want;) {
      const ssize_t n = ::write(file.get(), &block[part], want - part);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw_cannot_fill(n < 0 ? errno : ENOSPC, directory, bytes);
      part += static_cast<std::size_t>(n);
    }
    crc = ::crc32_z(crc, block.data(), want);
    done += want;
  }
  return static_cast<std::uint32_t>(crc);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Source::Source(Descriptor file, std::string path, std::string directory)
    : file_(std::move(file)), path_(std::move(path)), directory_(std::move(directory)) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw SetupError(errno, "examine the source");
  if (!S_ISREG(status.st_mode)) {
    throw SetupError(EINVAL, "use " + path_ + " as a source", "give a regular file");
  }
  bytes_ = static_cast<std::uint64_t>(status.st_size);
  device_ = status.st_dev;
  filesystem_ = filesystem_name(file_);
}

Source Source::make(const std::string& directory, std::uint64_t bytes) {
  Descriptor file = make_unnamed_file(directory);
  const std::uint32_t crc = fill(file, directory, bytes);
  Source source(std::move(file), "", directory);
  source.crc32_ = crc;
  return source;
}

Source Source::open_path(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must fail below, not wait here for its writer.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw SetupError(errno, "open the source " + path);
  return Source(std::move(file), path, directory_of(path));
}

Source Source::shown_at(const std::string& path) const {
  // O_PATH: when a child closes its copy of this descriptor, the file system gets no flush.
  Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) throw SetupError(errno, "open " + path);
  Source source(std::move(file), path_, directory_of(path));
  source.crc32_ = crc32();
  return source;
}

Descriptor Source::open() const { return reopen(file_, O_RDONLY); }

void Source::drop_cache() const {
  const Descriptor file = open();
  // DONTNEED leaves dirty pages in place, hence the write-back first.
  if (::fsync(file.get()) != 0) throw SetupError(errno, "write the source back to its disk");
  const int number = ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (number != 0) throw SetupError(number, "drop the source from the page cache");
}

std::uint32_t Source::crc32() const {
  if (!crc32_) crc32_ = file_crc32(file_, bytes_);
  if (!crc32_) throw SetupError(EIO, "read " + path_, "it was truncated meanwhile");
  return *crc32_;
}

std::optional<std::uint32_t> file_crc32(const Descriptor& file, std::uint64_t bytes) {
  std::vector<unsigned char> block(kBlockBytes);
  uLong crc = ::crc32(0, nullptr, 0);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::size_t want = std::min<std::uint64_t>(block.size(), bytes - done);
    const ssize_t n = ::pread(file.get(), block.data(), want, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw SetupError(errno, "read a file back for its checksum");
    if (n == 0) return std::nullopt;
    crc = ::crc32_z(crc, block.data(), static_cast<std::size_t>(n));
    done += static_cast<std::uint64_t>(n);
  }
  return static_cast<std::uint32_t>(crc);
}

}  // namespace zctrace::transfers
