// SPDX-License-Identifier: GPL-2.0
/* Adds what rows gained to the sums of their files and peers. */
#include "channels.bpf.h"

__u32 runs_active = 0;
__u32 runs_used = 0;

static const struct zc_row_sums nothing = {};

static __always_inline struct zc_row_sums *zc_run_find(const struct zc_run_key *key)
{
	if (runs_active)
		return bpf_map_lookup_elem(&runs_odd, key);
	return bpf_map_lookup_elem(&runs_even, key);
}

static __always_inline long zc_run_create(const struct zc_run_key *key)
{
	if (runs_active)
		return bpf_map_update_elem(&runs_odd, key, &nothing, BPF_NOEXIST);
	return bpf_map_update_elem(&runs_even, key, &nothing, BPF_NOEXIST);
}

/* Without space, the bytes are in the row only: no file or peer has them. */
static __always_inline struct zc_row_sums *zc_run_new(const struct zc_run_key *key)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &key->account);
	struct zc_share *share;

	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (share->runs >= config.most.runs)
		return 0;
	/* Fails if another thread was first. */
	if (!zc_run_create(key)) {
		__sync_fetch_and_add(&share->runs, 1);
		__sync_fetch_and_add(&runs_used, 1);
	}
	return zc_run_find(key);
}

int zc_run_fold(struct zc_run *run, struct zc_row_sums *row, __u64 account, __u32 word)
{
	struct zc_row_sums *sums = 0;
	__u64 *before, *now, any = 0;
	struct zc_run_key *key;
	__u32 only = 0;

	if (!run || !row || !config.channels)
		return 0;
	key = bpf_map_lookup_elem(&new_run, &only);
	if (!key)
		return 0;
	before = (__u64 *)&run->before;
	now = (__u64 *)row;
	for (__u32 i = 0; i < ZC_ROW_SUMS; i++)
		any |= now[i] ^ before[i];
	if (!any)
		return 0;
	key->account = account;
	key->key.word = word;
	key->from = run->from;
	key->to = run->to;
	if (key->from.inode | key->to.inode) {
		sums = zc_run_find(key);
		if (!sums)
			sums = zc_run_new(key);
	}
	for (__u32 i = 0; i < ZC_ROW_SUMS; i++) {
		__u64 gained = now[i] - before[i];

		/* First: a snapshot may miss this for now, but must not see it twice. */
		before[i] += gained;
		barrier();
		if (sums)
			__sync_fetch_and_add(&((__u64 *)sums)[i], gained);
	}
	return 0;
}
