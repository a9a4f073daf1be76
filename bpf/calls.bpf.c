// SPDX-License-Identifier: GPL-2.0
/* The one syscall whose direction depends on its descriptor. */
#include "calls.bpf.h"

#define FMODE_WRITE 0x2

/* vmsplice moves bytes into the writing end of a pipe, and out of its reading end. */
__u32 zc_vmsplice_key(__u32 fd, __u32 row)
{
	struct file *file = zc_current_file(fd);
	__u32 kind = zc_file_kind((__u64)file);

	if (file && !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
		return ZC_KEY(row, kind, ZC_USER).word;
	return ZC_KEY(row, ZC_USER, kind).word;
}
