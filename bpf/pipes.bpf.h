/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pipe bytes went into and came out of. A task adds up what it does with one pipe
 * (a run) and adds the sum to the map `pipes` only when it uses another pipe, so that a
 * loop over one pipe costs one compare a call.
 */
#ifndef ZC_PIPES_H
#define ZC_PIPES_H

#include "kinds.bpf.h"

/* Adds a run to the map and empties it; `put`: head->put, otherwise head->taken. */
int zc_pipe_fold(struct zc_task_head *head, __u32 put);

static __always_inline void zc_pipe_fold_runs(struct zc_task *task)
{
	zc_pipe_fold(&task->head, 0);
	zc_pipe_fold(&task->head, 1);
}

/* All that a request does with pipes. */
int zc_pipe_request(struct zc_task_head *head, __u64 from, __u64 to, __u32 result, __u64 bytes);

static __always_inline void zc_pipe_use(struct zc_task_head *head, struct zc_pipe_run *run,
					__u64 pipe, __u32 put)
{
	if (run->pipe == pipe)
		return;
	if (run->copied | run->moved)
		zc_pipe_fold(head, put);
	run->pipe = pipe;
}

/*
 * Begins the runs that a call or request needs. `result` is its enum zc_result, the value
 * a set of enum zc_pipe_use. tee leaves the bytes in the pipe that it reads; vmsplice
 * lends pages to a pipe, but copies out of it.
 */
static __always_inline __u8 zc_pipes_use(struct zc_task_head *head, __u64 from, __u64 to,
					 __u8 result)
{
	__u8 pipes = 0;

	if (ZC_END_PIPE(from) && result != ZC_RESULT_TEE) {
		zc_pipe_use(head, &head->taken, ZC_END_PIPE(from), 0);
		pipes |= ZC_PIPE_TAKES;
	}
	if (ZC_END_PIPE(to)) {
		zc_pipe_use(head, &head->put, ZC_END_PIPE(to), 1);
		pipes |= ZC_PIPE_PUTS;
	}
	if (to == ZC_USER || (from == ZC_USER && result != ZC_RESULT_VMSPLICE))
		pipes |= ZC_PIPE_COPIES;
	return pipes;
}

static __always_inline void zc_pipes_add(struct zc_task_head *head, __u8 pipes, __u64 bytes)
{
	__u64 copied = pipes & ZC_PIPE_COPIES ? bytes : 0;

	if (pipes & ZC_PIPE_TAKES) {
		head->taken.copied += copied;
		head->taken.moved += bytes - copied;
	}
	if (pipes & ZC_PIPE_PUTS) {
		head->put.copied += copied;
		head->put.moved += bytes - copied;
	}
}

#endif
