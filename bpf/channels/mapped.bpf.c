// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what page faults map of files: bytes that a process reads or writes without a call. In
 * the context of the task that has the fault. Without config.mapped neither the programs nor the
 * map exist.
 */
#include "channels.bpf.h"
#include "name_types.bpf.h"

#define FUSE_SUPER_MAGIC 0x65735546

/* What page faults mapped, by account and file. The collector deletes what is idle. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_mapped_key);
	__type(value, struct zc_mapped_sums);
} mapped SEC(".maps");

/*
 * Tells user space what the file is called. The kernel maps a file that has no name here, so this
 * takes the struct file of any mapping of it: the tree's root. Nothing keeps that mapping, so the
 * struct file is used only if it still is one of this file.
 */
static __always_inline void zc_name_mapped(struct address_space *mapping,
					   const struct zc_channel *channel)
{
	struct rb_node *node = BPF_CORE_READ(mapping, i_mmap.rb_root.rb_node);
	struct vm_area_struct *area;
	struct file *file;
	__u32 kind;

	if (!node)
		return;
	area = (void *)node - bpf_core_field_offset(struct vm_area_struct, shared.rb);
	file = BPF_CORE_READ(area, vm_file);
	if (!file || BPF_CORE_READ(file, f_mapping) != mapping)
		return;
	kind = BPF_CORE_READ(mapping, host, i_sb, s_magic) == FUSE_SUPER_MAGIC ? ZC_FUSE : ZC_FILE;
	zc_name(zc_address(file), channel, kind);
}

static __always_inline struct zc_mapped_sums *zc_mapped_new(struct zc_mapped_key *key,
							    struct address_space *mapping)
{
	static const struct zc_mapped_sums nothing;
	static const struct zc_channel no_file;
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &key->account);
	struct zc_mapped_sums *sums;
	struct zc_share *share;

	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (share->mapped >= config.most.mapped) {
		/* The sum of these files. There are far fewer accounts. */
		key->file = no_file;
		sums = bpf_map_lookup_elem(&mapped, key);
		if (sums)
			return sums;
	} else {
		zc_name_mapped(mapping, &key->file);
	}
	/* Fails if another thread was first. */
	if (!bpf_map_update_elem(&mapped, key, &nothing, BPF_NOEXIST))
		__sync_fetch_and_add(&share->mapped, 1);
	return bpf_map_lookup_elem(&mapped, key);
}

/*
 * How many of these pages the fault before had not reached. The kernel maps pages up to a border
 * that depends on the address, and the first of a mapping may lie anywhere before one: then the
 * next fault goes back to the border, and some pages are in both.
 */
static __always_inline __u64 zc_fault_overlap(const struct zc_fault *before, __u64 first,
					      __u64 last)
{
	if (first > before->first && first <= before->last && last > before->last)
		return before->last - first + 1;
	if (last < before->last && last >= before->first && first < before->first)
		return last - before->first + 1;
	return 0;
}

/*
 * How many of these pages this fault has not counted yet. The kernel tries a fault again after it
 * has waited for the disk, and then often maps more pages around the first. The task's counters
 * of faults change only when one has ended.
 */
static __always_inline __u64 zc_fault_grows(struct zc_fault *fault, struct task_struct *task,
					    const struct zc_channel *file, __u64 first, __u64 last)
{
	__u64 number = task->min_flt + task->maj_flt + 1, before;
	bool same = fault->number && zc_same_channel(&fault->file, file);

	if (!same || fault->number != number || first > fault->last + 1 ||
	    last + 1 < fault->first) {
		before = same ? zc_fault_overlap(fault, first, last) : 0;
		fault->number = number;
		fault->file = *file;
		fault->first = first;
		fault->last = last;
		return last - first + 1 - before;
	}
	before = fault->last - fault->first;
	if (first < fault->first)
		fault->first = first;
	if (last > fault->last)
		fault->last = last;
	return fault->last - fault->first - before;
}

static __always_inline int zc_map_pages(struct address_space *mapping, __u64 first, __u64 last)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_mapped_key key = {};
	struct zc_mapped_sums *sums;
	struct zc_fault *fault;
	struct zc_task *state;
	struct inode *host;
	__u64 pages, before;

	if (!zc_observed(task) || !zc_counting() || last < first)
		return 0;
	state = zc_task_of(task);
	if (!state)
		return 0;
	host = mapping->host;
	key.account = state->head.account;
	key.file.inode = host->i_ino;
	key.file.generation = host->i_generation;
	key.file.device = host->i_sb->s_dev;
	fault = zc_task_fault(state);
	before = fault->number;
	pages = zc_fault_grows(fault, task, &key.file, first, last);
	sums = bpf_map_lookup_elem(&mapped, &key);
	if (!sums)
		sums = zc_mapped_new(&key, mapping);
	if (!sums) {
		zc_lose(ZC_LOST_MAPPED_FULL, 1);
		return 0;
	}
	__sync_fetch_and_add(&sums->pages, pages);
	if (fault->number != before)
		__sync_fetch_and_add(&sums->faults, 1);
	return 0;
}

/* Pages of the cache that a fault maps around the one that it needs. Since 6.12. */
SEC("?zc_tp_btf/mm_filemap_map_pages")
int BPF_PROG(zc_map_around, struct address_space *mapping, unsigned long first,
	     unsigned long last)
{
	return zc_map_pages(mapping, first, last);
}

/* The one page of a fault that has to wait for it, or that is going to write to it. Since 6.12. */
SEC("?zc_tp_btf/mm_filemap_fault")
int BPF_PROG(zc_map_one, struct address_space *mapping, unsigned long page)
{
	return zc_map_pages(mapping, page, page);
}
