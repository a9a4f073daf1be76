// SPDX-License-Identifier: GPL-2.0
/*
 * Tells user space what files and sockets are called, when they are first used: a file may be
 * deleted, a socket closed and a process gone before user space could look at them in /proc.
 * The name of a file is the path from the root of the process that uses it.
 */
#include "channels.bpf.h"
#include "bpf/clear.bpf.h"
#include "bpf/identity/pids.bpf.h"
#include "name_types.bpf.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_VSOCK 40
/* Directories and mount points between a file and the root. */
#define ZC_PATH_STEPS 128
#define ZC_COMPONENT_BYTES 255
#define IPPROTO_TCP 6
#define SOCK_BINDPORT_LOCK 8
#define PIPEFS_MAGIC 0x50495045

__u64 names_lost = 0;

struct zc_path_walk {
	struct zc_new_name *name;
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *root;
	struct mount *root_mount;
	__u32 at;	/* where in text[] the path begins */
	__u32 whole;
};

static __always_inline struct mount *zc_mount(struct vfsmount *mount)
{
	return (void *)mount - bpf_core_field_offset(struct mount, mnt);
}

/* A component, or a mount point. */
static long zc_path_step(__u32 step, struct zc_path_walk *walk)
{
	struct dentry *dentry = walk->dentry, *parent;
	struct mount *mount = walk->mount, *above;
	const unsigned char *text;
	__u32 length, at = walk->at;

	if (dentry == walk->root && mount == walk->root_mount)
		goto whole;
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount)
			goto whole;
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	/* The file is in no directory, or in a file system that is not mounted any more. */
	if (parent == dentry && walk->at != ZC_PATH_BYTES)
		goto whole;
	length = BPF_CORE_READ(dentry, d_name.len);
	text = BPF_CORE_READ(dentry, d_name.name);
	if (length > ZC_COMPONENT_BYTES || length >= at)
		return 1;
	at -= length;
	barrier_var(at);
	barrier_var(length);
	if (at >= ZC_PATH_BYTES || length > ZC_COMPONENT_BYTES)
		return 1;
	if (bpf_probe_read_kernel(walk->name->text + at, length, text))
		return 1;
	at--;
	barrier_var(at);
	if (at >= ZC_PATH_BYTES)
		return 1;
	walk->name->text[at] = '/';
	walk->at = at;
	walk->dentry = parent;
	return 0;
whole:
	walk->whole = 1;
	return 1;
}

static __always_inline void zc_send_name(const void *name, __u64 bytes)
{
	if (bpf_ringbuf_output(&names, (void *)name, bytes, 0))
		__sync_fetch_and_add(&names_lost, 1);
}

static __always_inline void zc_name_path(struct zc_new_name *name, struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct zc_path_walk walk = { .name = name, .at = ZC_PATH_BYTES, .dentry = dentry };
	__u32 at;

	walk.mount = zc_mount(BPF_CORE_READ(file, f_path.mnt));
	walk.root = BPF_CORE_READ(task, fs, root.dentry);
	walk.root_mount = zc_mount(BPF_CORE_READ(task, fs, root.mnt));
	/* The root of a file system is in no directory either. */
	if (!BPF_CORE_READ(dentry, d_hash.pprev) &&
	    dentry != BPF_CORE_READ(file, f_path.mnt, mnt_root))
		name->head.flags |= ZC_PATH_DELETED;
	bpf_probe_read_kernel_str(name->head.file_system, sizeof(name->head.file_system),
				  BPF_CORE_READ(file, f_inode, i_sb, s_type, name));
	bpf_loop(ZC_PATH_STEPS, zc_path_step, &walk, 0);
	if (!walk.whole)
		name->head.flags |= ZC_PATH_CUT;
	at = walk.at;
	if (at > ZC_PATH_BYTES)
		return;
	name->head.bytes = ZC_PATH_BYTES - at;
	barrier_var(at);
	if (at > ZC_PATH_BYTES)
		return;
	/* The head right before the path. */
	bpf_probe_read_kernel(name->before + at, sizeof(name->head), &name->head);
	zc_send_name(name->before + at, sizeof(name->head) + ZC_PATH_BYTES - at);
}

static __always_inline void zc_unix_path(struct zc_socket_end *end, struct unix_sock *sk)
{
	struct unix_address *address = BPF_CORE_READ(sk, addr);
	__u32 length;

	if (!address)
		return;
	/* Of a sockaddr_un, whose first two bytes are the family. */
	length = BPF_CORE_READ(address, len) - 2;
	if (length > ZC_SOCKET_PATH_BYTES)
		return;
	if (!bpf_probe_read_kernel(end->path, length, (void *)address +
				   bpf_core_field_offset(struct unix_address, name) + 2))
		end->path_bytes = length;
}

static __always_inline void zc_unix_name(struct zc_socket_name *name, struct sock *sk)
{
	struct unix_sock *own = (void *)sk;
	struct unix_sock *peer = (void *)BPF_CORE_READ(own, peer);
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);

	zc_unix_path(&name->local, own);
	if (pid)
		name->peer_pid = zc_pid_number((__u64)pid);
	if (!peer)
		return;
	name->connected = 1;
	zc_unix_path(&name->remote, peer);
	name->peer_inode = BPF_CORE_READ(((struct sock *)peer), sk_socket, file, f_inode, i_ino);
}

/*
 * An accepted socket has the port of the one that listens. connect() marks the port that it
 * chooses, so that other sockets may connect from it as well.
 */
static __always_inline bool zc_is_bound(struct sock *sk, __u32 protocol)
{
	struct inet_connection_sock *tcp = (void *)sk;
	struct inet_bind_bucket *bucket;

	if (protocol != IPPROTO_TCP)
		return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK;
	bucket = BPF_CORE_READ(tcp, icsk_bind_hash);
	return bucket && BPF_CORE_READ(bucket, fastreuse) >= 0;
}

static __always_inline void zc_inet_name(struct zc_socket_name *name, struct sock *sk)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);

	name->protocol = BPF_CORE_READ(sk, sk_protocol);
	name->local.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	name->remote.port = __builtin_bswap16(port);
	name->connected = port != 0;
	name->bound = zc_is_bound(sk, name->protocol);
	if (name->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)name->local.address, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)name->remote.address, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)name->local.address, sk,
				   __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)name->remote.address, sk,
				   __sk_common.skc_v6_daddr);
	}
}

static __always_inline void zc_vsock_end(struct zc_socket_end *end, struct sockaddr_vm *address)
{
	*(__u32 *)end->address = BPF_CORE_READ(address, svm_cid);
	end->port = BPF_CORE_READ(address, svm_port);
}

static __always_inline struct sock *zc_sock(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

static __always_inline void zc_name_socket(struct zc_new_name *name, struct file *file)
{
	struct zc_socket_name *socket = (void *)name->text;
	struct netlink_sock *netlink;
	struct vsock_sock *vsock;
	struct sock *sk = zc_sock(file);

	ZC_CLEAR(*socket);
	socket->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	switch (socket->family) {
	case AF_INET:
	case AF_INET6:
		zc_inet_name(socket, sk);
		break;
	case AF_UNIX:
		zc_unix_name(socket, sk);
		break;
	case AF_VSOCK:
		vsock = (void *)sk;
		if (!bpf_core_type_exists(struct vsock_sock))
			break;
		zc_vsock_end(&socket->local, (void *)vsock +
			     bpf_core_field_offset(struct vsock_sock, local_addr));
		zc_vsock_end(&socket->remote, (void *)vsock +
			     bpf_core_field_offset(struct vsock_sock, remote_addr));
		socket->connected = 1;
		break;
	case AF_NETLINK:
		netlink = (void *)sk;
		socket->protocol = BPF_CORE_READ(sk, sk_protocol);
		socket->local.port = BPF_CORE_READ(netlink, portid);
		socket->remote.port = BPF_CORE_READ(netlink, dst_portid);
		break;
	}
	name->head.bytes = sizeof(*socket);
	bpf_probe_read_kernel(name->before, sizeof(name->head), &name->head);
	zc_send_name(name->before, sizeof(name->head) + sizeof(*socket));
}

/* Changes when the name does: a file was renamed or deleted, a socket connected. */
static __always_inline __u64 zc_name_mark(struct file *file, __u32 kind)
{
	struct dentry *dentry;
	struct unix_sock *local;
	struct sock *sk;

	if (kind == ZC_SOCKET) {
		sk = zc_sock(file);
		local = (void *)sk;
		if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX)
			return (__u64)BPF_CORE_READ(local, addr) * 3 + (__u64)BPF_CORE_READ(local, peer);
		return (__u64)BPF_CORE_READ(sk, __sk_common.skc_dport) << 48 |
		       (__u64)BPF_CORE_READ(sk, __sk_common.skc_num) << 32 |
		       BPF_CORE_READ(sk, __sk_common.skc_daddr);
	}
	dentry = BPF_CORE_READ(file, f_path.dentry);
	return (__u64)dentry + (__u64)BPF_CORE_READ(dentry, d_parent) * 3 +
	       ((__u64)BPF_CORE_READ(dentry, d_name.hash) << 16) +
	       !BPF_CORE_READ(dentry, d_hash.pprev);
}

int zc_name(__u64 address, const struct zc_channel *channel, __u32 kind)
{
	struct file *file = (void *)address;
	struct zc_new_name *name;
	struct zc_channel key;
	__u64 mark, *known;
	__u32 only = 0;

	if (!channel || !config.channels || !zc_has_channel(kind))
		return 0;
	/* Before 6.2 an argument of a global function cannot be the key of a map. */
	key = *channel;
	mark = zc_name_mark(file, kind);
	known = bpf_map_lookup_elem(&named, &key);
	if (known && *known == mark)
		return 0;
	/* An anonymous pipe has no name. */
	if (kind == ZC_PIPE && BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PIPEFS_MAGIC)
		return 0;
	bpf_map_update_elem(&named, &key, &mark, BPF_ANY);
	name = bpf_map_lookup_elem(&new_name, &only);
	if (!name)
		return 0;
	ZC_CLEAR(name->head);
	name->head.channel = key;
	name->head.kind = kind;
	if (kind == ZC_SOCKET)
		zc_name_socket(name, file);
	else
		zc_name_path(name, file);
	return 0;
}
