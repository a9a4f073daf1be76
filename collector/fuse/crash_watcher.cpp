// The child runs nothing but system calls until it becomes fusermount3.
#include "collector/fuse/crash_watcher.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "collector/error.h"

namespace zctrace::fuse {
namespace {

// From the end of the pipe to the end of the device, in an exit that closes both.
constexpr int kLooks = 100;
constexpr useconds_t kPauseUs = 10'000;

bool is_dead_mount(const char* target) {
  for (int look = 0; look < kLooks; ++look) {
    // Not stat(), which the kernel answers from its cache for a while.
    struct statfs status;
    if (::statfs(target, &status) == 0) return false;  // unmounted, or something else's
    if (errno == ENOTCONN) return true;
    ::usleep(kPauseUs);
  }
  return false;
}

[[noreturn]] void watch(int parent, char* const argv[], const char* program, const char* target) {
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  // Nobody shall wait for the end of a stream because of this process.
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(nowhere, fd);
  ::dup2(parent, 3);
  ::close_range(4, ~0U, 0);
  char word = 0;
  ssize_t n;
  do {
    n = ::read(3, &word, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 0 && is_dead_mount(target)) ::execv(program, argv);
  ::_exit(0);
}

}  // namespace

CrashWatcher::CrashWatcher(const std::string& fusermount, const std::string& target) {
  int ends[2];
  if (::pipe(ends) != 0) throw system_error("cannot create a pipe", errno);
  const Descriptor reader(ends[0]);
  alive_.reset(ends[1]);
  std::string name = "fusermount3";
  std::string flags = "-uqz";
  std::string end = "--";
  std::string path = target;
  char* const argv[] = {name.data(), flags.data(), end.data(), path.data(), nullptr};
  pid_ = ::fork();
  if (pid_ < 0) throw system_error("cannot fork", errno);
  if (pid_ == 0) watch(reader.get(), argv, fusermount.c_str(), path.c_str());
}

void CrashWatcher::mounted() noexcept { ::fcntl(alive_.get(), F_SETFD, FD_CLOEXEC); }

CrashWatcher::~CrashWatcher() {
  const char done = 1;
  if (::write(alive_.get(), &done, 1) != 1) alive_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace zctrace::fuse
