// SPDX-License-Identifier: MIT
// The source into a pipe, duplicated into another: one goes to the sink, the other to /dev/null.
#include "pipes.h"

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) fail("/dev/null");
  int pipe[2];
  int copy[2];
  make_pipe(pipe);
  make_pipe(copy);
  while (splice_in(source.fd, pipe[1], PIPE_BYTES) > 0) {
    for (;;) {
      // Both pipes are as large, so what is in the first has space in the second.
      const ssize_t n = tee(pipe[0], copy[1], PIPE_BYTES, SPLICE_F_NONBLOCK);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) fail("tee");
      splice_out(pipe[0], sink, (size_t)n);
      splice_out(copy[0], null, (size_t)n);
    }
  }
  return 0;
}
