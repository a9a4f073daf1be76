// SPDX-License-Identifier: MIT
/* Nanoseconds of any clock of clock_gettime(2), for differences. */
#pragma once

#include <time.h>

static inline double now_ns(clockid_t clock) {
  struct timespec now;

  clock_gettime(clock, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}
