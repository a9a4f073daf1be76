// SPDX-License-Identifier: GPL-2.0
/* The ends and bytes of FICLONE and FICLONERANGE. */
#include "clones.bpf.h"

__u32 zc_clone_key(__u32 fd, __u32 request, __u64 argument)
{
	__u64 from = zc_current_fd_end(zc_clone_source(request, argument));
	__u64 to = zc_current_fd_end(fd);

	return zc_key_of(request == FICLONE ? config.ficlone_row : config.ficlonerange_row, from, to)
		.word;
}

__u64 zc_cloned_bytes(__u32 request, __u64 argument)
{
	struct {
		__s64 fd;
		__u64 offset;
		__u64 length;
	} range = {};
	struct file *source;
	__u64 size;

	if (request == FICLONERANGE)
		bpf_probe_read_user(&range, sizeof(range), (void *)argument);
	/* The kernel refuses ranges that end beyond the file; the caller may have changed this one. */
	source = (void *)zc_current_file(zc_clone_source(request, argument));
	size = source ? BPF_CORE_READ(source, f_inode, i_size) : 0;
	size = size > range.offset ? size - range.offset : 0;
	/* A length of 0, or no range: everything from the offset on. */
	return range.length && range.length < size ? range.length : size;
}
