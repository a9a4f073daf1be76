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
/* Numbers of devices as the kernel has them, from linux/kdev_t.h and linux/major.h. */
#define MKDEV(major, minor) ((major) << 20 | (minor))
#define DEV_NULL MKDEV(1, 3)
#define DEV_ZERO MKDEV(1, 5)
#define DEV_FULL MKDEV(1, 7)
#define AF_PACKET 17
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262

static __always_inline struct inode *zc_inode(struct file *file)
{
	if (config.rdonly_cast) {
		file = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));
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

/* As ZC_END_PIPE() takes it out again. */
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

static __always_inline __u64 zc_end_of(struct file *file)
{
	struct inode *inode;

	if (!file)
		return ZC_OTHER;
	inode = zc_inode(file);
	switch (zc_mode(inode) & S_IFMT) {
	case S_IFREG:
		return zc_magic(inode) == FUSE_SUPER_MAGIC ? ZC_FUSE : ZC_FILE;
	case S_IFSOCK:
		return ZC_SOCKET;
	case S_IFIFO:
		return zc_pipe_of(inode) | ZC_PIPE;
	case S_IFCHR:
		return zc_character_kind(inode);
	case S_IFBLK:
		return ZC_DEVICE;
	default:
		return ZC_OTHER;
	}
}

__u64 zc_file_end(__u64 address)
{
	return zc_end_of((void *)address);
}

__u64 zc_fd_end(__u64 address, __u32 fd)
{
	struct fdtable *fdt = (void *)address;
	struct list_head *place;

	if (!config.rdonly_cast)
		return zc_end_of(zc_file_at(fdt, fd));
	fdt = bpf_rdonly_cast(fdt, bpf_core_type_id_kernel(struct fdtable));
	if (fd >= fdt->max_fds)
		return ZC_OTHER;
	/* To read a pointer, any type that begins with one will do. */
	place = bpf_rdonly_cast(fdt->fd + fd, bpf_core_type_id_kernel(struct list_head));
	return zc_end_of((struct file *)place->next);
}

__u32 zc_file_is_packet(__u64 address)
{
	struct file *file = (void *)address;
	struct socket *socket;

	if (!file)
		return 0;
	if (config.rdonly_cast) {
		file = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));
		if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
			return 0;
		socket = bpf_rdonly_cast(file->private_data, bpf_core_type_id_kernel(struct socket));
		return socket->sk->__sk_common.skc_family == AF_PACKET;
	}
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk, __sk_common.skc_family) == AF_PACKET;
}

__u32 zc_file_discards(__u64 address)
{
	struct file *file = (void *)address;
	struct inet_connection_sock *tcp;
	struct socket *socket;
	struct sock *sk;
	__u32 protocol;

	if (ZC_END_KIND(zc_end_of(file)) != ZC_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol == IPPROTO_MPTCP)
		return 1;
	/* With an upper layer, such as TLS, it decrypts into the buffer. */
	tcp = (void *)sk;
	return protocol == IPPROTO_TCP && !BPF_CORE_READ(tcp, icsk_ulp_ops);
}
