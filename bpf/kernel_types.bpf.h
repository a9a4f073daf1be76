/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types, cut down to the fields that the programs read. CO-RE finds the
 * offset of each field in the running kernel by its name, so there is no need for the
 * 100,000 lines of a vmlinux.h, which would be those of one kernel.
 */
#ifndef ZC_KERNEL_TYPES_H
#define ZC_KERNEL_TYPES_H

/* Makes bpf_tracing.h use the kernel's register names, not ptrace's. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum { false, true };

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* x86-64 */
struct pt_regs {
	unsigned long r10;
	unsigned long r8;
	unsigned long bx;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long bp;
	unsigned long sp;
	unsigned long ip;
};

/* arm64 */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
};

struct pt_regs___syscallno {
	__s32 syscallno;
};

struct thread_info {
	unsigned long flags;
};

/* x86 marks a 32-bit syscall here, arm64 a 32-bit task in `flags`. */
struct thread_info___status {
	__u32 status;
};

struct file_system_type;
struct vfsmount;
struct dentry;
struct fs_struct;
struct inet_bind_bucket;

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct file_system_type *s_type;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct inode;

struct rb_node {
	unsigned long __rb_parent_color;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct address_space {
	struct inode *host;
	struct rb_root_cached i_mmap;
	unsigned long nrpages;
};

struct inode {
	__u16 i_mode;
	struct address_space *i_mapping;
	unsigned long i_ino;
	__u32 i_generation;
	__u32 i_rdev;
	struct super_block *i_sb;
	long long i_size;
};

struct file_operations {
	const void *remap_file_range;
	const void *copy_file_range;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	const struct file_operations *f_op;
	struct inode *f_inode;
	struct path f_path;
	struct address_space *f_mapping;
	void *private_data;
};

struct net_device {
	unsigned int flags;
	__u64 features;
};

struct dst_entry {
	struct net_device *dev;
};

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

enum sock_flags {
	SOCK_ZEROCOPY = 18,
};

struct socket;
struct pid;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	__u8 sk_userlocks : 4;
	struct dst_entry *sk_dst_cache;
	struct socket *sk_socket;
	struct pid *sk_peer_pid;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct tcp_ulp_ops {
	char name[16];
};

struct tls_context {
	__u8 tx_conf : 3;
};

struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
	const struct tcp_ulp_ops *icsk_ulp_ops;
	void *icsk_ulp_data;
};

struct list_head {
	struct list_head *next;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

#define SIGNAL_GROUP_EXIT 0x00000004 /* linux/sched/signal.h */

typedef struct {
	int counter;
} atomic_t;

struct task_struct;

struct signal_struct {
	atomic_t live;	/* threads that have not exited */
	int group_exit_code;
	struct task_struct *group_exec_task;	/* a thread that runs exec, until it is the leader */
	unsigned int flags;
	unsigned long maxrss;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[0];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

/* The first four only with CONFIG_TASK_XACCT, the others only with CONFIG_TASK_IO_ACCOUNTING. */
struct task_io_accounting {
	__u64 rchar;
	__u64 wchar;
	__u64 syscr;
	__u64 syscw;
	__u64 read_bytes;
	__u64 write_bytes;
};

typedef struct {
	__u32 val;
} kuid_t;

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};

struct cred {
	kuid_t uid;
	struct user_namespace *user_ns;
};

struct sk_buff {
	char cb[48];
};

/* What TCP keeps in sk_buff.cb. */
struct tcp_skb_cb {
	__u16 tcp_gso_segs;
};

struct kiocb;

struct msghdr {
	unsigned int msg_flags;
};

struct iov_iter;

struct task_struct {
	struct sigpending pending;
	struct thread_info thread_info;
	unsigned int __state;
	int on_cpu;
	struct css_set *cgroups;
	unsigned int flags;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	const struct cred *real_cred;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	const struct cred *cred;
	__u64 utime;
	__u64 stime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct task_io_accounting ioac;
};

struct linux_binprm {
	const char *interp;
};

struct bpf_map;
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
