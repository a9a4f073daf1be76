// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the segments that TCP sends again, by socket. Runs in whatever context the kernel
 * notices a loss, so it counts for the sockets whose names user space was told. Without
 * config.channels neither the program nor the map exists.
 */
#include "channels.bpf.h"

/* If there are too many, the oldest begin again at 0; the collector adds up. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct zc_channel);
	__type(value, __u64);
} retransmits SEC(".maps");

SEC("?zc_tp_btf/tcp_retransmit_skb")
int BPF_PROG(zc_retransmit, const struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_skb_cb *segment = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);
	struct zc_channel channel = {};
	__u64 segments, *count;

	/* The program has closed it; the kernel still sends what is left. */
	if (!file)
		return 0;
	zc_file_channel(zc_address(file), &channel);
	if (!bpf_map_lookup_elem(&named, &channel))
		return 0;
	segments = BPF_CORE_READ(segment, tcp_gso_segs);
	count = bpf_map_lookup_elem(&retransmits, &channel);
	if (count)
		__sync_fetch_and_add(count, segments);
	else
		bpf_map_update_elem(&retransmits, &channel, &segments, BPF_ANY);
	return 0;
}
