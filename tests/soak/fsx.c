// SPDX-License-Identifier: MIT
// fsx FILE OPERATIONS SEED: random operations on a file, each compared with a copy in memory: read,
// write, truncate, mapped reads and writes, fallocate, copy_file_range, fsync and reopening. Ends
// with 1 at the first difference, and says after which operation.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 256 << 10, ONE = 32 << 10 };

static const char *name;
static char model[MOST], buffer[MOST];
static size_t length;  // of the file
static int file;
static long operation;
static const char *kind = "open";
static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return below ? (uint32_t)(state >> 33) % below : 0;
}

static void fail(const char *what, size_t at)
{
	fprintf(stderr, "fsx: operation %ld, %s: %s at %zu of %zu (%s)\n", operation, kind, what, at,
		length, strerror(errno));
	exit(1);
}

static void compare(const char *found, size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (found[i] != model[at + i]) {
			errno = 0;
			fail("wrong byte", at + i);
		}
}

/* A write of no bytes does not grow the file, whatever its offset. */
static void grow(size_t at, size_t size)
{
	if (size && at + size > length)
		length = at + size;
}

static void reopen(void)
{
	if (file > 0 && close(file))
		fail("close", 0);
	file = open(name, O_RDWR | O_CREAT, 0600);
	if (file < 0)
		fail("open", 0);
}

static void check_size(void)
{
	struct stat status;

	if (fstat(file, &status) || (size_t)status.st_size != length)
		fail("wrong size", (size_t)status.st_size);
}

static void fill(size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		model[at + i] = (char)any(256);
}

static void do_read(size_t at, size_t size)
{
	size_t wanted = at >= length ? 0 : at + size > length ? length - at : size;

	if (pread(file, buffer, size, (off_t)at) != (ssize_t)wanted)
		fail("short read", at);
	compare(buffer, at, wanted);
}

static void do_write(size_t at, size_t size)
{
	fill(at, size);
	if (pwrite(file, model + at, size, (off_t)at) != (ssize_t)size)
		fail("short write", at);
	grow(at, size);
}

static void do_truncate(size_t size)
{
	if (ftruncate(file, (off_t)size))
		fail("ftruncate", size);
	if (size < length)
		memset(model + size, 0, length - size);
	length = size;
}

static void do_map(size_t at, size_t size, int writes)
{
	char *map;

	if (at >= length)
		return;
	if (at + size > length)
		size = length - at;
	map = mmap(NULL, length, PROT_READ | (writes ? PROT_WRITE : 0), MAP_SHARED, file, 0);
	if (map == MAP_FAILED) {
		if (errno == ENODEV)  // direct I/O allows no shared mappings on some kernels
			return;
		fail("mmap", at);
	}
	if (writes) {
		fill(at, size);
		memcpy(map + at, model + at, size);
		if (msync(map, length, MS_SYNC))
			fail("msync", at);
	} else {
		compare(map + at, at, size);
	}
	munmap(map, length);
}

static void do_allocate(size_t at, size_t size, int mode)
{
	if (!size)
		return;
	if (fallocate(file, mode, (off_t)at, (off_t)size)) {
		if (errno == EOPNOTSUPP)
			return;
		fail("fallocate", at);
	}
	if (!mode)
		grow(at, size);
	else
		memset(model + at, 0, size);
}

static void do_copy(size_t from, size_t to, size_t size)
{
	loff_t in = (loff_t)from, out = (loff_t)to;
	ssize_t n;

	if (from + size > length || from + size > to || to + size > MOST)
		return;
	n = copy_file_range(file, &in, file, &out, size, 0);
	if (n < 0) {
		if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOSYS)
			return;
		fail("copy_file_range", from);
	}
	memcpy(model + to, model + from, (size_t)n);
	grow(to, (size_t)n);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	name = argv[1];
	state = strtoull(argv[3], NULL, 10) * 2 + 1;
	reopen();
	for (operation = 1; operation <= atol(argv[2]); operation++) {
		size_t size = any(ONE), at = any(MOST - ONE);

		switch (any(11)) {
		case 0:
		case 1: kind = "read"; do_read(at, size); break;
		case 2:
		case 3: kind = "write"; do_write(at, size); break;
		case 4: kind = "truncate"; do_truncate(at); break;
		case 5: kind = "mapped read"; do_map(at, size, 0); break;
		case 6: kind = "mapped write"; do_map(at, size, 1); break;
		case 7: kind = "fallocate"; do_allocate(at, size, 0); break;
		case 8: kind = "punch"; do_allocate(at, size, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE); break;
		case 9: kind = "copy"; do_copy(at, any(MOST - ONE), size); break;
		default:
			kind = "reopen";
			if (any(2) && fsync(file))
				fail("fsync", 0);
			reopen();
		}
		check_size();
	}
	kind = "end";
	do_read(0, MOST);
	return 0;
}
