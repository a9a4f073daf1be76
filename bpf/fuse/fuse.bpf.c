// SPDX-License-Identifier: GPL-2.0
/*
 * `zctrace fuse`: what the kernel asks of FUSE servers, and when they answer. An object of its
 * own: the other programs are not loaded for it. Needs Linux 6.12, which added both tracepoints.
 *
 * Any CPU may count in any record, so every addition is atomic.
 */
#include "fuse_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/histogram.bpf.h"
#include "bpf/identity/namespaces.bpf.h"
#include "connections.bpf.h"
#include "maps.bpf.h"
#include "requesters.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct zc_fuse_config config = {};
__u64 losses[ZC_FUSE_LOSSES];
struct zc_fuse_share shares[ZC_FUSE_SHARES];
__u32 latest_connection;

static __always_inline struct zc_fuse_operation *operation_of(__u32 connection, __u32 opcode)
{
	struct zc_fuse_operation_key key = {connection, opcode};
	struct zc_fuse_operation *found = bpf_map_lookup_elem(&operations, &key), *made;
	__u32 zero = 0;

	if (found)
		return found;
	made = bpf_map_lookup_elem(&new_operation, &zero);	/* all zeros, always */
	if (!made)
		return 0;
	bpf_map_update_elem(&operations, &key, made, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&operations, &key);
	if (!found)
		zc_lose(ZC_FUSE_LOST_OPERATIONS);
	return found;
}

/* The request at this address is another one now: the kernel took the earlier one back. */
static __always_inline void withdraw(struct zc_fuse_flight *flight)
{
	struct zc_fuse_operation *operation = operation_of(flight->by.connection, flight->opcode);
	struct zc_fuse_requester *requester = bpf_map_lookup_elem(&requesters, &flight->by);

	if (operation)
		zc_add(operation->withdrawn, 1);
	if (requester)
		zc_add(requester->withdrawn, 1);
	zc_add(share_at(flight->share)->flights, -1);
}

/* How many bytes of a file the request is about, at most. */
static __always_inline __u32 asked_bytes(const struct fuse_args *args, __u32 opcode)
{
	if (opcode == FUSE_READ)
		return args->out_args[0].size;
	if (opcode == FUSE_WRITE)
		return args->in_args[1].size;
	return ~0U;
}

SEC("tp_btf/fuse_request_send")
int BPF_PROG(zc_fuse_send, const struct fuse_req *req)
{
	struct zc_fuse_connection *connection = connection_of(req, true);
	struct zc_fuse_operation *operation;
	struct zc_fuse_flight flight = {}, *earlier;
	__u64 key = (__u64)req;

	if (!connection)
		return 0;
	flight.opcode = req->in.h.opcode;
	flight.share = connection->share;
	flight.background = is_background(req);
	note_queue(connection, req);
	find_requester(&flight, connection, req);
	operation = operation_of(connection->id, flight.opcode);
	if (operation) {
		zc_add(operation->sent, 1);
		if (flight.background)
			zc_add(operation->background, 1);
	}
	earlier = bpf_map_lookup_elem(&flights, &key);
	if (earlier) {
		withdraw(earlier);
		bpf_map_delete_elem(&flights, &key);
	}
	flight.asked_bytes = asked_bytes(req->args, flight.opcode);
	flight.sent_ns = bpf_ktime_get_ns();
	if (!zc_take(share_at(flight.share), flights, config.most_flights)) {
		zc_lose(ZC_FUSE_LOST_FLIGHTS);
		forget_sent(&flight.by);
		return 0;
	}
	if (bpf_map_update_elem(&flights, &key, &flight, BPF_ANY)) {
		zc_add(share_at(flight.share)->flights, -1);
		zc_lose(ZC_FUSE_LOST_FLIGHTS);
		forget_sent(&flight.by);
	}
	return 0;
}

/* Whether the length in the reply's header is not set, as over io_uring. */
static __always_inline bool has_no_length(const struct fuse_req *req)
{
	if (!bpf_core_enum_value_exists(enum fuse_req_flag, FR_URING))
		return false;
	return req->flags >> bpf_core_enum_value(enum fuse_req_flag, FR_URING) & 1;
}

/*
 * What the reply says of a file's bytes. The arguments are the requester's, which may be awake
 * already and have dropped them: a wrong count is at most `most`.
 */
static __always_inline __u64 file_bytes(const struct fuse_req *req, __u32 opcode, __u32 most)
{
	__u32 bytes = 0;

	if (opcode == FUSE_READ) {
		if (has_no_length(req))
			bytes = req->args->out_args[0].size;
		else if (req->out.h.len > ZC_FUSE_OUT_HEADER)
			bytes = req->out.h.len - ZC_FUSE_OUT_HEADER;
	} else if (opcode == FUSE_WRITE || opcode == FUSE_COPY_FILE_RANGE) {
		/* struct fuse_write_out begins with it */
		bpf_probe_read_kernel(&bytes, sizeof(bytes), req->args->out_args[0].value);
	} else if (opcode == FUSE_COPY_FILE_RANGE_64) {
		__u64 copied = 0;

		bpf_probe_read_kernel(&copied, sizeof(copied), req->args->out_args[0].value);
		return copied;
	}
	return bytes < most ? bytes : most;
}

static __always_inline void count_error(struct zc_fuse_connection *connection, __u32 opcode,
					__s32 error)
{
	struct zc_fuse_error_key key = {connection->id, opcode, -error};
	__u64 one = 1, *known = bpf_map_lookup_elem(&errors, &key);

	if (known) {
		zc_add(*known, 1);
		return;
	}
	/* A server may answer with any number. Those that find no space are in the sum. */
	if (connection->errors >= ZC_FUSE_ERRORS_OF_CONNECTION)
		return;
	if (!bpf_map_update_elem(&errors, &key, &one, BPF_NOEXIST)) {
		zc_add(connection->errors, 1);
		return;
	}
	known = bpf_map_lookup_elem(&errors, &key);
	if (known)
		zc_add(*known, 1);
}

static __always_inline void count_time(struct zc_fuse_operation *operation,
				       struct zc_fuse_requester *requester, __u64 ns)
{
	__u32 bucket = zc_bucket(ns);

	if (operation) {
		zc_add(operation->timed, 1);
		zc_add(operation->wall_ns, ns);
		raise_to(&operation->max_ns, ns);
		if (bucket < ZC_FUSE_BUCKETS)
			zc_add(operation->latency[bucket], 1);
	}
	if (requester) {
		zc_add(requester->wall_ns, ns);
		raise_to(&requester->max_ns, ns);
	}
}

SEC("tp_btf/fuse_request_end")
int BPF_PROG(zc_fuse_end, const struct fuse_req *req)
{
	__u64 key = (__u64)req, now = bpf_ktime_get_ns(), bytes = 0;
	struct zc_fuse_flight *flight = bpf_map_lookup_elem(&flights, &key);
	struct zc_fuse_connection *connection;
	struct zc_fuse_operation *operation;
	struct zc_fuse_requester *requester = 0;
	__u32 opcode = req->in.h.opcode;
	__s32 error = req->out.h.error;

	if (flight) {
		connection = bpf_map_lookup_elem(&connections, &flight->by.connection);
		requester = bpf_map_lookup_elem(&requesters, &flight->by);
	} else {
		connection = connection_of(req, false);
	}
	if (!connection)
		return 0;
	note_server(connection, error);
	operation = operation_of(connection->id, opcode);
	if (error)
		count_error(connection, opcode, error);
	else
		bytes = file_bytes(req, opcode, flight ? flight->asked_bytes : ~0U);
	if (operation) {
		zc_add(operation->errors, error != 0);
		zc_add(operation->bytes, bytes);
		zc_add(operation->request_bytes, req->in.h.len);
		zc_add(operation->reply_bytes, req->out.h.len);
	}
	if (requester) {
		zc_add(requester->errors, error != 0);
		if (opcode == FUSE_READ)
			zc_add(requester->read_bytes, bytes);
		else if (opcode == FUSE_WRITE)
			zc_add(requester->written_bytes, bytes);
		zc_add(requester->by_opcode[opcode < ZC_FUSE_OPCODES ? opcode : 0], 1);
	}
	if (flight) {
		count_time(operation, requester, now - flight->sent_ns);
		zc_add(share_at(flight->share)->flights, -1);
		bpf_map_delete_elem(&flights, &key);
	}
	/* Last: a reader that sees as many answered as sent sees all of their counts. */
	if (operation)
		zc_add(operation->answered, 1);
	if (requester)
		zc_add(requester->answered, 1);
	return 0;
}
