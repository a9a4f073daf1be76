// SPDX-License-Identifier: GPL-2.0
/* What sockets do with the bytes of rare calls. The declarations are in kinds.bpf.h. */
#include "kinds.bpf.h"

#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define IFF_LOOPBACK 8

__u32 zc_file_loops_back(__u64 address)
{
	struct file *file = (void *)address;
	struct dst_entry *route;
	struct socket *socket;

	if (ZC_END_KIND(zc_file_end(address)) != ZC_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	route = BPF_CORE_READ(socket, sk, sk_dst_cache);
	return route && BPF_CORE_READ(route, dev, flags) & IFF_LOOPBACK ? ZC_LOOPBACK : 0;
}

__u32 zc_file_lends(__u64 address)
{
	struct file *file = (void *)address;
	struct socket *socket;
	__u64 lends;

	if (ZC_END_KIND(zc_file_end(address)) != ZC_SOCKET)
		return 0;
	lends = 1UL << bpf_core_enum_value(enum sock_flags, SOCK_ZEROCOPY);
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk, __sk_common.skc_flags) & lends ? ZC_BY_REFERENCE : 0;
}

__u32 zc_file_discards(__u64 address)
{
	struct file *file = (void *)address;
	struct inet_connection_sock *tcp;
	struct socket *socket;
	struct sock *sk;
	__u32 protocol;

	if (ZC_END_KIND(zc_file_end(address)) != ZC_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol == IPPROTO_MPTCP)
		return 1;
	/* With an upper layer, such as TLS, it decrypts into the buffer. */
	tcp = (void *)sk;
	return protocol == IPPROTO_TCP && !BPF_CORE_READ(tcp, icsk_ulp_ops);
}
