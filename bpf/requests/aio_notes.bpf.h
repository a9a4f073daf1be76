/* SPDX-License-Identifier: GPL-2.0 */
/* The notes of requests of native AIO between io_submit() and their completion, see aio.bpf.h. */
#ifndef ZC_AIO_NOTES_H
#define ZC_AIO_NOTES_H

#include "aio.bpf.h"
#include "bpf/kinds.bpf.h"

#define EEXIST 17

/* linux/aio_abi.h */
#define IOCB_CMD_PREAD 0
#define IOCB_CMD_PWRITE 1
#define IOCB_CMD_PREADV 7
#define IOCB_CMD_PWRITEV 8

/* A part of struct iocb: the stack that nested functions share is small. */
struct zc_iocb {
	__u16 opcode;
	__u16 priority;
	__u32 fd;
};

#define ZC_IOCB_PART 16

/*
 * A read of memory that is not there costs microseconds, as the processor takes an
 * exception. After so many a program reads no more, so that it does not hold up its CPU.
 */
#define ZC_AIO_FAULTS 8

/*
 * How many there were. In a map, whose values the verifier does not follow: it would walk a loop
 * again for each value.
 */
static __always_inline __u32 *zc_aio_faults(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&aio_faults, &only);
}

/* Before the first of the reads whose failures are limited together. */
static __always_inline void zc_aio_begin_reads(void)
{
	__u32 *faults = zc_aio_faults();

	if (faults)
		*faults = 0;
}

/* PIDs are reused, and many processes have a context at the same address. */
static __always_inline __u64 zc_process(void)
{
	return BPF_CORE_READ(bpf_get_current_task_btf(), group_leader, start_boottime);
}

/*
 * Reads the request itself; 0 if it moves no bytes or cannot be read, which is a fault. `note`
 * begins as zeros.
 */
int zc_aio_read(__u64 address, struct zc_aio_note *note);

/*
 * False if there is a note already. Before Linux 6.4 the result is an int: the upper half of
 * the register is not its sign.
 */
static __always_inline bool zc_aio_add_note(const struct zc_aio_request *request,
					    const struct zc_aio_note *note)
{
	return (int)bpf_map_update_elem(&aio_requests, request, note, BPF_NOEXIST) != -EEXIST;
}

#endif
