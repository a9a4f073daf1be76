// SPDX-License-Identifier: GPL-2.0
/* The memory that processes read into, and what they write from it. Every loop has a bound. */
#include "relays.bpf.h"

/* Of a vector; the bytes of further elements are not followed. */
#define ZC_RELAY_VECTOR 16

#define ZC_PROBE_BYTES sizeof(__u64)

static const struct zc_buffers no_buffers = {};
static const struct zc_relay_sums no_sums = {};

struct zc_relay_search {
	struct zc_moved *moved;
	struct zc_buffers *buffers;
	/* The memory that was read into or written from. */
	__u64 begin;
	__u64 end;
	__u64 free;	/* index of a buffer that can be used; ZC_BUFFERS: none */
};

struct zc_relay_vector {
	struct zc_moved *moved;
	struct zc_buffers *buffers;
	__u64 address;	/* of the struct iovec array */
};

static __always_inline struct zc_buffer *zc_buffer_at(struct zc_buffers *buffers, __u64 index)
{
	/* 64 bits: of a comparison of 32 bits, Linux 6.1 does not learn the range of all. */
	barrier_var(index);
	if (index >= ZC_BUFFERS)
		return 0;
	return &buffers->at[index];
}

/*
 * The threads of a process share its buffers. False if another thread is changing this one: the
 * caller then leaves it alone.
 */
static __always_inline bool zc_buffer_take(struct zc_buffer *buffer)
{
	return !__sync_val_compare_and_swap(&buffer->taken, 0, 1);
}

static __always_inline void zc_buffer_release(struct zc_buffer *buffer)
{
	__sync_fetch_and_and(&buffer->taken, 0);
}

/* Where the bytes lie that are compared: the first, the last, and some in between. */
static __always_inline __u32 zc_probe_offset(const struct zc_buffer *buffer, __u32 probe)
{
	return (__u64)(buffer->size - ZC_PROBE_BYTES) * probe / (ZC_PROBES - 1);
}

/*
 * Whether memory still holds what was read into it, as far as the probes tell: those within the
 * range (offsets into the buffer), or on both sides of it if none is within.
 */
static __noinline int zc_buffer_unchanged(const struct zc_buffer *buffer, __u32 begin,
						__u32 end)
{
	__u32 first = ZC_PROBES - 1, last = 0;
	__u64 now;

	for (__u32 i = 0; i < ZC_PROBES; i++) {
		__u32 offset = zc_probe_offset(buffer, i);

		if (offset >= begin && i < first)
			first = i;
		if (offset + ZC_PROBE_BYTES <= end && i > last)
			last = i;
	}
	for (__u32 i = 0; i < ZC_PROBES; i++) {
		if ((i < first && i < last) || (i > first && i > last))
			continue;
		if (bpf_probe_read_user(&now, sizeof(now),
					(void *)(buffer->start + zc_probe_offset(buffer, i))))
			return 0;
		if (now != buffer->probes[i])
			return 0;
	}
	return 1;
}

/* The same as zc_new_row(). */
static __always_inline struct zc_relay_sums *zc_new_relay(const struct zc_relay_key *key, bool last)
{
	struct zc_account *account = bpf_map_lookup_elem(&accounts, &key->account);
	__u32 most = config.most.relays;
	struct zc_share *share;

	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (last)
		most += most / 6;
	if (share->relays >= most)
		return 0;
	if (!bpf_map_update_elem(&relays, key, &no_sums, BPF_NOEXIST))
		__sync_fetch_and_add(&share->relays, 1);
	return bpf_map_lookup_elem(&relays, key);
}

/* Without space for these two channels, the bytes count for any channels of the two rows. */
static __noinline struct zc_relay_sums *zc_relay_sums_of(struct zc_relay_key *key)
{
	struct zc_relay_sums *sums = bpf_map_lookup_elem(&relays, key);

	if (!sums)
		sums = zc_new_relay(key, false);
	if (sums)
		return sums;
	key->from = (struct zc_channel){};
	key->to = (struct zc_channel){};
	sums = bpf_map_lookup_elem(&relays, key);
	return sums ? sums : zc_new_relay(key, true);
}

static __always_inline void zc_relay_add(struct zc_moved *moved, struct zc_buffer *buffer,
					 __u64 bytes)
{
	struct zc_relay_sums *sums;
	struct zc_relay_key *key;
	__u32 only = 0;

	key = bpf_map_lookup_elem(&new_relay, &only);
	if (!key)
		return;
	key->account = moved->account;
	key->read = buffer->key;
	key->write = moved->key;
	key->from = buffer->channel;
	key->to = moved->channel;
	sums = zc_relay_sums_of(key);
	if (!sums)
		return;
	__sync_fetch_and_add(&sums->bytes, bytes);
	if (moved->appends)
		sums->appends = 1;
	if (!buffer->counted)
		__sync_fetch_and_add(&sums->reads, 1);
	buffer->counted = 1;
	if (!moved->matched)
		__sync_fetch_and_add(&sums->writes, 1);
	moved->matched = 1;
}

/*
 * Counts what was written from this buffer. Each byte that was read counts once; so what is left
 * of the buffer is what was not written, and only one piece of that.
 */
static long zc_relay_from(__u32 index, struct zc_relay_search *search)
{
	struct zc_buffer *buffer = zc_buffer_at(search->buffers, index);
	__u64 begin, end, low, high;

	if (!buffer)
		return 1;
	low = buffer->start + buffer->low;
	high = buffer->start + buffer->high;
	if (search->begin >= high || search->end <= low || !zc_buffer_take(buffer))
		return 0;
	low = buffer->start + buffer->low;
	high = buffer->start + buffer->high;
	begin = search->begin > low ? search->begin : low;
	end = search->end < high ? search->end : high;
	if (begin < end && zc_buffer_unchanged(buffer, begin - buffer->start, end - buffer->start)) {
		zc_relay_add(search->moved, buffer, end - begin);
		if (begin == low)
			buffer->low = end - buffer->start;
		else
			buffer->high = begin - buffer->start;
	}
	zc_buffer_release(buffer);
	return 0;
}

/* Takes from a buffer what is overwritten now. */
static long zc_relay_over(__u32 index, struct zc_relay_search *search)
{
	struct zc_buffer *buffer = zc_buffer_at(search->buffers, index);
	__u64 low, high;

	if (!buffer)
		return 1;
	low = buffer->start + buffer->low;
	high = buffer->start + buffer->high;
	if (low >= high) {
		search->free = index;
		return 0;
	}
	if (search->begin >= high || search->end <= low || !zc_buffer_take(buffer))
		return 0;
	low = buffer->start + buffer->low;
	high = buffer->start + buffer->high;
	if (search->begin > low) {
		if (search->begin < high)
			buffer->high = search->begin - buffer->start;
	} else if (search->end < high) {
		if (search->end > low)
			buffer->low = search->end - buffer->start;
	} else {
		buffer->low = buffer->high;
		search->free = index;
	}
	zc_buffer_release(buffer);
	return 0;
}

static __always_inline void zc_relay_into(struct zc_relay_search *search)
{
	struct zc_moved *moved = search->moved;
	__u64 size = search->end - search->begin;
	struct zc_buffer *buffer;
	__u64 index;

	search->free = ZC_BUFFERS;
	bpf_loop(ZC_BUFFERS, zc_relay_over, search, 0);
	index = search->free;
	if (index >= ZC_BUFFERS)
		index = search->buffers->next++ % ZC_BUFFERS;
	buffer = zc_buffer_at(search->buffers, index);
	if (!buffer || size < ZC_PROBE_BYTES || !zc_buffer_take(buffer))
		return;
	buffer->start = search->begin;
	buffer->size = size;
	buffer->low = 0;
	buffer->high = size;
	buffer->counted = 0;
	buffer->key = moved->key;
	buffer->channel = moved->channel;
	for (__u32 i = 0; i < ZC_PROBES; i++)
		if (bpf_probe_read_user(&buffer->probes[i], ZC_PROBE_BYTES,
					(void *)(buffer->start + zc_probe_offset(buffer, i))))
			buffer->high = 0;
	zc_buffer_release(buffer);
}

/* What the call read into the memory at `address`, or wrote from it. */
static __noinline int zc_relay_range(struct zc_moved *moved, struct zc_buffers *buffers,
				     __u64 address, __u64 bytes)
{
	struct zc_relay_search search = {
		.moved = moved,
		.buffers = buffers,
		.begin = address,
		.end = address + bytes,
	};

	if (moved->writes)
		bpf_loop(ZC_BUFFERS, zc_relay_from, &search, 0);
	else
		zc_relay_into(&search);
	return 0;
}

static long zc_relay_element(__u32 index, struct zc_relay_vector *vector)
{
	struct zc_moved *moved = vector->moved;
	__u64 element[2];	/* address and length */
	__u64 bytes;

	if (bpf_probe_read_user(element, sizeof(element),
				(void *)(vector->address + index * sizeof(element))))
		return 1;
	bytes = element[1] < moved->bytes ? element[1] : moved->bytes;
	zc_relay_range(moved, vector->buffers, element[0], bytes);
	moved->bytes -= bytes;
	return !moved->bytes;
}

/* From the struct msghdr of a call to its vector. */
static __always_inline int zc_relay_message(struct zc_moved *moved)
{
	__u64 vector[2];	/* address and length */

	if (bpf_probe_read_user(vector, sizeof(vector), (void *)(moved->address + 16)))
		return -1;
	moved->address = vector[0];
	moved->count = vector[1];
	return 0;
}

static __always_inline struct zc_buffers *zc_buffers_of(const struct zc_moved *moved)
{
	struct zc_buffers *found = bpf_map_lookup_elem(&buffers, &moved->account);
	struct zc_account *account;
	struct zc_share *share;

	/* Nothing can be passed on that was not read. */
	if (found || moved->writes)
		return found;
	account = bpf_map_lookup_elem(&accounts, &moved->account);
	if (!account)
		return 0;
	share = zc_share_at(account->share);
	if (share->buffers >= config.most.buffers)
		return 0;
	if (!bpf_map_update_elem(&buffers, &moved->account, &no_buffers, BPF_NOEXIST))
		__sync_fetch_and_add(&share->buffers, 1);
	return bpf_map_lookup_elem(&buffers, &moved->account);
}

int zc_relay(void)
{
	struct zc_relay_vector vector = {};
	struct zc_moved *moved;
	__u32 only = 0, count;

	if (!config.relays)
		return 0;
	moved = bpf_map_lookup_elem(&moved_bytes, &only);
	if (!moved)
		return 0;
	vector.buffers = zc_buffers_of(moved);
	if (!vector.buffers)
		return 0;
	if (moved->memory == ZC_MEMORY_BUFFER)
		return zc_relay_range(moved, vector.buffers, moved->address, moved->bytes);
	if (moved->memory == ZC_MEMORY_MESSAGE && zc_relay_message(moved))
		return 0;
	vector.moved = moved;
	vector.address = moved->address;
	count = moved->count < ZC_RELAY_VECTOR ? moved->count : ZC_RELAY_VECTOR;
	bpf_loop(count, zc_relay_element, &vector, 0);
	return 0;
}
