// SPDX-License-Identifier: MIT
// Opening early, writing late.
#include "cli/output/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "cli/output/write.h"
#include "collector/os/caller.h"
#include "collector/os/error.h"

namespace zctrace {

void give_to_caller(int file) {
  std::optional<Caller> caller;
  try {
    caller = sudo_caller();
  } catch (const Error&) {
    return;  // sudo's variables are wrong; `run` says so
  }
  if (caller && ::fchown(file, caller->uid, caller->gid) != 0) return;
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty() || path == "-") return;
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  directory_.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) throw system_error("cannot write '" + path + "'", errno);
  const int directory_fd = directory_.get();
  file_.reset(::openat(directory_fd, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  created_ = static_cast<bool>(file_);
  if (!file_ && errno == EEXIST)
    file_.reset(::openat(directory_fd, name_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file_) throw system_error("cannot write '" + path + "'", errno);
  if (created_) give_to_caller(file_.get());
}

// Removes the name only where it still means the file that zctrace created: it may have been
// renamed, and another file may have its name now.
OutputFile::~OutputFile() {
  struct stat own = {};
  struct stat named = {};
  if (!file_ || !created_ || ::fstat(file_.get(), &own) != 0 || own.st_size != 0) return;
  if (::fstatat(directory_.get(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      named.st_dev == own.st_dev && named.st_ino == own.st_ino)
    ::unlinkat(directory_.get(), name_.c_str(), 0);
}

int OutputFile::descriptor() const { return path_ == "-" ? STDOUT_FILENO : file_.get(); }

bool OutputFile::same_as(const OutputFile& other) const {
  struct stat own = {};
  struct stat others = {};
  return wanted() && other.wanted() && ::fstat(descriptor(), &own) == 0 &&
         ::fstat(other.descriptor(), &others) == 0 && !S_ISCHR(own.st_mode) &&
         own.st_dev == others.st_dev && own.st_ino == others.st_ino;
}

void OutputFile::write(const std::string& text) {
  if (!wanted()) return;
  if (path_ == "-") {
    write_all(STDOUT_FILENO, text, "to standard output");
    return;
  }
  // Not a regular file (a pipe, /dev/stdout): nothing to truncate.
  if (!written_ && ::ftruncate(file_.get(), 0) != 0 && errno != EINVAL)
    throw system_error("cannot write '" + path_ + "'", errno);
  written_ = true;
  const off_t before = ::lseek(file_.get(), 0, SEEK_CUR);
  try {
    write_all(file_.get(), text, "'" + path_ + "'");
    created_ = false;
  } catch (const Error&) {
    // Only a regular file can be truncated. Anything else keeps the part that was written.
    if (before >= 0 && ::ftruncate(file_.get(), before) == 0)
      ::lseek(file_.get(), before, SEEK_SET);
    throw;
  }
}

}  // namespace zctrace
