// SPDX-License-Identifier: GPL-2.0
/* Adds what a task did with a pipe to its account. */
#include "pipes.bpf.h"

int zc_pipe_fold(struct zc_task_head *head, __u32 put)
{
	static const struct zc_pipe_bytes nothing;
	struct zc_pipe_key key = {};
	struct zc_pipe_bytes *sum;
	struct zc_account *account = 0;
	struct zc_share *share;
	struct zc_pipe_run *run;
	__u64 copied, moved;

	if (!head)
		return 0;
	run = put ? &head->put : &head->taken;
	copied = run->copied;
	moved = run->moved;
	if (!(copied | moved))
		return 0;
	/* First: a snapshot may miss these bytes for now, but must not see them twice. */
	run->copied = 0;
	run->moved = 0;
	barrier();
	key.account = head->account;
	key.pipe = run->pipe;
	sum = bpf_map_lookup_elem(&pipes, &key);
	if (!sum) {
		account = bpf_map_lookup_elem(&accounts, &key.account);
		if (!account)
			return 0;
		share = zc_share_at(account->share);
		/* Fails if another thread was first. */
		if (share->pipes < config.most.pipes &&
		    !bpf_map_update_elem(&pipes, &key, &nothing, BPF_NOEXIST))
			__sync_fetch_and_add(&share->pipes, 1);
		sum = bpf_map_lookup_elem(&pipes, &key);
	}
	if (!sum) {
		zc_lose(ZC_LOST_PIPES_FULL, 1);
		if (!account)
			return 0;
		sum = &account->other_pipes;
	}
	if (put) {
		__sync_fetch_and_add(&sum->put_copied, copied);
		__sync_fetch_and_add(&sum->put_moved, moved);
	} else {
		__sync_fetch_and_add(&sum->taken_copied, copied);
		__sync_fetch_and_add(&sum->taken_moved, moved);
	}
	return 0;
}

int zc_pipe_request(struct zc_task_head *head, __u64 from, __u64 to, __u32 result, __u64 bytes)
{
	if (head)
		zc_pipes_add(head, zc_pipes_use(head, from, to, result), bytes);
	return 0;
}
