/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What identifies a row, and what a row's number alone does not say: ends, protocol, traits. */
#ifndef ZC_ROW_KEY_H
#define ZC_ROW_KEY_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* What bytes come from or go to; up to ZC_OTHER the values are those of zctrace::Kind. */
enum zc_kind {
	ZC_USER,
	ZC_FILE,
	ZC_SOCKET,
	ZC_PIPE,
	ZC_DEVICE,
	ZC_FUSE,
	ZC_OTHER,
	ZC_NULL,	/* /dev/null, /dev/zero, /dev/full: devices that hold no bytes */
	ZC_DISCARD,	/* instead of ZC_USER: a TCP socket throws the bytes away */
};

/* What a socket speaks; the values are those of zctrace::Protocol. */
enum zc_protocol {
	ZC_NO_PROTOCOL,		/* not a socket */
	ZC_TCP,
	ZC_UDP,
	ZC_UNIX,
	ZC_ALG,
	ZC_VSOCK,
	ZC_NETLINK,
	ZC_TLS,			/* TCP with the kernel's TLS on top */
	ZC_OTHER_PROTOCOL,
};

/* What decides how bytes are copied, apart from the kinds of a call's ends. */
enum zc_trait {
	ZC_DIRECT = 1,		/* a file or block device was opened with O_DIRECT */
	ZC_MEMORY_FILE = 2,	/* the file is in memory only; to be read, only with ZC_DIRECT */
	ZC_OFFLOADS = 4,	/* file to file: the file system can clone or copy by itself */
	ZC_LOOPBACK = 4,	/* with ZC_BY_REFERENCE: the route's device is a loopback */
	ZC_NO_GATHER = 8,	/* the device cannot send from several places in memory */
	ZC_TLS_SOFTWARE = 16,	/* a processor encrypts what is sent */
	ZC_BY_REFERENCE = 32,	/* MSG_ZEROCOPY, SEND_ZC: the caller lends its memory */
	ZC_NO_PAGES = 64,	/* in-kernel calls: an end that neither has pages nor takes them */
	ZC_BLOCK = 128,		/* a block device, which has a page cache */
};

/* Identifies a row within its account. One word, so that one load compares it. */
struct zc_key {
	/*
	 * The row's number (12 bits), from and to (4 each, enum zc_kind), the protocol
	 * (4, enum zc_protocol), a set of enum zc_trait (8).
	 */
	__u32 word;
};

#define ZC_KEY(row, from, to) \
	((struct zc_key){ (__u32)(row) | (__u32)(from) << 12 | (__u32)(to) << 16 })
#define ZC_KEY_WITH(row, from, to, protocol, traits) \
	((struct zc_key){ ZC_KEY(row, from, to).word | (__u32)(protocol) << 20 | \
			  (__u32)(traits) << 24 })
#define ZC_KEY_ROW(key) ((key).word & 0xfff)
#define ZC_KEY_FROM(key) ((key).word >> 12 & 0xf)
#define ZC_KEY_TO(key) ((key).word >> 16 & 0xf)
#define ZC_KEY_PROTOCOL(key) ((key).word >> 20 & 0xf)
#define ZC_KEY_TRAITS(key) ((key).word >> 24)

#endif
