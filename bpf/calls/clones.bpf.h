/* SPDX-License-Identifier: GPL-2.0 */
/* ioctl(FICLONE) and ioctl(FICLONERANGE), which share a file's blocks with another file. */
#ifndef ZC_CLONES_H
#define ZC_CLONES_H

#include "bpf/kinds.bpf.h"

#define FICLONE 0x40049409
#define FICLONERANGE 0x4020940d

static __always_inline bool zc_is_clone(__u32 request)
{
	return request == FICLONE || request == FICLONERANGE;
}

/* The descriptor that the bytes come from. */
static __always_inline int zc_clone_source(__u32 request, __u64 argument)
{
	long long fd = -1;

	if (request == FICLONE)
		return argument;
	/* struct file_clone_range begins with the descriptor of the source. */
	bpf_probe_read_user(&fd, sizeof(fd), (void *)argument);
	return fd;
}

/* The word of the row's key. */
__u32 zc_clone_key(__u32 fd, __u32 request, __u64 argument);

/* Bytes that the files share now. */
__u64 zc_cloned_bytes(__u32 request, __u64 argument);

#endif
