/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, as in kernel_types.bpf.h: those that names are made of. */
#ifndef ZC_NAME_TYPES_H
#define ZC_NAME_TYPES_H

#include "bpf/kernel_types.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file_system_type {
	const char *name;
};

struct qstr {
	__u32 hash;
	__u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct vm_area_struct {
	struct {
		struct rb_node rb;
	} shared;
	struct file *vm_file;
};

struct fs_struct {
	struct path root;
};

struct sockaddr_un {
	unsigned short sun_family;
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct sockaddr_vm {
	unsigned int svm_port;
	unsigned int svm_cid;
};

struct vsock_sock {
	struct sockaddr_vm local_addr;
	struct sockaddr_vm remote_addr;
};

struct netlink_sock {
	__u32 portid;
	__u32 dst_portid;
};

struct inet_bind_bucket {
	signed char fastreuse;
};

#pragma clang attribute pop

#endif
