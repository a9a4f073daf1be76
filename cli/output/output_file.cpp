// SPDX-License-Identifier: MIT
// Opening early, writing late.
#include "cli/output/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "cli/output/write.h"
#include "collector/os/error.h"

namespace zctrace {

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty() || path == "-") return;
  file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  created_ = static_cast<bool>(file_);
  if (!file_ && errno == EEXIST)
    file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file_) throw system_error("cannot write '" + path + "'", errno);
}

OutputFile::~OutputFile() {
  if (file_ && created_) ::unlink(path_.c_str());
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
