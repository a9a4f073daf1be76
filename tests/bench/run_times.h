/* SPDX-License-Identifier: GPL-2.0 */
/* What run_times.bpf.c and run_times.c share. */
#pragma once

/* What no program should exceed; see docs/security.md. */
#define RUN_TIMES_MOST_NS 100000

/* Every tracepoint that zctrace may use. */
#define RUN_TIMES_OF(x)                                                                          \
  x(0, sys_enter) x(1, sys_exit) x(2, sched_switch) x(3, task_newtask) x(4, sched_process_exec)  \
      x(5, sched_process_exit) x(6, cgroup_attach_task) x(7, sock_send_length)                   \
          x(8, sock_recv_length) x(9, skb_copy_datagram_iovec) x(10, iomap_dio_rw_begin)         \
              x(11, io_uring_submit_sqe) x(12, io_uring_submit_req) x(13, io_uring_cqe_overflow) \
                  x(14, io_uring_complete)
#define RUN_TIMES_TRACEPOINTS 15

/* Of all programs at a tracepoint together, on one CPU. The first three: of the current run. */
struct run_times {
  unsigned long long began, task, interruptions;
  unsigned long long runs, sum, longest;
  unsigned long long interrupted;
  /* Of the runs that nothing interrupted: the longest, and how many exceed the most. */
  unsigned long long longest_alone, beyond;
};
