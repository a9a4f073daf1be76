// SPDX-License-Identifier: MIT
// splice between a pipe and something else.
#pragma once

#include "ends.h"

#define PIPE_BYTES 65536

static inline void make_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
}

// Returns how many bytes came; 0 at the end.
static inline size_t splice_in(int from, int into, size_t bytes) {
  ssize_t n;
  do {
    n = splice(from, NULL, into, NULL, bytes, 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) fail("splice");
  return (size_t)n;
}

static inline void splice_out(int from, int into, size_t bytes) {
  while (bytes > 0) bytes -= splice_in(from, into, bytes);
}
