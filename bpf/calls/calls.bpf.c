// SPDX-License-Identifier: GPL-2.0
/* The one syscall whose direction depends on its descriptor. */
#include "calls.bpf.h"

#define FMODE_WRITE 0x2

__u32 zc_takes_from(__u32 fd)
{
	struct file *file = (void *)zc_current_file(fd);

	return file && !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE);
}
