// SPDX-License-Identifier: MIT
// From file to file by memcpy between two mappings.
#include "ends.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
  buffer_of(argc, argv, 1);
  const struct source source = open_source(argv[1]);
  const int sink = open_sink(argv[2]);
  if (source.bytes == 0) return 0;
  if (ftruncate(sink, (off_t)source.bytes) != 0) fail("ftruncate");
  const char* from = mmap(NULL, source.bytes, PROT_READ, MAP_SHARED, source.fd, 0);
  char* to = mmap(NULL, source.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, sink, 0);
  if (from == MAP_FAILED || to == MAP_FAILED) fail("mmap");
  memcpy(to, from, source.bytes);
  return 0;
}
