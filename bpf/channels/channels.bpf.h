/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which file, pipe or socket the bytes of a row came from and went to. A row of a task keeps
 * the channels of its latest call (a run). When they change, what the row gained since is
 * added to the map `runs`, by account, row and both channels. So a loop over the same
 * descriptors costs one comparison a call. Only with config.channels.
 */
#ifndef ZC_CHANNELS_H
#define ZC_CHANNELS_H

#include "bpf/kinds.bpf.h"

/* Of the two maps, the one that programs write to: 0 for runs_even, 1 for runs_odd. */
extern __u32 runs_active;
/* Entries of it. */
extern __u32 runs_used;
/* Names that were not told to user space. */
extern __u64 names_lost;

/* The ends that are files, pipes or sockets. */
#define ZC_KINDS_WITH_CHANNEL (1U << ZC_FILE | 1U << ZC_SOCKET | 1U << ZC_PIPE | \
			       1U << ZC_DEVICE | 1U << ZC_FUSE | 1U << ZC_NULL)

/* A channel with the address of its struct file; 0: none. */
struct zc_channel_use {
	struct zc_channel channel;
	__u64 file;
};

struct zc_channel_uses {
	struct zc_channel_use from;
	struct zc_channel_use to;
};

/* Adds what the row with this key gained to the map, and begins to count anew. */
int zc_run_fold(struct zc_run *run, struct zc_row_sums *row, __u64 account, __u32 word);

/* Tells user space the name of the struct file at `file`, which is `channel`, unless it knows it. */
int zc_name(__u64 file, const struct zc_channel *channel, __u32 kind);

static __always_inline bool zc_has_channel(__u32 kind)
{
	return ZC_KINDS_WITH_CHANNEL >> kind & 1;
}

static __always_inline struct zc_channel_use zc_channel_of(__u64 file)
{
	struct zc_channel_use use = {};

	if (!file)
		return use;
	use.file = file;
	zc_file_channel(file, &use.channel);
	return use;
}

/* NULL stands for none. */
static __always_inline bool zc_same_channel(const struct zc_channel *one,
					    const struct zc_channel *other)
{
	if (!other)
		return !one->inode;
	return one->inode == other->inode && one->device == other->device &&
	       one->generation == other->generation;
}

/*
 * From now on the row in this slot counts for these channels; NULL: none. True if it counted for
 * others before.
 */
static __always_inline bool zc_run_use(struct zc_task *state, __u32 slot, struct zc_key key,
				       const struct zc_channel *from,
				       const struct zc_channel *to)
{
	static const struct zc_channel none;
	struct zc_run *run = zc_task_run(state, slot);
	struct zc_row *row = zc_task_row(state, slot);

	if (!run || !row)
		return false;
	if (zc_same_channel(&run->from, from) && zc_same_channel(&run->to, to))
		return false;
	zc_run_fold(run, (struct zc_row_sums *)row, state->head.account, key.word);
	run->from = from ? *from : none;
	run->to = to ? *to : none;
	return true;
}

/* The same for channels whose files are at hand, so that user space learns their names. */
static __always_inline void zc_run_use_files(struct zc_task *state, __u32 slot,
					     struct zc_key key,
					     const struct zc_channel_uses *uses)
{
	if (!zc_run_use(state, slot, key, &uses->from.channel, &uses->to.channel))
		return;
	if (uses->from.file)
		zc_name(uses->from.file, &uses->from.channel, ZC_KEY_FROM(key));
	if (uses->to.file)
		zc_name(uses->to.file, &uses->to.channel, ZC_KEY_TO(key));
}

/* The row in this slot is about to be added to its account. */
static __always_inline void zc_run_end(struct zc_task *state, __u32 slot)
{
	struct zc_key *key = zc_task_key(state, slot);
	struct zc_run *run = zc_task_run(state, slot);
	struct zc_row *row = zc_task_row(state, slot);

	if (key && run && row)
		zc_run_fold(run, (struct zc_row_sums *)row, state->head.account, key->word);
}

#endif
