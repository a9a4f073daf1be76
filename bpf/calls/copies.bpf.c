// SPDX-License-Identifier: GPL-2.0
/* Counts copies by tracepoint, and reads the completions of zero-copy sends. */
#include "copies.bpf.h"
#include "bpf/bystanders.bpf.h"

#define SO_EE_ORIGIN_ZEROCOPY 5
#define SO_EE_CODE_ZEROCOPY_COPIED 1

/* struct cmsghdr with struct sock_extended_err, as recvmsg(2) leaves them in user memory. */
struct zc_error_message {
	__u64 bytes;
	__s32 level;
	__s32 type;
	__u32 error;
	__u8 origin;
	__u8 kind;
	__u8 code;
	__u8 pad;
	__u32 first;
	__u32 last;
};

__u64 zc_finished_sends(__u64 address)
{
	struct zc_error_message message = {};
	__u64 control[2] = {};	/* msg_control and msg_controllen */

	if (bpf_probe_read_user(control, sizeof(control), (void *)(address + 32)) ||
	    control[1] < sizeof(message) ||
	    bpf_probe_read_user(&message, sizeof(message), (void *)control[0]))
		return 0;
	if (message.origin != SO_EE_ORIGIN_ZEROCOPY || message.error)
		return 0;
	return ((__u64)(message.last - message.first) + 1) |
	       (message.code & SO_EE_CODE_ZEROCOPY_COPIED ? ZC_SENDS_COPIED : 0);
}

int zc_note_lender(__u64 socket, __u64 account, __u32 word)
{
	struct zc_lender lender = { .account = account, .key = { word } };
	struct zc_lender *known;

	if (!socket)
		return 0;
	known = bpf_map_lookup_elem(&lenders, &socket);
	if (!known || known->account != account || known->key.word != word)
		bpf_map_update_elem(&lenders, &socket, &lender, BPF_ANY);
	return 0;
}

/* In the context of the task that receives. */
SEC("?zc_tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(zc_skb_copied, const void *skb, int bytes)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_task *state;

	if (!zc_observed(task) || !zc_counting() || bytes <= 0)
		return 0;
	state = zc_task_of(task);
	if (state)
		state->head.copied += bytes;
	return 0;
}

SEC("?zc_tp_btf/iomap_dio_rw_begin")
int BPF_PROG(zc_direct_begins)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_task *state;

	if (!zc_observed(task))
		return 0;
	state = zc_task_of(task);
	if (state && state->head.flags & ZC_TASK_CHARGED)
		state->head.flags |= ZC_TASK_DIRECT;
	return 0;
}

/*
 * Each time TCP begins to fill a packet, in the context of the task that sends. Sends that lend
 * the caller's memory have notifications, which say more.
 */
SEC("?zc_tp_btf/tcp_sendmsg_locked")
int BPF_PROG(zc_tcp_sends, const struct sock *sk, const struct msghdr *message)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_task *state;
	__u32 flags;

	if (!zc_observed(task))
		return 0;
	flags = message->msg_flags;
	if (flags & MSG_ZEROCOPY)
		return 0;
	state = zc_task_of(task);
	if (state)
		state->head.flags |= flags & MSG_SPLICE_PAGES ? ZC_TASK_SENT_PAGES :
								ZC_TASK_SENT_COPIES;
	return 0;
}
