// SPDX-License-Identifier: GPL-2.0
/* Kinds come from the inode's mode and the superblock's magic number. */
#include "kinds.bpf.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define FUSE_SUPER_MAGIC 0x65735546

static __always_inline __u32 zc_kind(struct file *file)
{
	struct inode *inode;

	if (!file)
		return ZC_OTHER;
	inode = BPF_CORE_READ(file, f_inode);
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFREG:
		return BPF_CORE_READ(inode, i_sb, s_magic) == FUSE_SUPER_MAGIC ? ZC_FUSE : ZC_FILE;
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

__u32 zc_fd_kind(__u32 fd)
{
	return zc_kind(zc_current_file(fd));
}
