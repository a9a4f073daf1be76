/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Native AIO (io_submit). Nothing reports that a request completes: the kernel writes an
 * event into a ring that the process maps, and a program may read that ring without a
 * call, as qemu does. So every call on a context looks at the events that its ring has
 * gained. The ring has space for all requests in flight; none is overwritten unseen.
 */
#ifndef ZC_AIO_H
#define ZC_AIO_H

#include "bpf/tasks.bpf.h"

/* io_setup() has stored the context's id at this user address. */
int zc_aio_set_up(__u64 address);

/*
 * The most events that a program looks at, and requests that it notes, so that it does not
 * hold up its CPU. The next call on the context looks at the events after these; a request
 * without a note is read when it completes.
 */
#define ZC_AIO_MOST 128

/*
 * Counts the events since the last look, in rows of the current task. Returns how many it
 * looked at, at most `most`, plus 1; 0: not possible.
 */
__u32 zc_aio_look_at(__u64 context, __u32 most);

static __always_inline bool zc_aio_look(__u64 context)
{
	return zc_aio_look_at(context, ZC_AIO_MOST);
}

/* Called after a look: io_submit() has accepted `count` requests of the array at `requests`. */
int zc_aio_submitted(__u64 context, __u64 requests, __u32 count, __u32 compat);

/* The context is gone. */
int zc_aio_forget(__u64 context);

/* All contexts of the current process are gone. */
int zc_aio_forget_all(void);

/* The last thread of the current process exits. */
int zc_aio_exit(void);

/* Whether any observed process ever used native AIO. */
extern __u32 aio_used;

#endif
