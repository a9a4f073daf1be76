// SPDX-License-Identifier: MIT
// A write may be interrupted, or take less than it was given.
#include "cli/output/write.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/text/wrap.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"

namespace zctrace {

namespace {

// A write of this size never blocks once a pipe has space.
constexpr std::size_t kPipeBytes = 4096;

bool is_regular_file(int fd) {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Waits for space in a pipe, a socket or a terminal. While its reader reads nothing, a signal that
// asks zctrace to end does so at once, although Signals blocks them.
void wait_for_space(int fd) {
  pollfd event = {fd, POLLOUT, 0};
  if (::poll(&event, 1, 0) != 0) return;
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::sigdelset(&mask, signal);
  ::ppoll(&event, 1, nullptr, &mask);
}

}  // namespace

void write_all(int fd, const std::string& text, const std::string& what) {
  ignore_file_size_signal();  // the verbs that use no Signals need it, too
  const bool regular = is_regular_file(fd);
  for (std::size_t done = 0; done < text.size();) {
    std::size_t size = text.size() - done;
    if (!regular) {
      wait_for_space(fd);
      size = std::min(size, kPipeBytes);
    }
    const ssize_t n = ::write(fd, text.data() + done, size);
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
