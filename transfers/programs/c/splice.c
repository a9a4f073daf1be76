// SPDX-License-Identifier: MIT
// splice from the source into a pipe, and out of it into the sink.
#include "pipes.h"

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  int pipe[2];
  make_pipe(pipe);
  for (size_t n; (n = splice_in(source.fd, pipe[1], PIPE_BYTES)) > 0;)
    splice_out(pipe[0], sink, n);
  return 0;
}
