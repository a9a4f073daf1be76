// SPDX-License-Identifier: GPL-2.0
/* Reads kinds from the inode's mode and the superblock's magic number. */
#include "kinds.bpf.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define FUSE_SUPER_MAGIC 0x65735546
/* The kernel's device numbers, from linux/kdev_t.h and linux/major.h. */
#define MKDEV(major, minor) ((major) << 20 | (minor))
#define DEV_NULL MKDEV(1, 3)
#define DEV_ZERO MKDEV(1, 5)
#define DEV_FULL MKDEV(1, 7)
#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define BTRFS_SUPER_MAGIC 0x9123683e
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define CGROUP_SUPER_MAGIC 0x27e0eb
#define CGROUP2_SUPER_MAGIC 0x63677270
#define DEBUGFS_MAGIC 0x64626720
#define TRACEFS_MAGIC 0x74726163
#define SECURITYFS_MAGIC 0x73636673
#define O_APPEND 02000 /* on x86-64 and arm64 */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_ALG 38
#define AF_VSOCK 40
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define NETIF_F_SG 1
#define TLS_HW 2

/* Since 6.2: gives a number the type of what it points to, so that loads need no helper. */
static __always_inline void *zc_cast(void *pointer, __u32 type)
{
	return ((void *(*)(void *, __u32))ZC_RDONLY_CAST)(pointer, type);
}

static __always_inline struct inode *zc_inode(struct file *file)
{
	if (config.rdonly_cast) {
		file = zc_cast(file, config.types.file);
		return file->f_inode;
	}
	return BPF_CORE_READ(file, f_inode);
}

static __always_inline __u32 zc_mode(struct inode *inode)
{
	return config.rdonly_cast ? inode->i_mode : BPF_CORE_READ(inode, i_mode);
}

static __always_inline unsigned long zc_magic(struct inode *inode)
{
	return config.rdonly_cast ? inode->i_sb->s_magic : BPF_CORE_READ(inode, i_sb, s_magic);
}

/* ZC_END_PIPE() reverses this. */
static __always_inline __u64 zc_pipe_of(struct inode *inode)
{
	__u64 number, device;

	if (config.rdonly_cast) {
		number = inode->i_ino;
		device = inode->i_sb->s_dev;
	} else {
		number = BPF_CORE_READ(inode, i_ino);
		device = BPF_CORE_READ(inode, i_sb, s_dev);
	}
	return device << 40 | (number & 0xffffffff) << 8;
}

static __always_inline __u32 zc_character_kind(struct inode *inode)
{
	__u32 device = config.rdonly_cast ? inode->i_rdev : BPF_CORE_READ(inode, i_rdev);

	return device == DEV_NULL || device == DEV_ZERO || device == DEV_FULL ? ZC_NULL
									      : ZC_DEVICE;
}

static __always_inline struct file *zc_file_at(struct fdtable *fdt, __u32 fd)
{
	struct file *file = 0;

	if (fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(fdt, fd) + fd);
	return file;
}

static __always_inline bool zc_is_direct(struct file *file)
{
	if (config.rdonly_cast) {
		file = zc_cast(file, config.types.file);
		return file->f_flags & config.direct_flag;
	}
	return BPF_CORE_READ(file, f_flags) & config.direct_flag;
}

static __always_inline __u64 zc_file_kind(struct file *file, struct inode *inode)
{
	unsigned long magic = zc_magic(inode);
	__u32 traits = zc_is_direct(file) ? ZC_DIRECT : 0;

	if (magic == FUSE_SUPER_MAGIC)
		return ZC_FUSE;
	if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC || magic == HUGETLBFS_MAGIC)
		traits |= ZC_MEMORY_FILE;
	return ZC_END(ZC_FILE, 0, traits);
}

/* With the kernel's TLS: a processor encrypts, unless it is known that the device does. */
static __always_inline __u64 zc_tls_end(struct inet_connection_sock *tcp)
{
	struct tls_context *context;

	if (bpf_core_type_exists(struct tls_context)) {
		context = BPF_CORE_READ(tcp, icsk_ulp_data);
		if (BPF_CORE_READ_BITFIELD_PROBED(context, tx_conf) >= TLS_HW)
			return ZC_END(ZC_SOCKET, ZC_TLS, 0);
	}
	return ZC_END(ZC_SOCKET, ZC_TLS, ZC_TLS_SOFTWARE);
}

/*
 * Whether the device of the socket's route sends from several places in memory. TCP always
 * builds packets as if it did (sk_route_caps), and they are copied into one place later.
 */
static __always_inline bool zc_gathers(struct sock *sk)
{
	struct dst_entry *route;

	if (config.rdonly_cast) {
		route = sk->sk_dst_cache;
		if (!route)
			return true;
		return route->dev->features & NETIF_F_SG;
	}
	route = BPF_CORE_READ(sk, sk_dst_cache);
	return !route || BPF_CORE_READ(route, dev, features) & NETIF_F_SG;
}

static __always_inline __u64 zc_tcp_end(struct sock *sk)
{
	struct inet_connection_sock *tcp = (void *)sk;
	const struct tcp_ulp_ops *upper;
	char name[4] = {};

	if (config.rdonly_cast) {
		tcp = zc_cast(tcp, config.types.tcp);
		upper = tcp->icsk_ulp_ops;
	} else {
		upper = BPF_CORE_READ(tcp, icsk_ulp_ops);
	}
	if (upper) {
		BPF_CORE_READ_INTO(&name, upper, name);
		if (name[0] == 't' && name[1] == 'l' && name[2] == 's' && !name[3])
			return zc_tls_end(tcp);
	}
	return ZC_END(ZC_SOCKET, ZC_TCP, zc_gathers(sk) ? 0 : ZC_NO_GATHER);
}

static __always_inline __u64 zc_inet_end(struct sock *sk)
{
	__u32 protocol = config.rdonly_cast ? sk->sk_protocol : BPF_CORE_READ(sk, sk_protocol);

	switch (protocol) {
	case IPPROTO_TCP:
		return zc_tcp_end(sk);
	case IPPROTO_UDP:
		return ZC_END(ZC_SOCKET, ZC_UDP, zc_gathers(sk) ? 0 : ZC_NO_GATHER);
	default:
		return ZC_END(ZC_SOCKET, ZC_OTHER_PROTOCOL, 0);
	}
}

/* Only a stream takes pages as they are. */
static __always_inline __u64 zc_unix_end(struct sock *sk)
{
	__u16 type = config.rdonly_cast ? sk->sk_type : BPF_CORE_READ(sk, sk_type);

	return ZC_END(ZC_SOCKET, ZC_UNIX, type == SOCK_STREAM ? 0 : ZC_NO_PAGES);
}

static __always_inline __u64 zc_socket_end(struct file *file)
{
	struct socket *socket;
	struct sock *sk;
	__u32 family;

	if (config.rdonly_cast) {
		file = zc_cast(file, config.types.file);
		socket = zc_cast(file->private_data, config.types.socket);
		sk = socket->sk;
		family = sk->__sk_common.skc_family;
	} else {
		socket = BPF_CORE_READ(file, private_data);
		sk = BPF_CORE_READ(socket, sk);
		family = BPF_CORE_READ(sk, __sk_common.skc_family);
	}
	switch (family) {
	case AF_INET:
	case AF_INET6:
		return zc_inet_end(sk);
	case AF_UNIX:
		return zc_unix_end(sk);
	case AF_ALG:
		return ZC_END(ZC_SOCKET, ZC_ALG, 0);
	case AF_VSOCK:
		return ZC_END(ZC_SOCKET, ZC_VSOCK, 0);
	case AF_NETLINK:
		return ZC_END(ZC_SOCKET, ZC_NETLINK, 0);
	default:
		return ZC_END(ZC_SOCKET, ZC_OTHER_PROTOCOL, 0);
	}
}

static __always_inline __u64 zc_end_of(struct file *file)
{
	struct inode *inode;

	if (!file)
		return ZC_OTHER;
	inode = zc_inode(file);
	switch (zc_mode(inode) & S_IFMT) {
	case S_IFREG:
		return zc_file_kind(file, inode);
	case S_IFSOCK:
		return zc_socket_end(file);
	case S_IFIFO:
		return zc_pipe_of(inode) | ZC_PIPE;
	case S_IFCHR:
		return zc_character_kind(inode);
	case S_IFBLK:
		return ZC_END(ZC_DEVICE, 0, ZC_BLOCK | (zc_is_direct(file) ? ZC_DIRECT : 0));
	default:
		return ZC_OTHER;
	}
}

__u64 zc_file_end(__u64 address)
{
	return zc_end_of((void *)address);
}

static __always_inline struct fdtable *zc_fdt_of(struct task_struct *task)
{
	if (config.rdonly_cast)
		task = zc_cast(task, config.types.task);
	return task->files->fdt;
}

static __always_inline struct file *zc_fd_of(__u64 table, __u32 fd)
{
	struct list_head *place;
	struct fdtable *fdt;

	if (!config.rdonly_cast)
		return zc_file_at((void *)table, fd);
	fdt = zc_fdt_of((void *)table);
	if (fd >= fdt->max_fds)
		return 0;
	place = zc_cast(fdt->fd + fd, config.types.pointer);
	return (struct file *)place->next;
}

static __always_inline void zc_channel_at(struct inode *inode, struct zc_channel *channel)
{
	if (config.rdonly_cast) {
		channel->inode = inode->i_ino;
		channel->generation = inode->i_generation;
		channel->device = inode->i_sb->s_dev;
		return;
	}
	channel->inode = BPF_CORE_READ(inode, i_ino);
	channel->generation = BPF_CORE_READ(inode, i_generation);
	channel->device = BPF_CORE_READ(inode, i_sb, s_dev);
}

__u64 zc_fd_end(__u64 table, __u32 fd, struct zc_channel *channel)
{
	struct file *file = zc_fd_of(table, fd);

	if (channel && config.channels) {
		if (file)
			zc_channel_at(zc_inode(file), channel);
		else
			*channel = (struct zc_channel){};
	}
	return zc_end_of(file);
}

__u64 zc_current_file(__u32 fd)
{
	struct fdtable *fdt = zc_fdt_of(bpf_get_current_task_btf());
	__u64 file = 0;

	if (fd < fdt->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

int zc_file_channel(__u64 address, struct zc_channel *channel)
{
	if (address && channel && config.channels)
		zc_channel_at(zc_inode((void *)address), channel);
	return 0;
}

__u32 zc_file_appends(__u64 address)
{
	struct file *file = (void *)address;

	return file && BPF_CORE_READ(file, f_flags) & O_APPEND;
}

__u32 zc_file_offloads(__u64 address)
{
	struct file *file = (void *)address;

	if (!file)
		return 0;
	return BPF_CORE_READ(file, f_op, remap_file_range) ||
	       BPF_CORE_READ(file, f_op, copy_file_range) ? ZC_OFFLOADS : 0;
}

/* The pages of a file of overlayfs are those of a file below, which is not known here. */
__u32 zc_file_is_uncached(__u64 address)
{
	struct file *file = (void *)address;

	return file && !BPF_CORE_READ(file, f_inode, i_mapping, nrpages) &&
	       BPF_CORE_READ(file, f_inode, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC;
}

__u64 zc_file_size(__u64 address)
{
	struct file *file = (void *)address;

	return file ? BPF_CORE_READ(file, f_inode, i_size) : 0;
}

/* btrfs reads what is compressed through the page cache. */
__u32 zc_file_reads_direct(__u64 address)
{
	struct file *file = (void *)address;

	return file && BPF_CORE_READ(file, f_inode, i_sb, s_magic) != BTRFS_SUPER_MAGIC;
}

__u32 zc_file_has_no_pages(__u64 address)
{
	struct file *file = (void *)address;

	if (!file)
		return 0;
	switch (BPF_CORE_READ(file, f_inode, i_sb, s_magic)) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
		return ZC_NO_PAGES;
	default:
		return 0;
	}
}

__u64 zc_file_number(__u64 address)
{
	struct file *file = (void *)address;

	return file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

__u32 zc_file_is_packet(__u64 address)
{
	struct file *file = (void *)address;
	struct socket *socket;

	if (!file)
		return 0;
	if (config.rdonly_cast) {
		file = zc_cast(file, config.types.file);
		if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
			return 0;
		socket = zc_cast(file->private_data, config.types.socket);
		return socket->sk->__sk_common.skc_family == AF_PACKET;
	}
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk, __sk_common.skc_family) == AF_PACKET;
}
