// SPDX-License-Identifier: GPL-2.0
/*
 * Finds a task's row when the hint was wrong, and adds a row to the task's account, at
 * exit or to free a slot.
 */
#include "rows.bpf.h"

static const struct zc_row empty = {};

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

/* Two threads may exit at once, so the sums and the maximum are atomic. */
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
	__sync_fetch_and_add(&sum->disk_read, row->disk_read);
	__sync_fetch_and_add(&sum->dirtied, row->dirtied);
	__sync_fetch_and_add(&sum->seen, row->seen);
	seen = sum->max_ns;
	for (int tries = 0; tries < 4 && row->max_ns > seen; tries++)
		seen = __sync_val_compare_and_swap(&sum->max_ns, seen, row->max_ns);
	seen = sum->min_ns;
	for (int tries = 0; tries < 4 && row->min_ns && (!seen || row->min_ns < seen); tries++)
		seen = __sync_val_compare_and_swap(&sum->min_ns, seen, row->min_ns);
	if (config.latency)
		bpf_loop(ZC_BUCKETS, zc_add_bucket, &ctx, 0);
}

static __always_inline int zc_fold(struct zc_task *task, __u32 slot)
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
		/*
		 * Not `row` itself: 6.1 does not accept an argument of a global
		 * function as a map's value. Fails if another thread was first.
		 */
		bpf_map_update_elem(&rows, &where, &empty, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&rows, &where);
	}
	if (!sum) {
		/* The row of a call that never returned has switches only. */
		if (row->calls)
			zc_lose(ZC_LOST_ROWS_FULL, row->calls);
		else if (row->restarts | row->voluntary | row->involuntary)
			zc_lose(ZC_LOST_ROWS_FULL, 1);
		return 0;
	}
	zc_row_add(sum, row);
	return 0;
}

int zc_tally(__u64 account, __u32 word, __u32 what, __u64 count)
{
	struct zc_tally_key key = { .account = account, .key = { word }, .what = what };
	static const __u64 none = 0;
	__u64 *sum = bpf_map_lookup_elem(&tallies, &key);

	if (!sum) {
		/* Fails if another thread was first. Without space the error has no number. */
		bpf_map_update_elem(&tallies, &key, &none, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&tallies, &key);
	}
	if (sum)
		__sync_fetch_and_add(sum, count);
	return 0;
}

struct zc_search {
	struct zc_task *task;
	struct zc_key key;
	__u32 slot;	/* of `key` */
	__u32 victim;	/* the row with the fewest calls, except the one in flight */
	__u64 fewest;
};

static long zc_search_slot(__u32 slot, struct zc_search *ctx)
{
	struct zc_key *key = zc_task_key(ctx->task, slot);
	struct zc_row *row = zc_task_row(ctx->task, slot);

	if (!key || !row)
		return 1;
	if (key->word == ctx->key.word) {
		ctx->slot = slot;
		return 1;
	}
	if (row->calls < ctx->fewest &&
	    !(ctx->task->head.call >= 0 && ctx->task->head.slot == slot)) {
		ctx->fewest = row->calls;
		ctx->victim = slot;
	}
	return 0;
}

/* Takes a free slot, or that of the rarest row, whose counts then go to the account. */
static __always_inline __u32 zc_row_slot_search(struct zc_task *task, __u32 word)
{
	struct zc_search search = { .task = task, .key = { word }, .slot = ~0U, .fewest = ~0ULL };
	struct zc_key *key;
	struct zc_row *row;
	__u32 slot;
	bool full;

	bpf_loop(task->head.used, zc_search_slot, &search, 0);
	slot = search.slot;
	if (slot == ~0U) {
		full = task->head.used >= zc_slots();
		slot = full ? search.victim : task->head.used;
		/*
		 * Before anything else tests the slot: after a test that failed, 6.1
		 * assumes that the same test may succeed later, and complains about an
		 * access out of bounds.
		 */
		key = zc_task_key(task, slot);
		row = zc_task_row(task, slot);
		if (!key || !row)
			return 0;
		if (full)
			zc_fold(task, slot);
		__builtin_memset(row, 0, sizeof(*row));
		key->word = word;
		if (slot == task->head.used)
			task->head.used = slot + 1;
	}
	task->head.hint[word % ZC_HINTS] = slot;
	return slot;
}

__u32 zc_row_slot_narrow(struct zc_task *task, __u32 word)
{
	if (!task || config.wide_tasks)
		return 0;
	return zc_row_slot_search(task, word);
}

__u32 zc_row_slot_wide(struct zc_task_wide *task, __u32 word)
{
	if (!task || !config.wide_tasks)
		return 0;
	return zc_row_slot_search((struct zc_task *)task, word);
}

int zc_fold_narrow(struct zc_task *task, __u32 slot)
{
	if (!task || config.wide_tasks)
		return 0;
	return zc_fold(task, slot);
}

int zc_fold_wide(struct zc_task_wide *task, __u32 slot)
{
	if (!task || !config.wide_tasks)
		return 0;
	return zc_fold((struct zc_task *)task, slot);
}
