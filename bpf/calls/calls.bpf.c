// SPDX-License-Identifier: GPL-2.0
/* What of a call's row depends on its descriptors: functions that the verifier checks once. */
#include "calls.bpf.h"

#define FMODE_WRITE 0x2

__u32 zc_takes_from(__u32 fd)
{
	struct file *file = (void *)zc_current_file(fd);

	return file && !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE);
}

__u32 zc_word_of_ends(struct zc_task_head *head, const struct zc_args *args, __u64 table,
		      __u32 index)
{
	if (!head || !args)
		return 0;
	return zc_key_of_ends(0, head, args, table, zc_call_at(index)).word;
}
