// SPDX-License-Identifier: GPL-2.0
/* Sizes of messages and of their buffers, from user memory. Every loop has a bound. */
#include "bytes.bpf.h"
#include "bpf/clear.bpf.h"

#define UIO_MAXIOV 1024
/*
 * How many of them are read at once, and added up without a test for the last one: the verifier
 * would walk on from each.
 */
#define ZC_IOVECS_AT_ONCE 16
/*
 * Before 6.3 one program adds up the buffers of all messages of a call, as long as this is
 * affordable: a message costs about as much as 64 further elements of its vector. The
 * others are lost.
 */
#define ZC_ROOM_COST 64
#define ZC_MOST_ROOM_COST 8192
/* No call moves more (MAX_RW_COUNT). */
#define ZC_MOST_BYTES 0x7ffff000

/* Those of the 64-bit ABI are the same on x86-64 and arm64. */
struct zc_user_iovec {
	__u64 base;
	__u64 length;
};

struct zc_user_msghdr {
	__u64 name;
	__u32 name_length;
	__u32 name_pad;
	__u64 iov;
	__u64 iov_count;
	__u64 control;
	__u64 control_length;
	__u32 flags;
	__u32 pad;
};

struct zc_user_mmsghdr {
	struct zc_user_msghdr header;
	__u32 length;
	__u32 pad;
};

struct zc_compat_iovec {
	__u32 base;
	__u32 length;
};

struct zc_compat_msghdr {
	__u32 name;
	__u32 name_length;
	__u32 iov;
	__u32 iov_count;
	__u32 control;
	__u32 control_length;
	__u32 flags;
};

struct zc_compat_mmsghdr {
	struct zc_compat_msghdr header;
	__u32 length;
};

struct zc_claims {
	const struct zc_messages *messages;
	__u64 bytes;
	__u32 cost;	/* of adding up buffers, so far */
};

struct zc_room {
	__u64 iov;
	__u64 bytes;
	__u32 count;
	__u32 compat;
};

struct zc_iovecs {
	struct zc_user_iovec all[ZC_IOVECS_AT_ONCE];
};

static __always_inline long zc_read_failed(void)
{
	zc_lose(ZC_LOST_MESSAGE_LENGTHS, 1);
	return 1;
}

static long zc_add_room(__u32 chunk, struct zc_room *room)
{
	__u32 only = 0, first = chunk * ZC_IOVECS_AT_ONCE, count = room->count - first;
	struct zc_iovecs *space = bpf_map_lookup_elem(&chunks, &only);
	__u64 iovec_bytes = room->compat ? sizeof(struct zc_compat_iovec) :
					   sizeof(struct zc_user_iovec);
	__u64 bytes;

	if (!space)
		return 1;
	if (count > ZC_IOVECS_AT_ONCE)
		count = ZC_IOVECS_AT_ONCE;
	/*
	 * Read back from the map, so that the verifier forgets the size's exact range and need not
	 * check the rest once for each of four.
	 */
	*(volatile __u64 *)&space->all[0].base = count * iovec_bytes;
	bytes = *(volatile __u64 *)&space->all[0].base;
	if (bytes > sizeof(*space))
		return 1;
	ZC_CLEAR(*space);
	if (bpf_probe_read_user(space, bytes, (void *)(room->iov + first * iovec_bytes)))
		return zc_read_failed();
	if (room->compat) {
		for (__u32 i = 0; i < ZC_IOVECS_AT_ONCE; i++)
			room->bytes += ((struct zc_compat_iovec *)space)[i].length;
	} else {
		for (__u32 i = 0; i < ZC_IOVECS_AT_ONCE; i++)
			room->bytes += space->all[i].length;
	}
	return 0;
}

/*
 * The kernel takes no longer vector; the caller may have changed the count since. A function
 * of its own, so that the verifier knows no range of it: with one, it walks the loop over the
 * buffers anew for many counts, and loading takes 0.3 s longer.
 */
__noinline __u32 zc_vector_length(__u64 count)
{
	return count < UIO_MAXIOV ? count : UIO_MAXIOV;
}

__u64 zc_iovecs_room(__u64 iov, __u64 count, __u32 compat)
{
	struct zc_room room = { .iov = iov, .compat = compat };

	room.count = zc_vector_length(count);
	bpf_loop((room.count + ZC_IOVECS_AT_ONCE - 1) / ZC_IOVECS_AT_ONCE, zc_add_room, &room, 0);
	return room.bytes;
}

/* Finds the vector of a message; false if its header cannot be read. */
static __always_inline bool zc_read_vector(__u64 address, bool compat, struct zc_room *room)
{
	struct zc_compat_msghdr narrow = {};
	struct zc_user_msghdr header = {};

	if (compat) {
		if (bpf_probe_read_user(&narrow, sizeof(narrow), (void *)address))
			return false;
		room->iov = narrow.iov;
		room->count = zc_vector_length(narrow.iov_count);
		return true;
	}
	if (bpf_probe_read_user(&header, sizeof(header), (void *)address))
		return false;
	room->iov = header.iov;
	room->count = zc_vector_length(header.iov_count);
	return true;
}

__u64 zc_message_room(__u64 address, __u32 compat)
{
	struct zc_room room = {};

	if (!zc_read_vector(address, compat, &room)) {
		zc_read_failed();
		return 0;
	}
	return zc_iovecs_room(room.iov, room.count, compat);
}

__u64 zc_message_prefix(__u64 address)
{
	struct zc_user_msghdr header = {};

	if (bpf_probe_read_user(&header, sizeof(header), (void *)address)) {
		zc_read_failed();
		return 0;
	}
	return header.name_length + header.control_length;
}

__u64 zc_message_at(__u64 address, __u32 index, __u32 compat)
{
	return address + index * (compat ? sizeof(struct zc_compat_mmsghdr) :
					   sizeof(struct zc_user_mmsghdr));
}

/* What the kernel has stored in a struct mmsghdr: flags, and the length as the last field. */
static __always_inline bool zc_read_claim(__u64 address, bool compat, __u32 *flags,
					  __u32 *length)
{
	__u32 words[3] = {};

	if (compat) {
		address += __builtin_offsetof(struct zc_compat_msghdr, flags);
		if (bpf_probe_read_user(words, 8, (void *)address))
			return false;
		words[2] = words[1];
	} else {
		address += __builtin_offsetof(struct zc_user_msghdr, flags);
		if (bpf_probe_read_user(words, sizeof(words), (void *)address))
			return false;
	}
	*flags = words[0];
	*length = words[2];
	return true;
}

static long zc_add_claim(__u32 index, struct zc_claims *claims)
{
	const struct zc_messages *messages = claims->messages;
	__u64 address = zc_message_at(messages->address, index, messages->compat);
	__u32 flags = 0, length = 0;
	struct zc_room room = {};
	__u64 fits;

	if (!zc_read_claim(address, messages->compat, &flags, &length) || length > ZC_MOST_BYTES)
		goto lost;
	if (messages->packet || (messages->truncated && flags & MSG_TRUNC)) {
		if (!zc_read_vector(address, messages->compat, &room))
			goto lost;
		claims->cost += ZC_ROOM_COST + room.count;
		if (claims->cost > ZC_MOST_ROOM_COST)
			goto lost;
		fits = zc_iovecs_room(room.iov, room.count, messages->compat);
		length = length < fits ? length : fits;
	}
	claims->bytes += length;
	return 0;
lost:
	zc_read_failed();
	return 0;
}

__u64 zc_claimed_lengths(const struct zc_messages *messages)
{
	struct zc_claims claims = { .messages = messages };

	if (!messages)
		return 0;
	bpf_loop(messages->count < UIO_MAXIOV ? messages->count : UIO_MAXIOV, zc_add_claim,
		 &claims, 0);
	return claims.bytes;
}
