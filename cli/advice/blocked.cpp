// SPDX-License-Identifier: MIT
// A send inside the kernel that waits for its reader: the thread can do nothing else meanwhile.
#include "cli/advice/finders.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kLeastWait = 100'000'000;  // ns
constexpr std::uint64_t kDiskPart = 10;            // one byte in so many from a disk explains waits

// From files only: a splice out of a pipe or socket may wait for its bytes instead.
bool waits_for_reader(const Row& row) {
  const bool sends = row.copy == Copy::in_kernel && !row.asynchronous && row.from == Kind::file &&
                     (row.to == Kind::socket || row.to == Kind::pipe);
  if (!sends || row.off_cpu_ns < kLeastWait || row.off_cpu_ns < row.wall_ns / 2) return false;
  // On a busy machine it is switched out without having to wait.
  if (row.voluntary_switches < row.involuntary_switches) return false;
  // Without the charges, nothing tells whether it waited for a disk.
  return row.charges == Charges::measured && row.disk_read_bytes <= row.bytes / kDiskPart;
}

}  // namespace

void find_blocked(const Report& report, const Process& process, Drafts& drafts) {
  if (!report.latency) return;
  for (const Row& row : process.rows) {
    if (!waits_for_reader(row)) continue;
    AdviceDraft draft = new_draft(AdviceKind::blocked, process);
    Advice& advice = draft.advice;
    advice.from.kind = row.from;
    advice.to.kind = row.to;
    advice.to.protocol = row.protocol;
    advice.bytes = draft.processes[&process] = row.bytes;
    advice.instead =
        row.to == Kind::pipe ? "a larger pipe (F_SETPIPE_SZ)" : "a larger send buffer (SO_SNDBUF)";
    advice.legal = true;
    advice.why = "the call waits while the buffer is full, until the reader makes room";
    advice.waited_ns = row.off_cpu_ns;
    draft.wall_ns = row.wall_ns;
    draft.via[row.syscall] = row.bytes;
    draft.calls = successes(row);
    for (const Flow& flow : process.flows) {
      if (flow.row.syscall != row.syscall || flow.row.from != row.from || flow.row.to != row.to)
        continue;
      if (flow.from) draft.from.insert(flow.from);
      if (flow.to) draft.to.insert(flow.to);
    }
    drafts.push_back(std::move(draft));
  }
}

}  // namespace zctrace
