// SPDX-License-Identifier: MIT
/*
 * loop [ROUNDS [THREADS [BYTES [SOURCE SINK]]]]: the loop that overheads are measured on, reads and
 * writes of BYTES (512) bytes of devices that do nothing, or at the beginning of two files. Prints
 * nanoseconds a syscall: wall time, CPU time of all its threads, and CPU time in the fastest slice
 * of 2,000, in which nothing else had a part of the processor.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

enum { SLICE = 1000 };	/* rounds, of two calls each */

static long rounds;
static long bytes = 512;
static const char *source, *sink;

/* Devices have no position, so their calls need none. */
static int move(int from, int to, char *buffer)
{
	if (source)
		return pread(from, buffer, bytes, 0) == bytes && pwrite(to, buffer, bytes, 0) == bytes;
	return read(from, buffer, bytes) == bytes && write(to, buffer, bytes) == bytes;
}

/* Leaves its fastest slice's CPU time a call in *least. */
static void *loop(void *least)
{
	int from = open(source ? source : "/dev/zero", O_RDONLY);
	int to = open(sink ? sink : "/dev/null", O_WRONLY);
	double *fastest = least, begin = 0, ns;
	char *buffer = calloc(1, bytes);

	if (!buffer)
		abort();
	*fastest = 0;
	for (long i = 0; i < rounds; i++) {
		if (i % SLICE == 0)
			begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
		if (!move(from, to, buffer))
			abort();
		if (i % SLICE != SLICE - 1)
			continue;
		ns = (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / (2 * SLICE);
		if (*fastest == 0 || ns < *fastest)
			*fastest = ns;
	}
	close(from);
	close(to);
	free(buffer);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	double wall, cpu, calls, least = 0, fastest[1024];
	pthread_t ids[1024];

	if (argc > 3)
		bytes = atol(argv[3]);
	if (argc > 5) {
		source = argv[4];
		sink = argv[5];
	}
	if (threads < 1 || threads > 1024 || bytes < 1)
		return 2;
	rounds = (argc > 1 ? atol(argv[1]) : 1000000) / threads;
	calls = 2.0 * rounds * threads;
	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, loop, &fastest[i]))
			abort();
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	wall = (now_ns(CLOCK_MONOTONIC) - wall) / calls;
	cpu = (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / calls;
	for (int i = 0; i < threads; i++)
		if (least == 0 || fastest[i] < least)
			least = fastest[i];
	printf("%.1f %.1f %.1f\n", wall, cpu, least);
	return 0;
}
