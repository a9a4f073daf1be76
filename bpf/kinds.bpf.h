/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a descriptor to the kind of thing that it is. These are global functions that
 * take numbers, so that the verifier checks them once and not at every call.
 */
#ifndef ZC_KINDS_H
#define ZC_KINDS_H

#include "tasks.bpf.h"

/* enum zc_kind of a descriptor in the struct fdtable at `fdt`. */
__u32 zc_fd_kind(__u64 fdt, __u32 fd);

/* enum zc_kind of the struct file at `address`; 0 is no file. */
__u32 zc_file_kind(__u64 address);

/* NULL: not open. */
static __always_inline struct file *zc_current_file(__u32 fd)
{
	struct fdtable *fdt = bpf_get_current_task_btf()->files->fdt;
	struct file *file = 0;

	if (fd < fdt->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file;
}

static __always_inline __u32 zc_current_fd_kind(__u32 fd)
{
	return zc_file_kind((__u64)zc_current_file(fd));
}

#endif
