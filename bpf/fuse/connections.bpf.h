/* SPDX-License-Identifier: GPL-2.0 */
/* Which connection a request belongs to, how long its queue is, and which process serves it. */
#ifndef ZC_FUSE_CONNECTIONS_H
#define ZC_FUSE_CONNECTIONS_H

#include "counting.bpf.h"

/* Of asm-generic/errno.h: how requests end when there is no server any more. */
#define ENOTCONN 107
#define ECONNABORTED 103

static __always_inline bool is_background(const struct fuse_req *req)
{
	return req->flags >> bpf_core_enum_value(enum fuse_req_flag, FR_BACKGROUND) & 1;
}

static __always_inline void describe(struct zc_fuse_connection *made, struct super_block___fuse *sb)
{
	if (!sb)
		return;
	bpf_probe_read_kernel_str(made->type, sizeof(made->type), sb->s_type->name);
	if (sb->s_subtype)
		bpf_probe_read_kernel_str(made->subtype, sizeof(made->subtype), sb->s_subtype);
}

static __always_inline struct zc_fuse_connection *connection_with(__u64 address)
{
	__u32 *id = bpf_map_lookup_elem(&connection_ids, &address);

	return id ? bpf_map_lookup_elem(&connections, id) : 0;
}

/* 0: no space. */
static __always_inline struct zc_fuse_connection *
make_connection(const struct fuse_req *req, struct fuse_conn *conn, bool begins)
{
	struct zc_fuse_connection made = {.address = (__u64)conn, .device = conn->dev,
					  .began = begins};
	struct zc_fuse_share *share;

	made.user = zc_outer_user(conn->user_ns, conn->user_id.val);
	made.share = zc_share_from(made.user);
	share = share_at(made.share);
	if (!zc_take(share, connections, config.most_connections))
		goto lost;
	describe(&made, req->fm->sb);
	made.id = zc_add(latest_connection, 1) + 1;
	if (bpf_map_update_elem(&connections, &made.id, &made, BPF_NOEXIST))
		goto full;
	/* The loser of a race uses the winner's. */
	if (bpf_map_update_elem(&connection_ids, &made.address, &made.id, BPF_NOEXIST)) {
		bpf_map_delete_elem(&connections, &made.id);
		zc_add(share->connections, -1);
	}
	return connection_with(made.address);
full:
	zc_add(share->connections, -1);
lost:
	zc_lose(ZC_FUSE_LOST_CONNECTIONS);
	return 0;
}

/* 0: not to be counted, or no space. */
static __always_inline struct zc_fuse_connection *connection_of(const struct fuse_req *req,
								 bool sends)
{
	struct fuse_conn *conn = req->fm->fc;
	__u64 address = (__u64)conn;
	__u32 opcode = req->in.h.opcode;
	bool begins = sends && (opcode == FUSE_INIT || opcode == CUSE_INIT);
	struct zc_fuse_connection *known;

	if (config.one_device && conn->dev != config.device)
		return 0;
	if (config.one_user && conn->user_id.val != config.user)
		return 0;
	known = connection_with(address);
	if (known && !begins && known->device == conn->dev)
		return known;
	/* The kernel has used the memory of a connection that ended for another one. */
	if (known)
		bpf_map_delete_elem(&connection_ids, &address);
	return make_connection(req, conn, begins);
}

static __always_inline void note_queue(struct zc_fuse_connection *connection,
				       const struct fuse_req *req)
{
	struct fuse_conn *conn = req->fm->fc;
	__u32 waiting = conn->num_waiting.counter, background = conn->num_background;

	zc_add(connection->sent, 1);
	zc_add(connection->waiting_sum, waiting);
	/* Races lose a maximum that another request sees at nearly the same time. */
	if (waiting > connection->waiting_max)
		connection->waiting_max = waiting;
	if (background > connection->background_max)
		connection->background_max = background;
	connection->background_limit = conn->max_background;
}

/* Whatever ends a request serves it, unless the connection is being torn down. */
static __always_inline void note_server(struct zc_fuse_connection *connection, __s32 error)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (error == -ECONNABORTED || error == -ENOTCONN || task->flags & PF_KTHREAD ||
	    connection->server == (__u32)task->tgid)
		return;
	connection->server = task->tgid;
	connection->server_pid = zc_number_in(task->group_leader->thread_pid, config.pid_namespace);
	bpf_probe_read_kernel_str(connection->server_name, sizeof(connection->server_name),
				  task->group_leader->comm);
}

#endif
