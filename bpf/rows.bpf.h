/* SPDX-License-Identifier: GPL-2.0 */
/* Finds and makes a task's rows, and adds them to its account. */
#ifndef ZC_ROWS_H
#define ZC_ROWS_H

#include "tasks.bpf.h"

/*
 * The slot of the row with key `word`, which is created if necessary. One function for each
 * map, because the verifier takes the size of the value from the type of the pointer.
 */
__u32 zc_row_slot_narrow(struct zc_task *task, __u32 word);
__u32 zc_row_slot_wide(struct zc_task_wide *task, __u32 word);
__u32 zc_row_slot_channels(struct zc_task_channels *task, __u32 word);

/*
 * Adds one row to the account; the task keeps its own. `last`: the account ends with this
 * task, so that its rows are deleted soon and need not stay within its capacity.
 */
int zc_fold_narrow(struct zc_task *task, __u32 slot, __u32 last);
int zc_fold_wide(struct zc_task_wide *task, __u32 slot, __u32 last);
int zc_fold_channels(struct zc_task_channels *task, __u32 slot, __u32 last);

/* Adds to a count of the map `tallies`. */
int zc_tally(__u64 account, __u32 word, __u32 what, __u64 count);

/* Counts an error. Processes can write any number into a ring. */
static __always_inline void zc_tally_error(__u64 account, struct zc_key key, __u64 number)
{
	if (number < ZC_TALLY_COPIED)
		zc_tally(account, key.word, number, 1);
}

static __always_inline void zc_fold_row(struct zc_task *task, __u32 slot, bool last)
{
	if (config.wide_tasks)
		zc_fold_wide((struct zc_task_wide *)task, slot, last);
	else if (config.channels)
		zc_fold_channels((struct zc_task_channels *)task, slot, last);
	else
		zc_fold_narrow(task, slot, last);
}

static __always_inline __u32 zc_row_slot(struct zc_task *task, struct zc_key key)
{
	__u32 slot = task->head.hint[key.word % ZC_HINTS];
	struct zc_key *mine = zc_task_key(task, slot);

	if (mine && slot < task->head.used && mine->word == key.word)
		return slot;
	if (config.wide_tasks)
		return zc_row_slot_wide((struct zc_task_wide *)task, key.word);
	if (config.channels)
		return zc_row_slot_channels((struct zc_task_channels *)task, key.word);
	return zc_row_slot_narrow(task, key.word);
}

#endif
