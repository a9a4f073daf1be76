// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the operations of io_uring when they complete. Completions run in the
 * submitter, or in a worker or poll thread of the same process, so each task still
 * writes only its own rows.
 */
#include "pipes.bpf.h"
#include "rows.bpf.h"

#define IORING_CQE_F_NOTIF (1U << 3)
#define SPLICE_F_FD_IN_FIXED (1U << 31)

/* The input of a splice or tee; a registered file has no descriptor. */
static __always_inline __u64 zc_splice_end(struct io_kiocb *request)
{
	struct io_splice *splice = (void *)request;
	__u32 flags, fd;

	if (!bpf_core_type_exists(struct io_splice))
		return ZC_OTHER;
	flags = BPF_CORE_READ(splice, flags);
	fd = BPF_CORE_READ(splice, splice_fd_in);
	if (flags & SPLICE_F_FD_IN_FIXED)
		return ZC_OTHER;
	return zc_current_fd_end(fd);
}

static __always_inline __u64 zc_request_end(struct io_kiocb *request, __u8 end)
{
	switch (end) {
	case ZC_END_USER:
		return ZC_USER;
	case ZC_END_REQUEST:
		return zc_file_end((__u64)BPF_CORE_READ(request, file));
	case ZC_END_SPLICE:
		return zc_splice_end(request);
	default:
		return ZC_OTHER;
	}
}

static __always_inline int zc_request_done(void *completed, __s32 result, __u32 cqe_flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_kiocb *request = completed;
	const volatile struct zc_call *op;
	struct zc_task *state;
	struct zc_key key;
	struct zc_row *row;
	__u64 from, to;

	/* A notification says that a buffer is free again; its result is not a size. */
	if (cqe_flags & IORING_CQE_F_NOTIF || !zc_counting())
		return 0;
	state = zc_task_find(task);
	if (!state)
		return 0;
	/* One of several completions of a multishot request; the kernel does not say which. */
	if (!request) {
		zc_lose(ZC_LOST_URING_RESULTS, 1);
		return 0;
	}
	op = &config.uring_ops[BPF_CORE_READ(request, opcode) % ZC_MAX_URING_OPS];
	from = zc_request_end(request, op->from);
	to = zc_request_end(request, op->to);
	key = zc_key_of(op->row, from, to);
	row = zc_task_row(state, zc_row_slot(state, key));
	if (!row)
		return 0;
	row->calls++;
	if (result < 0) {
		row->errors++;
	} else if (op->result != ZC_RESULT_NONE) {
		row->bytes += result;
		if (result && (ZC_END_PIPE(from) | ZC_END_PIPE(to)))
			zc_pipes_add(state, zc_pipes_use(state, from, to, op->result), result);
	}
	return 0;
}

/* The kernel reports this one instead when the ring is full. */
SEC("?tp_btf/io_uring_cqe_overflow")
int BPF_PROG(zc_uring_overflow, void *ring, unsigned long long user_data, int result,
	     unsigned int cqe_flags, void *overflown)
{
	return zc_request_done(0, result, cqe_flags);
}

/* Before 6.15. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(zc_uring_cqe, void *ring, void *request, __u64 user_data, int result,
	     unsigned int cqe_flags)
{
	return zc_request_done(request, result, cqe_flags);
}

SEC("?tp_btf/io_uring_complete")
int BPF_PROG(zc_uring_done, void *ring, void *request, struct io_uring_cqe *cqe)
{
	return zc_request_done(request, cqe->res, cqe->flags);
}
