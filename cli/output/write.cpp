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

bool is_full(int fd) {
  pollfd event = {fd, POLLOUT, 0};
  return ::poll(&event, 1, 0) == 0;
}

// Writes to a pipe, a socket or a terminal. While nothing reads it, a signal that asks zctrace to
// end does so at once, although Signals blocks them.
ssize_t write_to_reader(int fd, const char* text, std::size_t size) {
  size = std::min(size, kPipeBytes);
  if (!is_full(fd)) return ::write(fd, text, size);
  sigset_t ending;
  sigset_t before;
  ::sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::sigaddset(&ending, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &ending, &before);
  const ssize_t n = ::write(fd, text, size);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return n;
}

}  // namespace

void write_all(int fd, const std::string& text, const std::string& what) {
  ignore_file_size_signal();  // the verbs that use no Signals need it, too
  const bool regular = is_regular_file(fd);
  for (std::size_t done = 0; done < text.size();) {
    const char* const rest = text.data() + done;
    const std::size_t size = text.size() - done;
    const ssize_t n = regular ? ::write(fd, rest, size) : write_to_reader(fd, rest, size);
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
