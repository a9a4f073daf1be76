/*
 * The loop that overheads are measured on: 512-byte reads and writes of devices that do
 * nothing. Prints nanoseconds a syscall: wall time, and CPU time of all its threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long rounds;

static void *loop(void *unused)
{
	char buffer[512] = { 0 };
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);

	(void)unused;
	for (long i = 0; i < rounds; i++)
		if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer) ||
		    write(null, buffer, sizeof(buffer)) != sizeof(buffer))
			abort();
	close(zero);
	close(null);
	return NULL;
}

static double now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	double wall, cpu, calls;
	pthread_t ids[1024];

	if (threads < 1 || threads > 1024)
		return 2;
	rounds = (argc > 1 ? atol(argv[1]) : 1000000) / threads;
	calls = 2.0 * rounds * threads;
	wall = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, loop, NULL))
			abort();
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("%.1f %.1f\n", (now_ns(CLOCK_MONOTONIC) - wall) / calls,
	       (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / calls);
	return 0;
}
