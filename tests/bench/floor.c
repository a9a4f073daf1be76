// SPDX-License-Identifier: MIT
/* Keeps the two empty programs attached until its standard input ends. */
#include <stdio.h>
#include <unistd.h>

#include "floor.skel.h"

int main(void)
{
	struct floor_bpf *floor = floor_bpf__open_and_load();
	char byte;

	if (!floor || floor_bpf__attach(floor)) {
		fprintf(stderr, "floor: cannot load the empty programs\n");
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	floor_bpf__destroy(floor);
	return 0;
}
