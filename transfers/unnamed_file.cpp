// SPDX-License-Identifier: MIT
// O_TMPFILE, its fallback, and opening such a file again.
#include "transfers/unnamed_file.h"

#include <fcntl.h>
#include <stdlib.h>

#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

constexpr char kAdvice[] = "choose a directory that you may write to";

Descriptor make_and_unlink(const std::string& directory) {
  std::string path = directory + "/zctrace-XXXXXX";
  Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) throw SetupError(errno, "make a file in " + directory, kAdvice);
  if (::unlink(path.c_str()) != 0) throw SetupError(errno, "remove the name of " + path);
  return file;
}

}  // namespace

Descriptor make_unnamed_file(const std::string& directory) {
  Descriptor file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  // EISDIR: the kernel or file system mistakes the flag for O_DIRECTORY.
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) return make_and_unlink(directory);
  throw SetupError(errno, "make a file in " + directory, kAdvice);
}

Descriptor reopen(const Descriptor& file, int flags) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  Descriptor again(::open(path.c_str(), flags | O_CLOEXEC));
  if (!again) throw SetupError(errno, "open " + path + " again");
  return again;
}

}  // namespace zctrace::transfers
