// SPDX-License-Identifier: MIT
// Sends a mapped file while another process tries to truncate it. A read lease holds that process
// back until the lease is released, or until /proc/sys/fs/lease-break-time has passed.
//
// A lease is refused while anyone has the file open for writing, so this works on a copy of its own.
// If the file is truncated after all, the send fails with EFAULT, or with a short count before that;
// a load from the mapping would be SIGBUS, which is caught where the first byte is looked at.
#include "ends.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

static volatile sig_atomic_t asked_to_release;
static sigjmp_buf after_bus_error;

static void on_lease_break(int signal) {
  (void)signal;
  asked_to_release = 1;
}

static void on_bus_error(int signal) {
  (void)signal;
  siglongjmp(after_bus_error, 1);
}

static void handle(int signal, void (*handler)(int)) {
  const struct sigaction action = {.sa_handler = handler};
  if (sigaction(signal, &action, NULL) != 0) fail("sigaction");
}

// An unnamed copy of the source that no process has open for writing.
static int copy_of(const struct source* source) {
  char path[64];
  const int writable = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (writable < 0) fail("/var/tmp");
  for (size_t left = source->bytes; left > 0;) {
    const ssize_t n = sendfile(writable, source->fd, NULL, left);
    if (n <= 0) fail("sendfile");
    left -= (size_t)n;
  }
  snprintf(path, sizeof path, "/proc/self/fd/%d", writable);
  const int copy = open(path, O_RDONLY | O_CLOEXEC);
  if (copy < 0) fail(path);
  close(writable);
  return copy;
}

// Truncates the file as soon as the lease allows it.
static pid_t start_writer(int file) {
  const pid_t writer = fork();
  if (writer < 0) fail("fork");
  if (writer != 0) return writer;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  const int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  _exit(fd < 0 ? 1 : 0);
}

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  if (source.bytes == 0) return 0;
  const int file = copy_of(&source);
  handle(SIGIO, on_lease_break);
  handle(SIGBUS, on_bus_error);
  if (fcntl(file, F_SETLEASE, F_RDLCK) != 0) fail("F_SETLEASE");
  const char* mapped = mmap(NULL, source.bytes, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  const pid_t writer = start_writer(file);
  // The kernel says that a writer waits.
  sigset_t io;
  sigset_t before;
  sigemptyset(&io);
  sigaddset(&io, SIGIO);
  sigprocmask(SIG_BLOCK, &io, &before);
  while (!asked_to_release) sigsuspend(&before);
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (sigsetjmp(after_bus_error, 1) != 0) {
    fprintf(stderr, "SIGBUS: the file was truncated under the lease\n");
    return 1;
  }
  const volatile char* first = mapped;
  (void)*first;
  put(open_sink(argv[2]), mapped, source.bytes, 1);
  if (fcntl(file, F_SETLEASE, F_UNLCK) != 0) fail("F_SETLEASE");
  int status = 0;
  if (waitpid(writer, &status, 0) != writer || status != 0) {
    fprintf(stderr, "the writer could not truncate the file\n");
    return 1;
  }
  struct stat truncated;
  if (fstat(file, &truncated) != 0 || truncated.st_size != 0) {
    fprintf(stderr, "the writer did not truncate the file\n");
    return 1;
  }
  return 0;
}
