// SPDX-License-Identifier: MIT
// The source mapped, its pages lent to a pipe, and spliced out of it into the sink.
#include "pipes.h"

#include <sys/mman.h>
#include <sys/uio.h>

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  if (source.bytes == 0) return 0;
  char* mapped = mmap(NULL, source.bytes, PROT_READ, MAP_SHARED, source.fd, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  int pipe[2];
  make_pipe(pipe);
  for (size_t done = 0; done < source.bytes;) {
    const size_t left = source.bytes - done;
    const struct iovec part = {mapped + done, left < PIPE_BYTES ? left : PIPE_BYTES};
    const ssize_t n = vmsplice(pipe[1], &part, 1, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("vmsplice");
    splice_out(pipe[0], sink, (size_t)n);
    done += (size_t)n;
  }
  return 0;
}
