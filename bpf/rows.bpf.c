// SPDX-License-Identifier: GPL-2.0
/*
 * Finds a task's row when the hint was wrong, and adds a row to the task's account, at
 * exit or to free a slot.
 */
#include "channels/channels.bpf.h"
#include "clear.bpf.h"
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

/*
 * Two threads may exit at once, so the sums and the maximum are atomic. Global, because there are
 * many ways to get here and the verifier would walk it after each.
 */
int zc_row_add(struct zc_row *sum, const struct zc_row *row)
{
	struct zc_row_sum ctx = { .sum = sum, .row = row };
	__u64 seen;

	if (!sum || !row)
		return 0;
	zc_counters_add(sum, row, ZC_ROW_SUMS);
	seen = sum->max_ns;
	for (int tries = 0; tries < 4 && row->max_ns > seen; tries++)
		seen = __sync_val_compare_and_swap(&sum->max_ns, seen, row->max_ns);
	seen = sum->min_ns;
	for (int tries = 0; tries < 4 && row->min_ns && (!seen || row->min_ns < seen); tries++)
		seen = __sync_val_compare_and_swap(&sum->min_ns, seen, row->min_ns);
	if (config.latency)
		bpf_loop(ZC_BUCKETS, zc_add_bucket, &ctx, 0);
	return 0;
}

/*
 * A new row of the account, as long as the account and its share have capacity. A process
 * that makes many kinds of calls, and a user with many such processes, thus leave space for
 * others. Rows of processes that end have a little more: they are deleted soon.
 */
static __noinline struct zc_row *zc_new_row(const struct zc_row_key *where, bool last)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &where->account);
	__u32 most = config.most.rows;
	struct zc_share *share;

	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (last)
		most += most / 6;
	else if (account->rows >= config.rows_of_account)
		return 0;
	if (share->rows >= most)
		return 0;
	/*
	 * Not the task's row itself: 6.1 does not accept an argument of a global function as
	 * a map's value. Fails if another thread was first.
	 */
	if (!bpf_map_update_elem(&rows, where, &empty, BPF_NOEXIST)) {
		/* Two threads may count one; it need not be exact. */
		account->rows++;
		__sync_fetch_and_add(&share->rows, 1);
	}
	return bpf_map_lookup_elem(&rows, where);
}

static __always_inline struct zc_row *zc_folded_row(__u64 account)
{
	struct zc_row *sum = bpf_map_lookup_elem(&folded, &account);

	if (sum)
		return sum;
	bpf_map_update_elem(&folded, &account, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&folded, &account);
}

static __always_inline int zc_fold(struct zc_task *task, __u32 slot, bool last)
{
	struct zc_key *key = zc_task_key(task, slot);
	struct zc_row *row = zc_task_row(task, slot);
	struct zc_row_key where = {};
	struct zc_row *sum;

	if (!key || !row)
		return 0;
	if (config.channels)
		zc_run_end(task, slot);
	where.account = task->head.account;
	where.key = *key;
	sum = bpf_map_lookup_elem(&rows, &where);
	if (!sum)
		sum = zc_new_row(&where, last);
	if (!sum) {
		sum = zc_folded_row(where.account);
		if (sum)
			__sync_fetch_and_add(&rows_folded, 1);
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

/* The same as zc_new_row(). Without space the error has no number. */
static __always_inline __u64 *zc_new_tally(const struct zc_tally_key *key)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &key->account);
	static const __u64 none = 0;
	struct zc_share *share;

	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (account->tallies >= config.tallies_of_account ||
	    share->tallies >= config.most.tallies)
		return 0;
	/* Fails if another thread was first. */
	if (!bpf_map_update_elem(&tallies, key, &none, BPF_NOEXIST)) {
		account->tallies++;
		__sync_fetch_and_add(&share->tallies, 1);
	}
	return bpf_map_lookup_elem(&tallies, key);
}

int zc_tally(__u64 account, __u32 word, __u32 what, __u64 count)
{
	struct zc_tally_key key = { .account = account, .key = { word }, .what = what };
	__u64 *sum = bpf_map_lookup_elem(&tallies, &key);

	if (!sum)
		sum = zc_new_tally(&key);
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
	struct zc_run *run = 0;
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
		if (config.channels) {
			run = zc_task_run(task, slot);
			if (!run)
				return 0;
		}
		if (full)
			zc_fold(task, slot, false);
		ZC_CLEAR(*row);
		if (config.channels)
			ZC_CLEAR(*run);
		key->word = word;
		if (slot == task->head.used)
			task->head.used = slot + 1;
	}
	task->head.hint[word % ZC_HINTS] = slot;
	return slot;
}

__u32 zc_row_slot_narrow(struct zc_task *task, __u32 word)
{
	if (!task || config.wide_tasks || config.channels)
		return 0;
	return zc_row_slot_search(task, word);
}

__u32 zc_row_slot_channels(struct zc_task_channels *task, __u32 word)
{
	if (!task || config.wide_tasks || !config.channels)
		return 0;
	return zc_row_slot_search((struct zc_task *)task, word);
}

__u32 zc_row_slot_wide(struct zc_task_wide *task, __u32 word)
{
	if (!task || !config.wide_tasks)
		return 0;
	return zc_row_slot_search((struct zc_task *)task, word);
}

int zc_fold_narrow(struct zc_task *task, __u32 slot, __u32 last)
{
	if (!task || config.wide_tasks || config.channels)
		return 0;
	return zc_fold(task, slot, last != 0);
}

int zc_fold_channels(struct zc_task_channels *task, __u32 slot, __u32 last)
{
	if (!task || config.wide_tasks || !config.channels)
		return 0;
	return zc_fold((struct zc_task *)task, slot, last != 0);
}

int zc_fold_wide(struct zc_task_wide *task, __u32 slot, __u32 last)
{
	if (!task || !config.wide_tasks)
		return 0;
	return zc_fold((struct zc_task *)task, slot, last != 0);
}
