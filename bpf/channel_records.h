/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What identifies a file, pipe or socket, and the names that the programs tell user space. */
#ifndef ZC_CHANNEL_RECORDS_H
#define ZC_CHANNEL_RECORDS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* A file, pipe or socket. All zero: neither, or not known. */
struct zc_channel {
	__u64 inode;
	__u32 device;		/* of the file system, in the kernel's encoding */
	__u32 generation;	/* of the inode, where the file system reuses its number */
};

#define ZC_PATH_BYTES 4096
#define ZC_SOCKET_PATH_BYTES 108	/* as in sockaddr_un */
#define ZC_FILE_SYSTEM_BYTES 16

enum zc_path_flags {
	ZC_PATH_DELETED = 1,	/* no directory has it any more, or ever had */
	ZC_PATH_CUT = 2,	/* the first part is missing */
};

/* The address of one end of a socket. */
struct zc_socket_end {
	__u8 address[16];	/* IPv4: the first four; vsock: the context's ID */
	__u32 port;		/* host's byte order; netlink: the port's ID */
	__u32 path_bytes;	/* AF_UNIX; 0: no name */
	char path[ZC_SOCKET_PATH_BYTES];
};

struct zc_socket_name {
	__u16 family;
	__u16 connected;
	__u32 protocol;		/* IPPROTO_* */
	__u64 peer_inode;	/* AF_UNIX: of the other end's socket; 0: not known */
	__u32 peer_pid;		/* AF_UNIX: that connected or listened; 0: not known */
	/* tcp, udp: a program chose the local port, for this socket or the one that listens. */
	__u32 bound;
	struct zc_socket_end local;
	struct zc_socket_end remote;
};

/* Tells user space the name of a channel when it is first used, and when the name changes. */
struct zc_channel_name {
	struct zc_channel channel;
	__u32 kind;		/* enum zc_kind */
	__u32 flags;		/* enum zc_path_flags */
	char file_system[ZC_FILE_SYSTEM_BYTES];
	__u32 pad;
	__u32 bytes;		/* of what follows: a path, or a struct zc_socket_name */
};

/* Key of the map `mapped`. */
struct zc_mapped_key {
	__u64 account;
	struct zc_channel file;	/* all zero: files without space of their own */
};

/* What page faults entered into page tables. */
struct zc_mapped_sums {
	__u64 pages;
	__u64 faults;
};

/* The pages of a file that the latest page fault of a task met; it may be tried several times. */
struct zc_fault {
	__u64 number;	/* of the task's faults, from 1 on; 0: none yet */
	struct zc_channel file;
	__u64 first;
	__u64 last;
};

#endif
