/* SPDX-License-Identifier: GPL-2.0 */
/* Adding a task's row to its account: at exit, or to make room for another. */
#ifndef ZC_FOLD_H
#define ZC_FOLD_H

#include "tasks.bpf.h"

struct zc_row_sum {
	struct zc_row *sum;
	const struct zc_row *row;
};

static long zc_add_bucket(__u32 bucket, struct zc_row_sum *ctx)
{
	if (bucket < ZC_BUCKETS && ctx->row->latency[bucket])
		__sync_fetch_and_add(&ctx->sum->latency[bucket], ctx->row->latency[bucket]);
	return 0;
}

/* Two threads may exit at once: the sums are atomic, and so is the maximum. */
static __always_inline void zc_row_add(struct zc_row *sum, const struct zc_row *row)
{
	struct zc_row_sum ctx = { .sum = sum, .row = row };
	__u64 seen;

	__sync_fetch_and_add(&sum->calls, row->calls);
	__sync_fetch_and_add(&sum->errors, row->errors);
	__sync_fetch_and_add(&sum->restarts, row->restarts);
	__sync_fetch_and_add(&sum->bytes, row->bytes);
	__sync_fetch_and_add(&sum->wall_ns, row->wall_ns);
	__sync_fetch_and_add(&sum->off_cpu_ns, row->off_cpu_ns);
	__sync_fetch_and_add(&sum->voluntary, row->voluntary);
	__sync_fetch_and_add(&sum->involuntary, row->involuntary);
	seen = sum->max_ns;
	for (int tries = 0; tries < 4 && row->max_ns > seen; tries++)
		seen = __sync_val_compare_and_swap(&sum->max_ns, seen, row->max_ns);
	if (with_latency)
		bpf_loop(ZC_BUCKETS, zc_add_bucket, &ctx, 0);
}

static __noinline int zc_fold_row(struct zc_task *task, __u32 slot)
{
	struct zc_key *key = zc_task_key(task, slot);
	struct zc_row *row = zc_task_row(task, slot);
	struct zc_row_key where = {};
	struct zc_row *sum;

	if (!key || !row)
		return 0;
	where.account = task->head.account;
	where.key = *key;
	sum = bpf_map_lookup_elem(&rows, &where);
	if (!sum) {
		if (!bpf_map_update_elem(&rows, &where, row, BPF_NOEXIST))
			return 0;
		/* Another thread was first, or there is no room. */
		sum = bpf_map_lookup_elem(&rows, &where);
	}
	if (!sum) {
		zc_lose(ZC_LOST_ROWS_FULL, row->calls);
		return 0;
	}
	zc_row_add(sum, row);
	return 0;
}

struct zc_fold {
	struct zc_task *task;
};

static long zc_fold_slot(__u32 slot, struct zc_fold *ctx)
{
	zc_fold_row(ctx->task, slot);
	return 0;
}

static __always_inline void zc_fold_task(struct zc_task *task)
{
	struct zc_fold ctx = { .task = task };

	bpf_loop(task->head.used, zc_fold_slot, &ctx, 0);
}

#endif
