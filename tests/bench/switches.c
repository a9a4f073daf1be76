// SPDX-License-Identifier: MIT
/*
 * Context switches to measure overheads on: two threads on one processor pass a byte back and
 * forth through pipes, so that each read switches to the other. Prints nanoseconds a round
 * trip, which is four calls and two switches: wall time, CPU time of both, and wall time in the
 * fastest slice of 1,000.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

enum { SLICE = 1000 };

static int there[2], back[2];
static long rounds;

static void *answer(void *unused)
{
	char byte;

	(void)unused;
	for (long i = 0; i < rounds; i++)
		if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
			abort();
	return NULL;
}

int main(int argc, char **argv)
{
	double wall, cpu, begin = 0, ns, least = 0;
	pthread_t other;
	cpu_set_t one;
	char byte = 0;

	rounds = argc > 1 ? atol(argv[1]) : 100000;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) || pipe(there) || pipe(back) ||
	    pthread_create(&other, NULL, answer, NULL))
		abort();
	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < rounds; i++) {
		if (i % SLICE == 0)
			begin = now_ns(CLOCK_MONOTONIC);
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			abort();
		if (i % SLICE != SLICE - 1)
			continue;
		ns = (now_ns(CLOCK_MONOTONIC) - begin) / SLICE;
		if (least == 0 || ns < least)
			least = ns;
	}
	pthread_join(other, NULL);
	wall = (now_ns(CLOCK_MONOTONIC) - wall) / rounds;
	cpu = (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / rounds;
	printf("%.1f %.1f %.1f\n", wall, cpu, least);
	return 0;
}
