/* SPDX-License-Identifier: GPL-2.0 */
/* From a call's descriptors to its row in the task's state. */
#ifndef ZC_ROWS_H
#define ZC_ROWS_H

#include "fold.bpf.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define FUSE_SUPER_MAGIC 0x65735546

static __always_inline __u8 zc_file_kind(struct file *file)
{
	struct inode *inode;

	if (!file)
		return ZC_OTHER;
	inode = BPF_CORE_READ(file, f_inode);
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFREG:
		return BPF_CORE_READ(inode, i_sb, s_magic) == FUSE_SUPER_MAGIC ? ZC_FUSE : ZC_FILE;
	case S_IFSOCK:
		return ZC_SOCKET;
	case S_IFIFO:
		return ZC_PIPE;
	case S_IFCHR:
	case S_IFBLK:
		return ZC_DEVICE;
	default:
		return ZC_OTHER;
	}
}

/* NULL: not open. */
static __always_inline struct file *zc_task_file(const struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = task->files->fdt;
	struct file *file = 0;

	if (fd < fdt->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

struct zc_search {
	struct zc_task *task;
	struct zc_key key;
	__u32 slot;	/* where `key` is */
	__u32 victim;	/* the row with the fewest calls, but for the one in flight */
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

/* The slot of `key`, made if need be: a free one, or that of the rarest row. */
static __noinline __u32 zc_row_slot_slow(struct zc_task *task, __u32 word)
{
	struct zc_search search = { .task = task, .key = { word }, .slot = ~0U, .fewest = ~0ULL };
	struct zc_key *key;
	struct zc_row *row;
	__u32 slot;

	bpf_loop(task->head.used, zc_search_slot, &search, 0);
	slot = search.slot;
	if (slot == ~0U) {
		if (task->head.used < zc_slots()) {
			slot = task->head.used;
		} else {
			slot = search.victim;
			zc_fold_row(task, slot);
		}
		key = zc_task_key(task, slot);
		row = zc_task_row(task, slot);
		if (!key || !row)
			return 0;
		__builtin_memset(row, 0, sizeof(*row));
		key->word = word;
		if (slot == task->head.used)
			task->head.used = slot + 1;
	}
	task->head.hint[word % ZC_HINTS] = slot;
	return slot;
}

static __always_inline __u32 zc_row_slot(struct zc_task *task, struct zc_key key)
{
	__u32 slot = task->head.hint[key.word % ZC_HINTS];
	struct zc_key *mine = zc_task_key(task, slot);

	if (mine && slot < task->head.used && mine->word == key.word)
		return slot;
	return zc_row_slot_slow(task, key.word);
}

#endif
