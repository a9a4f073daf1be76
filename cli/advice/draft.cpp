// SPDX-License-Identifier: MIT
// Adds up what is equal, and finds the words for it.
#include "cli/advice/draft.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "cli/advice/sentence.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kLeastBytes = 1ULL << 20;
constexpr std::int64_t kLeastSyscalls = 1000;
constexpr std::uint64_t kLeastPart = 100;  // one in so many of what the processes did

auto key_of(const AdviceDraft& draft) {
  const Advice& advice = draft.advice;
  return std::tuple(advice.process, advice.kind, advice.from.kind, advice.from.protocol,
                    advice.to.kind, advice.to.protocol, advice.instead, advice.legal, advice.why,
                    draft.methods);
}

void add(AdviceDraft& into, AdviceDraft more) {
  Advice& sum = into.advice;
  sum.bytes += more.advice.bytes;
  sum.saves.syscalls += more.advice.saves.syscalls;
  sum.saves.syscalls_most += more.advice.saves.syscalls_most;
  sum.saves.cpu_copied_bytes += more.advice.saves.cpu_copied_bytes;
  if (more.advice.waited_ns) sum.waited_ns = sum.waited_ns.value_or(0) + *more.advice.waited_ns;
  for (const auto& [process, bytes] : more.processes) into.processes[process] += bytes;
  into.from.merge(more.from);
  into.to.merge(more.to);
  for (const auto& [call, bytes] : more.via) into.via[call] += bytes;
  into.calls += more.calls;
  into.wall_ns += more.wall_ns;
}

std::vector<std::string> by_bytes(const std::map<std::string, std::uint64_t>& calls) {
  std::vector<std::pair<std::uint64_t, std::string>> sorted;
  for (const auto& [call, bytes] : calls) sorted.emplace_back(bytes, call);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& one, const auto& other) { return one.first > other.first; });
  std::vector<std::string> names;
  for (auto& [bytes, call] : sorted) names.push_back(std::move(call));
  return names;
}

std::vector<std::int64_t> pids_of(const std::map<const Process*, std::uint64_t>& processes) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> sorted;
  for (const auto& [process, bytes] : processes)
    if (process->pid != 0) sorted.emplace_back(bytes, process->pid);
  std::sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return std::pair(other.first, one.second) < std::pair(one.first, other.second);
  });
  std::vector<std::int64_t> pids;
  for (const auto& [bytes, pid] : sorted) pids.push_back(pid);
  return pids;
}

std::string name_of(const Report& report, const AdviceEnd& end) {
  const auto found = report.channel_names.find(end.channel);
  const ChannelName* const name = found == report.channel_names.end() ? nullptr : &found->second;
  if (is_peer(end.kind)) {
    PeerUse use;
    use.peer = end.channel;
    use.name = name;
    use.protocol = end.kind == Kind::pipe ? Protocol::none : end.protocol;
    if (end.kind == Kind::socket && use.protocol == Protocol::none) use.protocol = Protocol::other;
    return peer_text(use);
  }
  FileUse use;
  use.file = end.channel;
  use.name = name;
  return file_text(use);
}

void set_end(AdviceEnd& end, const std::set<ChannelId>& channels, const Report& report) {
  end.channels = channels.size();
  if (channels.size() != 1) return;
  end.channel = *channels.begin();
  end.name = name_of(report, end);
}

std::optional<double> share_of_delivered(const AdviceDraft& draft) {
  std::uint64_t delivered = 0;
  for (const auto& [process, bytes] : draft.processes) delivered += process->delivered_bytes();
  if (delivered == 0) return std::nullopt;
  const std::uint64_t part = std::min(draft.advice.bytes, delivered);
  return static_cast<double>(part) / static_cast<double>(delivered);
}

}  // namespace

AdviceDraft new_draft(AdviceKind kind, const Process& process) {
  AdviceDraft draft;
  draft.advice.kind = kind;
  draft.advice.process = process.name;
  draft.processes[&process] = 0;
  return draft;
}

std::vector<AdviceDraft> merged(std::vector<AdviceDraft> drafts) {
  std::map<decltype(key_of(drafts.front())), AdviceDraft> sums;
  for (AdviceDraft& draft : drafts) {
    const auto key = key_of(draft);
    if (const auto same = sums.find(key); same != sums.end())
      add(same->second, std::move(draft));
    else
      sums.emplace(key, std::move(draft));
  }
  std::vector<AdviceDraft> result;
  result.reserve(sums.size());
  for (auto& [key, draft] : sums) result.push_back(std::move(draft));
  return result;
}

bool is_worth_saying(const AdviceDraft& draft) {
  switch (draft.advice.kind) {
    case AdviceKind::blocked: return true;  // its finder has judged
    case AdviceKind::direct_fallback:
    case AdviceKind::zerocopy_copied:
    case AdviceKind::tls_software: return draft.advice.bytes >= kLeastBytes;
    default: break;
  }
  std::uint64_t copied = 0;
  std::uint64_t syscalls = 0;
  for (const auto& [process, bytes] : draft.processes) {
    copied += process->cpu_copied_bytes();
    syscalls += process->syscalls();
  }
  const Savings& saves = draft.advice.saves;
  const auto least_syscalls =
      std::max(kLeastSyscalls, static_cast<std::int64_t>(syscalls / kLeastPart));
  return saves.cpu_copied_bytes >= std::max(kLeastBytes, copied / kLeastPart) ||
         saves.syscalls >= least_syscalls;
}

void complete(AdviceDraft& draft, const Report& report) {
  Advice& advice = draft.advice;
  advice.pids = pids_of(draft.processes);
  advice.via = by_bytes(draft.via);
  set_end(advice.from, draft.from, report);
  set_end(advice.to, draft.to, report);
  advice.share_of_delivered = share_of_delivered(draft);
  if (draft.methods) {
    draft.methods->now_bytes = draft.bytes_per_call();
    if (draft.methods->instead_bytes == 0) draft.methods->instead_bytes = draft.bytes_per_call();
    draft.methods->source_bytes = advice.bytes / std::max<std::uint64_t>(draft.from.size(), 1);
  }
  advice.sentence = sentence(draft);
}

}  // namespace zctrace
