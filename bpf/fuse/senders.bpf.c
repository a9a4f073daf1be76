// SPDX-License-Identifier: GPL-2.0
/*
 * `zctrace mount`: in which system call a thread sends a read request, so that the daemon need not read
 * /proc to tell read calls from page faults. An object of its own, with one program that runs for
 * requests of FUSE only. Needs Linux 6.12, which added the tracepoint.
 */
#include "fuse_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/calls/call_number.bpf.h"
#include "bpf/identity/namespaces.bpf.h"
#include "sender_records.h"

/* Workers of io_uring are in no call: what they do was submitted by another thread. */
#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000

char LICENSE[] SEC("license") = "GPL";

__u64 notes[ZC_SENDER_NOTES];
__u32 device;	/* of the mount; 0: not known yet */

/* The beginning of the kernel's struct fuse_read_in. */
struct read_request {
	__u64 handle;
	__u64 offset;
};

static __always_inline __s32 call_of(struct task_struct *task)
{
	long call = zc_regs_call((const void *)bpf_task_pt_regs(task));

	if (call < 0)
		return ZC_SENDER_IN_NO_CALL;
	return call < 1 << (ZC_SENDER_CALL_BITS - 1) ? call : ZC_SENDER_UNKNOWN;
}

/* What is read ahead may be sent by another thread than the one that asked for it. */
static __always_inline bool is_own_request(const struct fuse_req *req, struct task_struct *task)
{
	return zc_number_in(task->thread_pid, req->fm->fc->pid_ns->ns.inum) == req->in.h.pid;
}

SEC("tp_btf/fuse_request_send")
int BPF_PROG(zc_note_sender, const struct fuse_req *req)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct read_request read = {};
	__s32 call = ZC_SENDER_UNKNOWN;
	__u64 key;

	if (req->in.h.opcode != FUSE_READ || !device || req->fm->fc->dev != device)
		return 0;
	bpf_probe_read_kernel(&read, sizeof(read), req->args->in_args[0].value);
	if (!(task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) && is_own_request(req, task))
		call = call_of(task);
	key = zc_sender_key(req->in.h.pid, read.handle, read.offset);
	*(volatile __u64 *)&notes[zc_sender_slot(key)] = zc_sender_note(key, call);
	return 0;
}
