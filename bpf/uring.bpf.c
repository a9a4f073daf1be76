// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the operations of io_uring when they complete. Completions run in the
 * submitter, or in a worker or poll thread of the same process, so each task still
 * writes only its own rows.
 */
#include "bytes.bpf.h"
#include "pipes.bpf.h"
#include "rows.bpf.h"

#define IORING_CQE_F_MORE (1U << 1)
#define IORING_CQE_F_NOTIF (1U << 3)
#define SPLICE_F_FD_IN_FIXED (1U << 31)
/* The kernel keeps flags in the low bits of its pointers to registered files. */
#define ZC_FILE_FLAGS 7UL

/* The registered file with this index, before Linux 6.13. */
static __always_inline __u64 zc_registered_file(struct io_kiocb *request, __u32 index)
{
	struct io_ring_ctx___files *ring = (void *)BPF_CORE_READ(request, ctx);
	struct io_fixed_file *files;
	unsigned long file = 0;

	if (!bpf_core_field_exists(ring->file_table.files) ||
	    index >= BPF_CORE_READ(ring, nr_user_files))
		return 0;
	files = BPF_CORE_READ(ring, file_table.files);
	bpf_probe_read_kernel(&file, sizeof(file), files + index);
	return file;
}

/* The input of a splice or tee: a descriptor or a registered file. */
static __always_inline __u64 zc_splice_end(struct io_kiocb *request)
{
	struct io_splice *splice = (void *)request;
	__u32 flags, fd;
	__u64 file;

	if (!bpf_core_type_exists(struct io_splice))
		return ZC_OTHER;
	flags = BPF_CORE_READ(splice, flags);
	fd = BPF_CORE_READ(splice, splice_fd_in);
	if (!(flags & SPLICE_F_FD_IN_FIXED))
		return zc_current_fd_end(fd);
	if (bpf_core_field_exists(splice->rsrc_node))
		file = BPF_CORE_READ(splice, rsrc_node, file_ptr);
	else
		file = zc_registered_file(request, fd);
	return zc_file_end(file & ~ZC_FILE_FLAGS);
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

static __always_inline __u32 zc_request_flags(struct io_kiocb *request)
{
	struct io_sr_msg *message = (void *)request;

	return bpf_core_type_exists(struct io_sr_msg) ? BPF_CORE_READ(message, msg_flags) : 0;
}

/* The result of a recv or recvmsg that cut a message is the length of the whole message. */
static __always_inline __u64 zc_request_room(struct io_kiocb *request, __u8 kind)
{
	struct io_sr_msg *message = (void *)request;

	if (kind == ZC_RESULT_RECV)
		return BPF_CORE_READ(message, len);
	return zc_message_room((__u64)BPF_CORE_READ(message, umsg), 0);
}

/* `result` is positive. */
static __always_inline __u64 zc_request_bytes(struct io_kiocb *request, __u8 kind, __u32 flags,
					      __u64 result)
{
	__u64 room = result;

	if (kind == ZC_RESULT_NONE)
		return 0;
	if (!zc_receives(kind))
		return result;
	/* As for the syscalls, see zc_call_bytes(). */
	if (flags & MSG_PEEK)
		return 0;
	if (flags & MSG_TRUNC)
		room = zc_request_room(request, kind);
	return room < result ? room : result;
}

static __always_inline int zc_request_done(void *completed, __s32 result, __u32 cqe_flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_kiocb *request = completed;
	const volatile struct zc_call *op;
	struct zc_task *state;
	struct zc_key key;
	struct zc_row *row;
	__u64 from, to, bytes;
	__u32 flags = 0;

	/* A notification says that a buffer is free again; its result is not a size. */
	if (cqe_flags & IORING_CQE_F_NOTIF || !zc_counting())
		return 0;
	state = zc_task_find(task);
	if (!state)
		return 0;
	if (!request) {
		/*
		 * One of several completions of a multishot request; the kernel does not say
		 * which. Without this flag it is a message from another ring, or says that a
		 * registered resource is released: neither moves bytes.
		 */
		if (cqe_flags & IORING_CQE_F_MORE)
			zc_lose(ZC_LOST_URING_RESULTS, 1);
		return 0;
	}
	op = &config.uring_ops[BPF_CORE_READ(request, opcode) % ZC_MAX_URING_OPS];
	from = zc_request_end(request, op->from);
	to = zc_request_end(request, op->to);
	if (zc_receives(op->result)) {
		flags = zc_request_flags(request);
		if (flags & MSG_TRUNC && zc_file_discards((__u64)BPF_CORE_READ(request, file)))
			to = ZC_DISCARD;
	}
	key = zc_key_of(op->row, from, to);
	row = zc_task_row(state, zc_row_slot(state, key));
	if (!row)
		return 0;
	row->calls++;
	if (result < 0)
		row->errors++;
	if (result <= 0)
		return 0;
	bytes = zc_request_bytes(request, op->result, flags, result);
	row->bytes += bytes;
	if (ZC_END_PIPE(from) | ZC_END_PIPE(to))
		zc_pipes_add(state, zc_pipes_use(state, from, to, op->result), bytes);
	return 0;
}

/* The kernel reports this one instead when the ring is full. */
SEC("?tp_btf/io_uring_cqe_overflow")
int BPF_PROG(zc_uring_overflow, void *ring, unsigned long long user_data, int result,
	     unsigned int cqe_flags, void *overflown)
{
	if (!(cqe_flags & IORING_CQE_F_NOTIF) && zc_counting() &&
	    zc_task_find(bpf_get_current_task_btf()))
		zc_lose(ZC_LOST_URING_RESULTS, 1);
	return 0;
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
