// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the operations of io_uring when they complete. Completions run in the
 * submitter, or in a worker or poll thread of the same process, so each task still
 * writes only its own rows.
 */
#include "bpf/calls/bytes.bpf.h"
#include "bpf/calls/copies.bpf.h"
#include "bpf/channels/channels.bpf.h"
#include "bpf/pipes.bpf.h"
#include "bpf/rows.bpf.h"
#include "bpf/stacks/stacks.bpf.h"
#include "uring_types.bpf.h"

/* enum io_uring_op: those that can complete several times */
#define IORING_OP_POLL_ADD 6
#define IORING_OP_RECVMSG 10
#define IORING_OP_TIMEOUT 11
#define IORING_OP_ACCEPT 13
#define IORING_OP_SEND 26
#define IORING_OP_RECV 27
#define IORING_OP_URING_CMD 46
#define IORING_OP_SEND_ZC 47
#define IORING_OP_SENDMSG_ZC 48
#define IORING_OP_READ_MULTISHOT 49
#define IORING_OP_RECV_ZC 58

#define EPOLLONESHOT (1U << 30)
#define IORING_TIMEOUT_MULTISHOT (1U << 6)
#define IORING_ACCEPT_MULTISHOT (1U << 0)
#define IORING_RECV_MULTISHOT (1U << 1)
#define IORING_RECVSEND_BUNDLE (1U << 4)
#define IORING_URING_CMD_MULTISHOT (1U << 1)
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)
#define IORING_CQE_F_MORE (1U << 1)
#define IORING_CQE_F_NOTIF (1U << 3)
#define SPLICE_F_FD_IN_FIXED (1U << 31)
/* The kernel keeps flags in the low bits of its pointers to registered files. */
#define ZC_FILE_FLAGS 7UL

/* Whether the map `multishots` was ever used. */
__u32 multishots_noted = 0;

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

/* The input of a splice or tee: a descriptor or a registered file. 0: not known. */
static __always_inline __u64 zc_splice_file(struct io_kiocb *request)
{
	struct io_splice *splice = (void *)request;
	__u32 flags, fd;
	__u64 file;

	if (!bpf_core_type_exists(struct io_splice))
		return 0;
	flags = BPF_CORE_READ(splice, flags);
	fd = BPF_CORE_READ(splice, splice_fd_in);
	if (!(flags & SPLICE_F_FD_IN_FIXED))
		return zc_current_file(fd);
	if (bpf_core_field_exists(splice->rsrc_node))
		file = BPF_CORE_READ(splice, rsrc_node, file_ptr);
	else
		file = zc_registered_file(request, fd);
	return file & ~ZC_FILE_FLAGS;
}

/* 0: this end is not a file. */
static __always_inline __u64 zc_request_file(struct io_kiocb *request, __u8 end)
{
	switch (end) {
	case ZC_END_REQUEST:
		return (__u64)BPF_CORE_READ(request, file);
	case ZC_END_SPLICE:
		return zc_splice_file(request);
	default:
		return 0;
	}
}

static __always_inline __u64 zc_request_end(__u64 file, __u8 end)
{
	if (end == ZC_END_USER)
		return ZC_USER;
	return zc_file_end(file);
}

static __always_inline bool zc_is_multishot(struct io_kiocb *request)
{
	struct io_timeout_data *timeout = 0;
	struct io_sr_msg *message = (void *)request;
	struct io_uring_cmd *command = (void *)request;
	struct io_accept *accept = (void *)request;
	struct io_poll *poll = (void *)request;

	switch (BPF_CORE_READ(request, opcode)) {
	case IORING_OP_RECV:
	case IORING_OP_RECVMSG:
		return bpf_core_type_exists(struct io_sr_msg) &&
		       BPF_CORE_READ(message, flags) & IORING_RECV_MULTISHOT;
	case IORING_OP_SEND:
		return bpf_core_type_exists(struct io_sr_msg) &&
		       BPF_CORE_READ(message, flags) & IORING_RECVSEND_BUNDLE;
	case IORING_OP_ACCEPT:
		/* Older kernels do not keep the flag: then each takes an entry while it waits. */
		return !bpf_core_field_exists(accept->iou_flags) ||
		       BPF_CORE_READ(accept, iou_flags) & IORING_ACCEPT_MULTISHOT;
	case IORING_OP_POLL_ADD:
		return bpf_core_field_exists(poll->events) &&
		       !(BPF_CORE_READ(poll, events) & EPOLLONESHOT);
	case IORING_OP_TIMEOUT:
		if (!bpf_core_field_exists(timeout->flags))
			return false;
		timeout = BPF_CORE_READ(request, async_data);
		return BPF_CORE_READ(timeout, flags) & IORING_TIMEOUT_MULTISHOT;
	case IORING_OP_URING_CMD:
		return bpf_core_field_exists(command->flags) &&
		       BPF_CORE_READ(command, flags) & IORING_URING_CMD_MULTISHOT;
	case IORING_OP_READ_MULTISHOT:
	case IORING_OP_RECV_ZC:
		return true;
	default:
		return false;
	}
}

static __always_inline struct zc_request_id zc_request_id(struct io_kiocb *request)
{
	return (struct zc_request_id){
		.ring = (__u64)BPF_CORE_READ(request, ctx),
		.user_data = BPF_CORE_READ(request, cqe.user_data),
	};
}

/*
 * Only the last completion of a multishot request names it. The others can be attributed
 * because the request is noted while it lives.
 */
static __always_inline int zc_request_begins(struct io_kiocb *request)
{
	struct zc_multishot multishot = { .address = (__u64)request }, *noted;
	struct task_struct *task = bpf_get_current_task_btf();
	struct zc_account *account;
	struct zc_share *share;
	struct zc_request_id id;
	struct zc_task *state;

	if (!zc_observed(task) || !zc_is_multishot(request))
		return 0;
	state = zc_task_of(task);
	account = state ? bpf_map_lookup_elem(&accounts, &state->head.account) : 0;
	if (!account)
		return 0;
	id = zc_request_id(request);
	noted = bpf_map_lookup_elem(&multishots, &id);
	if (noted) {
		noted->address = multishot.address;
		return 0;
	}
	/* Without space, its completions count as lost when they come. */
	multishot.share = account->share;
	share = zc_share_at(account->share);
	if (share->multishots >= config.most.multishots ||
	    bpf_map_update_elem(&multishots, &id, &multishot, BPF_NOEXIST))
		return 0;
	__sync_fetch_and_add(&share->multishots, 1);
	multishots_noted = 1;
	return 0;
}

static __always_inline struct io_kiocb *zc_multishot(struct zc_request_id id)
{
	struct zc_multishot *noted = bpf_map_lookup_elem(&multishots, &id);

	return noted ? (struct io_kiocb *)noted->address : 0;
}

static __always_inline void zc_multishot_delete(struct zc_request_id id)
{
	struct zc_multishot *noted = bpf_map_lookup_elem(&multishots, &id);
	__u64 share;

	if (!noted)
		return;
	share = noted->share;
	if (!bpf_map_delete_elem(&multishots, &id))
		__sync_fetch_and_sub(&zc_share_at(share)->multishots, 1);
}

/* Any task may complete it: a ring may outlive its process. */
static __always_inline void zc_request_ends(struct io_kiocb *request)
{
	struct zc_request_id id;

	if (!multishots_noted || !zc_is_multishot(request))
		return;
	id = zc_request_id(request);
	/* A later request may have taken its place. */
	if (zc_multishot(id) == request)
		zc_multishot_delete(id);
}

/* The result of a recv or recvmsg that cut a message is the length of the whole message. */
static __always_inline __u64 zc_request_room(struct io_kiocb *request, __u8 kind)
{
	struct io_sr_msg *message = (void *)request;

	if (kind == ZC_RESULT_RECV)
		return BPF_CORE_READ(message, len);
	return zc_message_room((__u64)BPF_CORE_READ(message, umsg), 0);
}

/* What a multishot recvmsg puts into the buffer before the bytes: a header, name, control. */
static __always_inline __u64 zc_prefix_bytes(struct io_kiocb *request)
{
	struct io_async_msghdr *prepared = BPF_CORE_READ(request, async_data);
	struct io_sr_msg *message = (void *)request;
	__u64 header = 16; /* struct io_uring_recvmsg_out */

	if (prepared)
		return header + BPF_CORE_READ(prepared, namelen) +
		       BPF_CORE_READ(prepared, controllen);
	return header + zc_message_prefix((__u64)BPF_CORE_READ(message, umsg));
}

/* `result` is positive. */
static __always_inline __u64 zc_received_bytes(struct io_kiocb *request, __u8 kind, __u32 flags,
					       __u64 result)
{
	struct io_sr_msg *message = (void *)request;
	__u64 room = result, prefix;

	/* As for the syscalls, see zc_call_bytes(). */
	if (flags & MSG_PEEK)
		return 0;
	if (kind == ZC_RESULT_RECVMSG && BPF_CORE_READ(message, flags) & IORING_RECV_MULTISHOT) {
		prefix = zc_prefix_bytes(request);
		return prefix < result ? result - prefix : 0;
	}
	if (flags & MSG_TRUNC)
		room = zc_request_room(request, kind);
	return room < result ? room : result;
}

static __always_inline int zc_count_request(struct zc_task *state, struct io_kiocb *request,
					    __s32 result)
{
	bool receives, described = bpf_core_type_exists(struct io_sr_msg);
	struct io_sr_msg *message = (void *)request;
	const volatile struct zc_call *op;
	__u64 from, to, from_file, to_file, bytes = result;
	struct zc_channel_uses uses;
	struct zc_key key;
	struct zc_row *row;
	__u32 flags = 0, slot;
	__u8 opcode;

	opcode = BPF_CORE_READ(request, opcode);
	op = &config.uring_ops[opcode % ZC_MAX_URING_OPS];
	from_file = zc_request_file(request, op->from);
	to_file = zc_request_file(request, op->to);
	from = zc_request_end(from_file, op->from);
	to = zc_request_end(to_file, op->to);
	receives = described && zc_receives(op->result);
	if (receives) {
		flags = BPF_CORE_READ(message, msg_flags);
		if (flags & MSG_TRUNC && zc_file_discards((__u64)BPF_CORE_READ(request, file)))
			to = ZC_DISCARD;
	}
	if (described && (opcode == IORING_OP_SEND_ZC || opcode == IORING_OP_SENDMSG_ZC))
		to |= ZC_END(0, 0, ZC_BY_REFERENCE | zc_file_loops_back(to_file));
	key = zc_key_of(op->row, from, to);
	slot = zc_row_slot(state, key);
	row = zc_task_row(state, slot);
	if (!row)
		return 0;
	if (config.channels) {
		uses.from = zc_channel_of(from_file);
		uses.to = zc_channel_of(to_file);
		zc_run_use_files(state, slot, key, &uses);
	}
	row->calls++;
	if (result < 0) {
		row->errors++;
		zc_tally_error(state->head.account, key, -(__s64)result);
	}
	/* Only if the program asked for it does a notification say whether it was copied. */
	if (ZC_KEY_TRAITS(key) & ZC_BY_REFERENCE)
		state->head.lent_slot =
			BPF_CORE_READ(message, flags) & IORING_SEND_ZC_REPORT_USAGE ? slot
										    : ZC_NO_SLOT;
	if (ZC_KEY_FROM(key) == ZC_SOCKET) {
		row->seen += state->head.copied;
		state->head.copied = 0;
	}
	if (result <= 0 || op->result == ZC_RESULT_NONE)
		return 0;
	if (receives)
		bytes = zc_received_bytes(request, op->result, flags, result);
	row->bytes += bytes;
	zc_stacks_moved(state, slot, bytes,
			ZC_STACK_LATER |
				(state->head.flags & ZC_TASK_WORKER ? ZC_STACK_WORKER : 0));
	if (ZC_END_PIPE(from) | ZC_END_PIPE(to))
		zc_pipe_request(&state->head, from, to, op->result, bytes);
	return 0;
}

/* A completion was posted. NULL: it names no request. */
static __always_inline int zc_completed(void *ring, struct io_kiocb *request, __u64 user_data,
					__s32 result, __u32 flags)
{
	struct zc_task *state;

	if (!(flags & IORING_CQE_F_NOTIF) && request && !(flags & IORING_CQE_F_MORE))
		zc_request_ends(request);
	if (!zc_counting())
		return 0;
	state = zc_task_find(bpf_get_current_task_btf());
	if (!state)
		return 0;
	/* A notification says that a buffer is free again; its result is not a size. */
	if (flags & IORING_CQE_F_NOTIF) {
		zc_sends_done(state, 0, result & IORING_NOTIF_USAGE_ZC_COPIED, 1);
		return 0;
	}
	if (!request)
		request = zc_multishot((struct zc_request_id){ (__u64)ring, user_data });
	if (request)
		return zc_count_request(state, request, result);
	/*
	 * Without this flag it is a message from another ring, or says that a registered
	 * resource is released: neither moves bytes.
	 */
	if (flags & IORING_CQE_F_MORE)
		zc_lose(ZC_LOST_URING_RESULTS, 1);
	return 0;
}

/* Before 6.3. */
SEC("?zc_tp_btf/io_uring_submit_sqe")
int BPF_PROG(zc_uring_sqe, void *request)
{
	return zc_request_begins(request);
}

SEC("?zc_tp_btf/io_uring_submit_req")
int BPF_PROG(zc_uring_submit, void *request)
{
	return zc_request_begins(request);
}

/* The kernel reports this one instead when the ring is full. It never names the request. */
SEC("?zc_tp_btf/io_uring_cqe_overflow")
int BPF_PROG(zc_uring_overflow, void *ring, unsigned long long user_data, int result,
	     unsigned int flags, void *overflown)
{
	struct zc_request_id id = { (__u64)ring, user_data };
	struct io_kiocb *request;
	struct zc_task *state;

	if (flags & IORING_CQE_F_NOTIF)
		return 0;
	request = zc_multishot(id);
	if (request && !(flags & IORING_CQE_F_MORE))
		zc_multishot_delete(id);
	if (!zc_counting())
		return 0;
	state = zc_task_find(bpf_get_current_task_btf());
	if (!state)
		return 0;
	if (request)
		return zc_count_request(state, request, result);
	zc_lose(ZC_LOST_URING_RESULTS, 1);
	return 0;
}

/* Before 6.15. */
SEC("?zc_tp_btf/io_uring_complete")
int BPF_PROG(zc_uring_cqe, void *ring, void *request, __u64 user_data, int result,
	     unsigned int flags)
{
	return zc_completed(ring, request, user_data, result, flags);
}

SEC("?zc_tp_btf/io_uring_complete")
int BPF_PROG(zc_uring_done, void *ring, void *request, struct io_uring_cqe *cqe)
{
	return zc_completed(ring, request, cqe->user_data, cqe->res, cqe->flags);
}
