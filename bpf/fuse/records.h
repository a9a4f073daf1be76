/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the programs of `zctrace fuse` count, and the collector reads. Times are nanoseconds of
 * CLOCK_MONOTONIC, sizes bytes. Counters only grow.
 */
#ifndef ZC_FUSE_RECORDS_H
#define ZC_FUSE_RECORDS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define ZC_FUSE_NAME_BYTES 16
#define ZC_FUSE_TYPE_BYTES 32
#define ZC_FUSE_BUCKETS 64	/* as in struct zc_row */
/* Opcodes from here on share the first counter of a requester. */
#define ZC_FUSE_OPCODES 64
/* Kinds of errors that are counted apart for each connection: pairs of opcode and errno. */
#define ZC_FUSE_ERRORS_OF_CONNECTION 256
#define ZC_FUSE_SHARES 4096

struct zc_fuse_config {
	__u32 pid_namespace;	/* zctrace's */
	__u32 device;		/* with one_device */
	__u32 user;		/* with one_user */
	__u8 one_device;	/* only the connection of this device */
	__u8 one_user;		/* only connections that this user mounted */
	__u16 pad;
	/* The most entries of a share. */
	__u32 most_connections;
	__u32 most_requesters;
	__u32 most_flights;
};

/* What one user's connections take of the maps. The collector subtracts what it deletes. */
struct zc_fuse_share {
	__u32 connections;
	__u32 requesters;
	__u32 flights;
};

/* One connection: the file system between two mounts, or a character device of CUSE. */
struct zc_fuse_connection {
	__u64 address;		/* of its struct fuse_conn */
	__u64 waiting_sum;	/* of the queue's length at each request, which is in it */
	__u64 sent;		/* requests */
	__u32 id;		/* never used again; not 0 */
	__u32 device;		/* major << 20 | minor; 0: none, as with CUSE */
	__u32 user;		/* that mounted it, outside of all namespaces */
	__u32 share;
	__u32 waiting_max;
	__u32 background_max;	/* of the requests that nothing waits for */
	__u32 background_limit;	/* as the server set it */
	__u32 errors;		/* entries of the map `errors` */
	__u32 server;		/* the process that answers; its global number, 0: a kernel thread */
	__u32 server_pid;	/* the same in zctrace's namespace, 0: none there */
	__u32 began;		/* its first request was seen */
	__u32 pad;
	char server_name[ZC_FUSE_NAME_BYTES];
	char type[ZC_FUSE_TYPE_BYTES];
	char subtype[ZC_FUSE_TYPE_BYTES];
};

struct zc_fuse_operation_key {
	__u32 connection;
	__u32 opcode;
};

struct zc_fuse_operation {
	__u64 sent;
	__u64 answered;
	__u64 timed;		/* of the answered: those that were seen when they were sent */
	__u64 withdrawn;	/* that the server never saw, because the requester was killed */
	__u64 errors;
	__u64 bytes;		/* of files */
	__u64 request_bytes;	/* of whole messages, both ways */
	__u64 reply_bytes;
	__u64 background;	/* of the sent: those that no process waits for */
	__u64 wall_ns;
	__u64 max_ns;
	__u64 latency[ZC_FUSE_BUCKETS];
};

struct zc_fuse_error_key {
	__u32 connection;
	__u32 opcode;
	__u32 error;
};

/* Which process sent requests; enum zc_fuse_special when `process` is 0. */
struct zc_fuse_requester_key {
	__u64 start_ns;		/* CLOCK_BOOTTIME */
	__u32 connection;
	__u32 process;		/* global number */
};

enum zc_fuse_special {
	ZC_FUSE_BY_KERNEL,	/* the kernel, on its own */
	ZC_FUSE_BY_UNKNOWN,	/* a process that had ended, or in another PID namespace */
	ZC_FUSE_BY_OTHERS,	/* processes that found no space */
};

struct zc_fuse_requester {
	__u64 sent;
	__u64 answered;
	__u64 withdrawn;
	__u64 errors;
	__u64 read_bytes;
	__u64 written_bytes;
	__u64 wall_ns;
	__u64 max_ns;
	__u32 pid;		/* in zctrace's namespace, 0: none there */
	__u32 share;
	char name[ZC_FUSE_NAME_BYTES];
	__u64 by_opcode[ZC_FUSE_OPCODES];	/* answered */
};

/* A request that was sent and not yet answered; the key is the address of its struct fuse_req. */
struct zc_fuse_flight {
	struct zc_fuse_requester_key by;
	__u64 sent_ns;
	__u32 opcode;
	__u32 share;
	__u32 asked_bytes;	/* of a file, at most */
	__u32 pid;		/* of the process and the thread that wait; 0: none, or unknown */
	__u32 tid;
	__u32 background;
};

/* Every way in which something can be lost. */
enum zc_fuse_loss {
	ZC_FUSE_LOST_CONNECTIONS,	/* requests of connections that found no space */
	ZC_FUSE_LOST_OPERATIONS,	/* requests of kinds that found no space */
	ZC_FUSE_LOST_FLIGHTS,		/* requests without a time or a process: too many in flight */
	ZC_FUSE_LOST_REQUESTERS,	/* requests whose process found no space */
	ZC_FUSE_LOSSES,
};

#ifdef __cplusplus
#define ZC_FUSE_SIZE(type, bytes) static_assert(sizeof(struct type) == bytes, #type)
#else
#define ZC_FUSE_SIZE(type, bytes) _Static_assert(sizeof(struct type) == bytes, #type)
#endif

ZC_FUSE_SIZE(zc_fuse_config, 28);
ZC_FUSE_SIZE(zc_fuse_share, 12);
ZC_FUSE_SIZE(zc_fuse_connection, 152);
ZC_FUSE_SIZE(zc_fuse_operation_key, 8);
ZC_FUSE_SIZE(zc_fuse_operation, 600);
ZC_FUSE_SIZE(zc_fuse_error_key, 12);
ZC_FUSE_SIZE(zc_fuse_requester_key, 16);
ZC_FUSE_SIZE(zc_fuse_requester, 600);
ZC_FUSE_SIZE(zc_fuse_flight, 48);

#undef ZC_FUSE_SIZE

#endif
