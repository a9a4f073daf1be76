// SPDX-License-Identifier: MIT
// sendfile until the source ends, at most BUFFER bytes a call.
#include "ends.h"

#include <sys/sendfile.h>

int main(int argc, char** argv) {
  const size_t most = buffer_of(argc, argv, (size_t)-1 >> 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  for (size_t left = source.bytes; left > 0;) {
    const ssize_t n = sendfile(sink, source.fd, NULL, left < most ? left : most);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("sendfile");
    if (n == 0) return 0;
    left -= (size_t)n;
  }
  return 0;
}
