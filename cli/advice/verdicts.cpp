// SPDX-License-Identifier: MIT
// Bytes that the kernel copied although the process asked it not to.
#include <algorithm>
#include <optional>
#include <set>

#include "cli/advice/finders.h"

namespace zctrace {
namespace {

// The part of a row that has this verdict. A row may also have bytes of other files, which the
// process did not open in this way; its flows tell them apart.
struct PartOfRow {
  Row row;
  std::set<ChannelId> from;
  std::set<ChannelId> to;
};

std::optional<PartOfRow> part_with(Verdict verdict, const Process& process, const Row& row) {
  if (row.bytes == 0 || (row.verdict != verdict && row.verdict != Verdict::mixed))
    return std::nullopt;
  PartOfRow part;
  part.row = row;
  part.row.calls = part.row.errors = part.row.restarts = part.row.bytes = 0;
  part.row.cpu_copied_bytes = 0;
  for (const Flow& flow : process.flows) {
    const Row& more = flow.row;
    if (more.syscall != row.syscall || more.from != row.from || more.to != row.to ||
        more.protocol != row.protocol || more.verdict != verdict)
      continue;
    add_figures<RowFigures>(part.row, more, kRowFields);
    if (flow.from) part.from.insert(flow.from);
    if (flow.to) part.to.insert(flow.to);
  }
  if (part.row.bytes != 0) return part;
  if (row.verdict != verdict) return std::nullopt;
  part.row = row;
  return part;
}

AdviceDraft draft_of(AdviceKind kind, const Process& process, const PartOfRow& part) {
  const Row& row = part.row;
  AdviceDraft draft = new_draft(kind, process);
  Advice& advice = draft.advice;
  advice.from.kind = row.from;
  advice.to.kind = row.to;
  (row.from == Kind::socket ? advice.from : advice.to).protocol = row.protocol;
  advice.bytes = draft.processes[&process] = row.bytes;
  draft.via[row.syscall] = row.bytes;
  draft.calls = successes(row);
  draft.from = part.from;
  draft.to = part.to;
  return draft;
}

AdviceDraft direct_fallback(const Report& report, const Process& process, const PartOfRow& part) {
  const Row& row = part.row;
  AdviceDraft draft = draft_of(AdviceKind::direct_fallback, process, part);
  const auto is_in_memory = [&report](const ChannelId& file) {
    const std::string name = file_system_of(report, file);
    return name == "tmpfs" || name == "ramfs" || name == "hugetlbfs";
  };
  const std::set<ChannelId>& files = row.to == Kind::user ? draft.from : draft.to;
  const bool in_memory =
      row.in_memory || (!files.empty() && std::all_of(files.begin(), files.end(), is_in_memory));
  draft.advice.why =
      in_memory ? "the file is in memory, so there is no disk to go to directly"
                : "the file system used its page cache, as some do for data that they compress, "
                  "encrypt or keep in a journal";
  if (!in_memory) draft.advice.saves.cpu_copied_bytes = row.cpu_copied_bytes;
  return draft;
}

// Calls that did nothing but read the notifications of sends by reference.
std::uint64_t notification_reads(const Process& process, const AdviceDraft& draft) {
  std::uint64_t calls = 0;
  for (const Flow& flow : process.flows)
    if (flow.row.syscall == "recvmsg" && flow.row.bytes == 0 && draft.to.contains(flow.from))
      calls += flow.row.calls;
  return calls;
}

AdviceDraft zerocopy_copied(const Process& process, const PartOfRow& part, bool loopback) {
  const Row& row = part.row;
  AdviceDraft draft = draft_of(AdviceKind::zerocopy_copied, process, part);
  Advice& advice = draft.advice;
  advice.legal = true;
  advice.why = loopback
                   ? "over the loopback the kernel copies what it delivers, whatever was asked"
                   : "the notifications say that the kernel copied: the route's device cannot take "
                     "the pages, or the receiver is on this machine";
  const bool ring = row.asynchronous;
  advice.instead = ring ? "send" : row.syscall + " without MSG_ZEROCOPY";
  const auto reads = static_cast<std::int64_t>(ring ? 0 : notification_reads(process, draft));
  advice.saves.syscalls = advice.saves.syscalls_most = reads;
  if (!ring && loopback && row.protocol == Protocol::tcp) {
    // The source of the bytes is memory in both.
    draft.methods = MethodPair{"tmpfs", "tcp", "msg_zerocopy", "mmap_send", 0, 0};
  }
  return draft;
}

AdviceDraft tls_software(const Process& process, const PartOfRow& part) {
  AdviceDraft draft = draft_of(AdviceKind::tls_software, process, part);
  Advice& advice = draft.advice;
  advice.instead = "a network device that encrypts TLS";
  advice.why = "no device on this route encrypts, so a processor reads and writes every byte";
  advice.saves.cpu_copied_bytes = part.row.cpu_copied_bytes;
  return draft;
}

}  // namespace

void find_verdicts(const Report& report, const Process& process, Drafts& drafts) {
  for (const Row& row : process.rows) {
    if (const auto part = part_with(Verdict::buffered, process, row))
      drafts.push_back(direct_fallback(report, process, *part));
    for (const Verdict verdict : {Verdict::zerocopy_copied, Verdict::zerocopy_loopback})
      if (const auto part = part_with(verdict, process, row))
        drafts.push_back(zerocopy_copied(process, *part, verdict == Verdict::zerocopy_loopback));
    if (const auto part = part_with(Verdict::tls_software, process, row))
      drafts.push_back(tls_software(process, *part));
  }
}

}  // namespace zctrace
