// SPDX-License-Identifier: MIT
// What is moved: a file of known size and content.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "collector/os/descriptor.h"

namespace zctrace::transfers {

inline constexpr char kDiskDirectory[] = "/var/tmp";
inline constexpr char kTmpfsDirectory[] = "/dev/shm";

// Owns one open regular file, whose size and content do not change while it lives.
// One thread only, because the checksum is computed at its first use.
class Source {
 public:
  // An unnamed file of `bytes` pseudo-random bytes, none of them zero, so that pages
  // that were never copied cannot pass for content. The same size gives the same bytes.
  // Throws SetupError, also when the file system is full.
  static Source make(const std::string& directory, std::uint64_t bytes);

  // A user's file. Throws SetupError; EINVAL when it is not a regular file.
  static Source open_path(const std::string& path);

  // The same content, as another file system shows it at `path`. The checksum stays that of the
  // original, whatever is read there. Throws SetupError.
  Source shown_at(const std::string& path) const;

  // The file opened read-only again, at offset 0. Throws SetupError.
  Descriptor open() const;

  // Writes the file back and drops its pages from the page cache. Pages that are mapped stay, and
  // tmpfs has no disk to read from, so there it changes nothing. Throws SetupError.
  void drop_cache() const;

  std::uint64_t bytes() const { return bytes_; }
  std::uint32_t crc32() const;  // of the whole content; throws SetupError

  const std::string& path() const { return path_; }              // "" for one that was made
  const std::string& directory() const { return directory_; }    // of the file
  const std::string& filesystem() const { return filesystem_; }  // "ext4", "tmpfs", "fuse", …
  dev_t device() const { return device_; }

 private:
  Source(Descriptor file, std::string path, std::string directory);

  Descriptor file_;
  std::string path_;
  std::string directory_;
  std::string filesystem_;
  std::uint64_t bytes_ = 0;
  dev_t device_ = 0;
  mutable std::optional<std::uint32_t> crc32_;
};

// The CRC-32 (zlib's) of the first `bytes` bytes of `file`, by pread. Throws SetupError
// when the file cannot be read; nullopt when it is shorter.
std::optional<std::uint32_t> file_crc32(const Descriptor& file, std::uint64_t bytes);

}  // namespace zctrace::transfers
