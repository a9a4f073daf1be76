/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Bytes that a process only passed on: read, and written again unchanged. Only with --advise. */
#ifndef ZC_RELAY_RECORDS_H
#define ZC_RELAY_RECORDS_H

#include "channel_records.h"
#include "row_key.h"

/* Key of the map `relays`. */
struct zc_relay_key {
	__u64 account;
	struct zc_key read;	/* the row that read the bytes */
	struct zc_key write;	/* the row that wrote them */
	struct zc_channel from;
	struct zc_channel to;
};

struct zc_relay_sums {
	__u64 bytes;
	__u64 reads;	/* calls whose bytes were passed on, in whole or in part */
	__u64 writes;	/* calls that passed bytes on */
	__u64 appends;	/* not 0: into a file that is open with O_APPEND */
};

#endif
