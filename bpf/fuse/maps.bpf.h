/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of `zctrace fuse`. Only fuse.bpf.c includes this. */
#ifndef ZC_FUSE_MAPS_H
#define ZC_FUSE_MAPS_H

#include "fuse_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "records.h"

/* From the address of a struct fuse_conn to the id of the connection that has it now. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} connection_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct zc_fuse_connection);
} connections SEC(".maps");

/* The kernel has about 50 opcodes, and no server can make it send others. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096 * 56);
	__type(key, struct zc_fuse_operation_key);
	__type(value, struct zc_fuse_operation);
} operations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct zc_fuse_error_key);
	__type(value, __u64);
} errors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct zc_fuse_requester_key);
	__type(value, struct zc_fuse_requester);
} requesters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct zc_fuse_flight);
} flights SEC(".maps");

/* Space to make a new record in that is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_fuse_operation);
} new_operation SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct zc_fuse_requester);
} new_requester SEC(".maps");

#endif
