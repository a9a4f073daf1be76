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

static __always_inline struct file *zc_file_at(struct fdtable *fdt, __u32 fd)
{
	struct file *file = 0;

	if (fd < BPF_CORE_READ(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(fdt, fd) + fd);
	return file;
}

static __always_inline __u32 zc_kind(struct file *file)
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
		return ZC_PIPE;
	case S_IFCHR:
	case S_IFBLK:
		return ZC_DEVICE;
	default:
		return ZC_OTHER;
	}
}

__u32 zc_file_kind(__u64 address)
{
	return zc_kind((void *)address);
}

__u32 zc_fd_kind(__u64 address, __u32 fd)
{
	struct fdtable *fdt = (void *)address;
	struct list_head *place;

	if (!config.rdonly_cast)
		return zc_kind(zc_file_at(fdt, fd));
	fdt = bpf_rdonly_cast(fdt, bpf_core_type_id_kernel(struct fdtable));
	if (fd >= fdt->max_fds)
		return ZC_OTHER;
	/* To read a pointer, any type that begins with one will do. */
	place = bpf_rdonly_cast(fdt->fd + fd, bpf_core_type_id_kernel(struct list_head));
	return zc_kind((struct file *)place->next);
}
