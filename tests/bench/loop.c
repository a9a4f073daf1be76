/* The loop that overheads are measured on: 512-byte reads and writes, ns a syscall. */
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

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	struct timespec begin, end;
	pthread_t ids[1024];
	double ns;

	rounds = argc > 1 ? atol(argv[1]) : 1000000;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, loop, NULL))
			abort();
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec);
	printf("%.1f\n", ns / (2.0 * rounds * threads));
	return 0;
}
