// SPDX-License-Identifier: MIT
// read and send, through a buffer.
#include "ends.h"

int main(int argc, char** argv) {
  const size_t bytes = buffer_of(argc, argv, 4096);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  char* buffer = malloc(bytes);
  if (buffer == NULL) fail("malloc");
  for (;;) {
    const ssize_t n = read(source.fd, buffer, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read");
    if (n == 0) return 0;
    put(sink, buffer, (size_t)n, 1);
  }
}
