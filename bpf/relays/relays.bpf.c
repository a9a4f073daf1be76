// SPDX-License-Identifier: GPL-2.0
/* The memory that processes read into, and what they write from it. Every loop has a bound. */
#include "relays.bpf.h"

/* Of a vector; the bytes of further elements are not followed. */
#define ZC_RELAY_VECTOR 16

#define ZC_PROBE_BYTES sizeof(__u64)
#define ZC_SMALL_BUFFER 4096

static const struct zc_buffers no_buffers = {};
static const struct zc_relay_sums no_sums = {};

struct zc_relay_search {
	struct zc_moved *moved;
	struct zc_buffers *buffers;
	/* The memory that was read into or written from. */
	__u64 begin;
	__u64 end;
	__u64 left;	/* buffers that are not done yet, a bit for each */
};

struct zc_relay_vector {
	struct zc_moved *moved;
	struct zc_buffers *buffers;
	__u64 address;	/* of the struct iovec array */
};

/*
 * Whether there is such a buffer. A macro, because Linux 6.1 learns the range of the compared
 * register only, not of its copies. 64 bits, because of a comparison of 32 it does not learn all.
 */
#define ZC_IS_BUFFER(index) ({ barrier_var(index); (index) < ZC_BUFFERS; })

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

/* How many places of a buffer are compared. Each costs as much as all else here; see cost.md. */
static __always_inline __u32 zc_probes_of(const struct zc_buffer *buffer)
{
	return buffer->size > ZC_SMALL_BUFFER ? ZC_PROBES : 2;
}

/* Where they are: at the beginning, at the end, and some in between. */
static __always_inline __u32 zc_probe_offset(const struct zc_buffer *buffer, __u32 probe)
{
	__u32 last = buffer->size - ZC_PROBE_BYTES;

	/* Division by a constant is none. */
	if (zc_probes_of(buffer) == 2)
		return probe ? last : 0;
	return (__u64)last * probe / (ZC_PROBES - 1);
}

/*
 * Whether memory still holds what was read into it, as far as the probes tell: those within the
 * range (offsets into the buffer), or on both sides of it if none is within.
 */
static __noinline int zc_buffer_unchanged(const struct zc_buffer *buffer, __u32 begin,
						__u32 end)
{
	__u32 count = zc_probes_of(buffer), first = count - 1, last = 0;
	__u64 now;

	for (__u32 i = 0; i < ZC_PROBES && i < count; i++) {
		__u32 offset = zc_probe_offset(buffer, i);

		if (offset >= begin && i < first)
			first = i;
		if (offset + ZC_PROBE_BYTES <= end && i > last)
			last = i;
	}
	for (__u32 i = 0; i < ZC_PROBES && i < count; i++) {
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
 * The buffers that have something of this memory, a bit for each. A hint, because other threads
 * change them. Signs instead of branches: the verifier would follow both sides of each.
 */
static __noinline __u64 zc_buffers_within(const struct zc_buffers *buffers, __u64 begin, __u64 end)
{
	__u64 found = 0;

#pragma unroll
	for (__u32 i = 0; i < ZC_BUFFERS; i++) {
		found |= ((begin - buffers->high[i]) & (buffers->low[i] - end)) >> 63 << i;
		/* One after the other: all at once need more registers than there are. */
		barrier_var(found);
	}
	return found;
}

/* Takes the lowest of the buffers that are left: how many bits are below its own. */
static __always_inline __u64 zc_next_buffer(struct zc_relay_search *search)
{
	__u64 below = (search->left - 1) & ~search->left;

	search->left &= search->left - 1;
	below -= below >> 1 & 0x55555555;
	below = (below & 0x33333333) + (below >> 2 & 0x33333333);
	below = (below + (below >> 4)) & 0x0f0f0f0f;
	return (below * 0x01010101 & 0xffffffff) >> 24;
}

/* The next read uses it again. */
static __always_inline void zc_buffer_empties(struct zc_buffers *buffers, __u64 index)
{
	buffers->low[index] = 0;
	buffers->high[index] = 0;
	buffers->empty = index + 1;
}

/*
 * Counts what was written from the next buffer. Each byte that was read counts once; so what is
 * left of the buffer is what was not written, and only one piece of that.
 */
static long zc_relay_from(__u32 unused, struct zc_relay_search *search)
{
	struct zc_buffers *buffers = search->buffers;
	__u64 begin, end, low, high, index;
	struct zc_buffer *buffer;

	if (!search->left)
		return 1;
	index = zc_next_buffer(search);
	if (!ZC_IS_BUFFER(index))
		return 0;
	buffer = &buffers->at[index];
	if (!zc_buffer_take(buffer))
		return 0;
	low = buffers->low[index];
	high = buffers->high[index];
	begin = search->begin > low ? search->begin : low;
	end = search->end < high ? search->end : high;
	if (begin < end && zc_buffer_unchanged(buffer, begin - buffer->start, end - buffer->start)) {
		zc_relay_add(search->moved, buffer, end - begin);
		if (begin != low)
			buffers->high[index] = begin;
		else if (end != high)
			buffers->low[index] = end;
		else
			zc_buffer_empties(buffers, index);
	}
	zc_buffer_release(buffer);
	return 0;
}

/* Takes from the next buffer what is overwritten now. */
static long zc_relay_over(__u32 unused, struct zc_relay_search *search)
{
	struct zc_buffers *buffers = search->buffers;
	struct zc_buffer *buffer;
	__u64 low, high, index;

	if (!search->left)
		return 1;
	index = zc_next_buffer(search);
	if (!ZC_IS_BUFFER(index))
		return 0;
	buffer = &buffers->at[index];
	if (!zc_buffer_take(buffer))
		return 0;
	low = buffers->low[index];
	high = buffers->high[index];
	if (search->begin > low) {
		if (search->begin < high)
			buffers->high[index] = search->begin;
	} else if (search->end < high) {
		if (search->end > low)
			buffers->low[index] = search->end;
	} else {
		zc_buffer_empties(buffers, index);
	}
	zc_buffer_release(buffer);
	return 0;
}

/* The index of a buffer for new memory: an empty one if one is known, else that of the oldest. */
static __always_inline __u64 zc_buffer_to_use(struct zc_buffers *buffers)
{
	__u64 empty = buffers->empty;

	if (empty) {
		buffers->empty = 0;
		return empty - 1;
	}
	return __sync_fetch_and_add(&buffers->next, 1) % ZC_BUFFERS;
}

static __noinline int zc_relay_into(struct zc_relay_search *search)
{
	struct zc_buffers *buffers = search->buffers;
	struct zc_moved *moved = search->moved;
	__u64 size = search->end - search->begin;
	struct zc_buffer *buffer;
	__u64 index, now = 0;

	if (search->left)
		bpf_loop(ZC_BUFFERS, zc_relay_over, search, 0);
	if (moved->forgets || size < ZC_PROBE_BYTES)
		return 0;
	index = zc_buffer_to_use(buffers);
	if (!ZC_IS_BUFFER(index))
		return 0;
	buffer = &buffers->at[index];
	if (!zc_buffer_take(buffer))
		return 0;
	buffer->start = search->begin;
	buffer->size = size;
	buffer->counted = 0;
	buffer->key = moved->key;
	buffer->channel = moved->channel;
	buffers->low[index] = search->begin;
	buffers->high[index] = search->end;
	for (__u32 i = 0; i < ZC_PROBES && i < zc_probes_of(buffer); i++) {
		/* By way of the stack: the kernel checks any other target for longer than it reads. */
		if (bpf_probe_read_user(&now, sizeof(now),
					(void *)(buffer->start + zc_probe_offset(buffer, i))))
			zc_buffer_empties(buffers, index);
		buffer->probes[i] = now;
	}
	zc_buffer_release(buffer);
	return 0;
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
		.left = zc_buffers_within(buffers, address, address + bytes),
	};

	if (!moved->writes)
		zc_relay_into(&search);
	else if (search.left)
		bpf_loop(ZC_BUFFERS, zc_relay_from, &search, 0);
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
	if (found || moved->writes || moved->forgets)
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
