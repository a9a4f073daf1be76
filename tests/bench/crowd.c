// SPDX-License-Identifier: MIT
/* Runs threads in several processes, each of which wakes ten times a second, until input ends. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void *member(void *unused)
{
	struct timespec pause = { 0, 100000000 };

	(void)unused;
	for (;;)
		nanosleep(&pause, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 10, threads = argc > 2 ? atoi(argv[2]) : 100;
	pthread_attr_t small;
	char byte;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int p = 0; p < processes; p++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int t = 1; t < threads; t++) {
			pthread_t id;

			if (pthread_create(&id, &small, member, NULL))
				return 1;
		}
		member(NULL);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
