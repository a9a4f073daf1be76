// SPDX-License-Identifier: MIT
// A write may be interrupted, or take less than it was given.
#include "cli/output/write.h"

#include <unistd.h>

#include <cerrno>

#include "cli/text/wrap.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"

namespace zctrace {

void write_all(int fd, const std::string& text, const std::string& what) {
  ignore_file_size_signal();  // the verbs that use no Signals need it, too
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) throw ReaderGone("cannot write " + what + ": its reader is gone");
    if (n < 0) throw system_error("cannot write " + what, errno);
    done += static_cast<std::size_t>(n);
  }
}

void tell(const std::string& text) noexcept {
  const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  (void)ignored;
}

void say(const std::string& message) {
  std::string text = "zctrace: " + message;
  if (::isatty(STDERR_FILENO) == 1) text = wrapped(text, text_width(STDERR_FILENO), 2);
  tell(text + "\n");
}

}  // namespace zctrace
