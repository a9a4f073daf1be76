// SPDX-License-Identifier: MIT
// Bytes that are read and written again unchanged could stay in the kernel.
#include <algorithm>
#include <set>
#include <utility>

#include "cli/advice/finders.h"

namespace zctrace {
namespace {

// Of `bytes` that one of these rows moved, how many a CPU copied. By rule where there is no such
// row: its counts may be in the row of everything that had no room.
std::uint64_t copied_part(const Process& process, const Relay::End& end, bool reads,
                          std::uint64_t bytes) {
  for (const Row& row : process.rows) {
    if (row.syscall != end.syscall || row.bytes == 0) continue;
    if ((reads ? row.from : row.to) != end.kind || row.protocol != end.protocol) continue;
    const auto part = static_cast<unsigned __int128>(bytes) * row.cpu_copied_bytes / row.bytes;
    return static_cast<std::uint64_t>(std::min<unsigned __int128>(part, bytes));
  }
  return bytes;
}

std::set<std::pair<ChannelId, ChannelId>> pairs_of_fallbacks(const Process& process,
                                                             const Drafts& drafts) {
  std::set<std::pair<ChannelId, ChannelId>> pairs;
  for (const AdviceDraft& draft : drafts)
    if (draft.advice.kind == AdviceKind::fallback && draft.processes.contains(&process))
      for (const ChannelId& from : draft.from)
        for (const ChannelId& to : draft.to) pairs.emplace(from, to);
  return pairs;
}

}  // namespace

void find_relays(const Report& report, const Process& process, Drafts& drafts) {
  const auto covered = pairs_of_fallbacks(process, drafts);
  for (const Relay& relay : process.relays) {
    const PassedOn ends = {relay.from.kind,   relay.to.kind,      relay.from.protocol,
                           relay.to.protocol, relay.from.channel, relay.to.channel,
                           relay.appends};
    const InKernelWay way = in_kernel_way(ends);
    // Devices: some take pages and some do not, and /dev/null takes nothing.
    if (relay.bytes == 0 || way.why.empty()) continue;
    // Within one file the ranges may overlap, which no call in the kernel allows.
    if (relay.from.channel && relay.from.channel == relay.to.channel) continue;
    if (covered.contains({relay.from.channel, relay.to.channel})) continue;
    AdviceDraft draft = new_draft(AdviceKind::relay, process);
    Advice& advice = draft.advice;
    advice.from.kind = relay.from.kind;
    advice.from.protocol = relay.from.protocol;
    advice.to.kind = relay.to.kind;
    advice.to.protocol = relay.to.protocol;
    advice.bytes = draft.processes[&process] = relay.bytes;
    advice.instead = way.instead;
    advice.legal = way.legal;
    advice.why = way.why;
    set_savings(advice.saves, way, {relay.bytes, relay.reads, relay.writes},
                copied_part(process, relay.from, true, relay.bytes) +
                    copied_part(process, relay.to, false, relay.bytes));
    draft.calls = relay.writes;
    draft.via[relay.from.syscall] += relay.bytes;
    draft.via[relay.to.syscall] += relay.bytes;
    if (relay.from.channel) draft.from.insert(relay.from.channel);
    if (relay.to.channel) draft.to.insert(relay.to.channel);
    if (way.legal && !way.through_pipe)
      draft.methods = methods_of(report, ends, relay.from.syscall, relay.to.syscall, way.instead);
    drafts.push_back(std::move(draft));
  }
}

}  // namespace zctrace
