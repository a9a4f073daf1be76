// SPDX-License-Identifier: MIT
// The whole source mapped, and sent from the mapping.
#include "ends.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  if (source.bytes == 0) return 0;
  const char* mapped = mmap(NULL, source.bytes, PROT_READ, MAP_SHARED, source.fd, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  put(sink, mapped, source.bytes, 1);
  return 0;
}
