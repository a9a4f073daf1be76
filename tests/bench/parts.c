// SPDX-License-Identifier: MIT
/*
 * What each part of counting a syscall costs: the loop of loop.c under programs that do one
 * thing more at each step. Prints a line a step: its name, then the least and the median
 * nanoseconds of CPU time that it adds to a syscall, and what all up to it add.
 *
 * parts [ROUNDS [CALLS]]
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef unsigned int __u32;
typedef unsigned long long __u64;

#include "bpf/abi.h"
#include "parts.skel.h"
#include "clock.h"

enum part { BARE, EXIT_ONLY, EMPTY, CURRENT, BIT, STATE, ROW, KIND, CLOCK, HISTOGRAM, PARTS };

static const char *const names[PARTS] = {
	[BARE] = "bare",
	[EXIT_ONLY] = "an empty program at exit",
	[EMPTY] = "and one at entry",
	[CURRENT] = "the current task, both",
	[BIT] = "its observed bit, both",
	[STATE] = "look-up in task storage, both",
	[ROW] = "the row and its counts",
	[KIND] = "kind of one descriptor",
	[CLOCK] = "two clock reads",
	[HISTOGRAM] = "histogram",
};

#define MAX_ROUNDS 1000
#define SLICE_CALLS 2000

static double added_ns[PARTS][MAX_ROUNDS];

/*
 * CPU time of a syscall, in ns: of many short slices the fastest, in which nothing else had
 * a part of this processor.
 */
static double loop_ns(long calls, int zero, int null)
{
	char buffer[512] = { 0 };
	double least = 0;

	for (long slice = 0; slice < calls / SLICE_CALLS; slice++) {
		double begin = now_ns(CLOCK_THREAD_CPUTIME_ID), ns;

		for (int i = 0; i < SLICE_CALLS / 2; i++)
			if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer) ||
			    write(null, buffer, sizeof(buffer)) != sizeof(buffer))
				abort();
		ns = (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / SLICE_CALLS;
		if (slice == 0 || ns < least)
			least = ns;
	}
	return least;
}

static void fail(const char *what)
{
	fprintf(stderr, "parts: %s\n", what);
	exit(1);
}

/* User space may make a task's storage, by a pidfd. */
static void observe_self(struct parts_bpf *parts)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	struct zc_task *state = calloc(1, sizeof(*state));

	if (pidfd < 0 || !state ||
	    bpf_map_update_elem(bpf_map__fd(parts->maps.states), &pidfd, state, BPF_NOEXIST))
		fail("cannot make the state of this task");
	parts->bss->observed[getpid() / 64] |= 1ULL << (getpid() % 64);
	free(state);
	close(pidfd);
}

static struct parts_bpf *attach(enum part part)
{
	struct parts_bpf *parts = parts_bpf__open();

	if (!parts)
		fail("cannot open the programs");
	parts->rodata->with_current = part >= CURRENT;
	parts->rodata->with_bit = part >= BIT;
	parts->rodata->with_state = part >= STATE;
	parts->rodata->with_row = part >= ROW;
	parts->rodata->with_kind = part >= KIND;
	parts->rodata->with_clock = part >= CLOCK;
	parts->rodata->with_histogram = part >= HISTOGRAM;
	bpf_program__set_autoload(parts->progs.part_enter, part >= EMPTY);
	if (parts_bpf__load(parts))
		fail("cannot load the programs");
	if (part >= STATE)
		observe_self(parts);
	else
		parts->bss->observed[getpid() / 64] |= 1ULL << (getpid() % 64);
	if (parts_bpf__attach(parts))
		fail("cannot attach the programs");
	return parts;
}

static int ascending(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return difference < 0 ? -1 : difference > 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 15;
	long calls = argc > 2 ? atol(argv[2]) : 100000;
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);

	if (rounds < 1 || rounds > MAX_ROUNDS || calls < SLICE_CALLS || zero < 0 || null < 0)
		fail("usage: parts [ROUNDS [CALLS]]");
	for (int round = 0; round < rounds; round++) {
		for (enum part part = BARE; part < PARTS; part++) {
			struct parts_bpf *parts = part == BARE ? NULL : attach(part);

			added_ns[part][round] = loop_ns(calls, zero, null);
			parts_bpf__destroy(parts);
		}
	}
	for (enum part part = BARE; part < PARTS; part++)
		qsort(added_ns[part], rounds, sizeof(double), ascending);
	for (enum part part = EXIT_ONLY; part < PARTS; part++)
		printf("%s\t%.1f\t%.1f\t%.1f\n", names[part],
		       added_ns[part][0] - added_ns[part - 1][0],
		       added_ns[part][rounds / 2] - added_ns[part - 1][rounds / 2],
		       added_ns[part][0] - added_ns[BARE][0]);
	return 0;
}
