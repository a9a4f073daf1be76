// SPDX-License-Identifier: MIT
/*
 * rt_wait CPU SECONDS: a real-time thread on this CPU that wakes up every half millisecond. Prints
 * its longest delay in nanoseconds.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

int main(int argc, char** argv) {
  const double period_ns = 500000;
  const struct sched_param priority = {.sched_priority = 50};
  double most = 0;
  cpu_set_t cpus;

  if (argc != 3) return 2;
  CPU_ZERO(&cpus);
  CPU_SET(atoi(argv[1]), &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_setscheduler(0, SCHED_FIFO, &priority)) {
    perror("rt_wait");
    return 1;
  }
  const double end = now_ns(CLOCK_MONOTONIC) + atof(argv[2]) * 1e9;
  for (double due = now_ns(CLOCK_MONOTONIC) + period_ns; due < end;) {
    const struct timespec when = {(time_t)(due / 1e9), (long)(due - (time_t)(due / 1e9) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
    const double now = now_ns(CLOCK_MONOTONIC);
    if (now - due > most) most = now - due;
    due = now + period_ns;
  }
  printf("%.0f\n", most);
  return 0;
}
