// SPDX-License-Identifier: GPL-2.0
/*
 * The true lengths of the messages of sendmmsg and recvmmsg. The kernel returns only their
 * number and leaves the lengths in the caller's memory, where another thread can overwrite
 * them; since 6.3 it also tells each length to these tracepoints. They are on the way of
 * every socket call, so the programs return early for bystanders and for all other calls.
 */
#include "bytes.bpf.h"

#define SOCK_STREAM 1
#define AF_PACKET 17

static __always_inline int zc_message_moved(struct sock *sk, int length, __u32 flags, __u8 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	struct zc_task *state;
	struct zc_args args;
	__u64 room, bytes;
	long number;
	bool compat;

	if (!zc_observed(task))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	number = zc_regs_call(regs);
	if (zc_call_at(zc_index_of(task, regs, number))->result != kind)
		return 0;
	if (length < 0 || !zc_counting())
		return 0;
	state = zc_task_of(task);
	/* A worker of io_uring has the registers of the call that created it. */
	if (!state || state->head.flags & ZC_TASK_WORKER)
		return 0;
	bytes = length;
	/* As in zc_call_bytes(); a stream never tells more than the buffers hold. */
	if (kind == ZC_RESULT_SENDMMSG ? sk->__sk_common.skc_family == AF_PACKET :
					 flags & MSG_TRUNC && sk->sk_type != SOCK_STREAM) {
		compat = zc_foreign_call(task, number);
		args = zc_args_of(task, regs, compat);
		room = zc_message_room(zc_message_at(args.arg[1], state->head.messages, compat),
				       compat);
		bytes = room < bytes ? room : bytes;
	}
	state->head.messages++;
	if (!(flags & MSG_PEEK))
		state->head.message_bytes += bytes;
	return 0;
}

SEC("?zc_tp_btf/sock_send_length")
int BPF_PROG(zc_sent, struct sock *sk, int length, int flags)
{
	return zc_message_moved(sk, length, 0, ZC_RESULT_SENDMMSG);
}

SEC("?zc_tp_btf/sock_recv_length")
int BPF_PROG(zc_received, struct sock *sk, int length, int flags)
{
	return zc_message_moved(sk, length, flags, ZC_RESULT_RECVMMSG);
}
