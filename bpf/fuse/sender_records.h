/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * In which system call a thread sent a read request: what the program of `zctrace mount` notes, and the
 * daemon looks up.
 */
#ifndef ZC_SENDER_RECORDS_H
#define ZC_SENDER_RECORDS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* A note that another one replaces is not found; it is taken away when it is read. */
#define ZC_SENDER_NOTES 4096

/* In the place of a call's number. */
#define ZC_SENDER_IN_NO_CALL -1	/* a page fault of user code */
#define ZC_SENDER_UNKNOWN -2

/* The number of a call is in the lowest bits of a note; the rest says which request it is of. */
#define ZC_SENDER_CALL_BITS 16

/* Of what identifies a request while its thread waits: the steps of MurmurHash3's finalizer. */
static inline __u64 zc_sender_key(__u32 thread, __u64 handle, __u64 offset)
{
	__u64 mixed = handle * 0x9e3779b97f4a7c15ULL ^ offset * 0xc2b2ae3d27d4eb4fULL ^ thread;

	mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdULL;
	mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return mixed ^ mixed >> 33;
}

static inline __u32 zc_sender_slot(__u64 key)
{
	return key & (ZC_SENDER_NOTES - 1);
}

static inline __u64 zc_sender_note(__u64 key, __s32 call)
{
	return key << ZC_SENDER_CALL_BITS | (__u16)call;
}

#endif
