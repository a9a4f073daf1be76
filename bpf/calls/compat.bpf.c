// SPDX-License-Identifier: GPL-2.0
/* Translates the numbers of 32-bit calls, and reads the arguments of socketcall(). */
#include "compat.bpf.h"

__u32 zc_compat_index(__u64 number, __u32 argument)
{
	if (number == config.socketcall)
		return argument < ZC_MAX_SOCKETCALLS ? config.socketcalls[argument]
						     : ZC_CALL_UNKNOWN;
	return number < ZC_MAX_SYSCALLS ? config.compat_calls[number] : ZC_CALL_UNKNOWN;
}

int zc_socketcall_args(__u32 address, struct zc_args *args)
{
	__u32 words[4] = {};

	if (!args)
		return 0;
	if (bpf_probe_read_user(words, sizeof(words), (void *)(__u64)address))
		return 0;
	args->arg[0] = words[0];
	args->arg[1] = words[1];
	args->arg[2] = words[2];
	args->arg[3] = words[3];
	return 1;
}
