// SPDX-License-Identifier: MIT
// Finds, adds up, judges and ranks.
#include "cli/advice/advise.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "cli/advice/finders.h"
#include "cli/advice/sentence.h"

namespace zctrace {
namespace {

// Bytes of copies that weigh as much as a syscall, for the order only.
constexpr std::uint64_t kBytesPerSyscall = 4096;

std::uint64_t weight_by_rule(const Savings& saves) {
  const auto syscalls = static_cast<std::uint64_t>(std::max<std::int64_t>(saves.syscalls, 0));
  return saves.cpu_copied_bytes + kBytesPerSyscall * syscalls;
}

// What can be done comes before what cannot.
void sort_by_rule(std::vector<AdviceDraft>& drafts) {
  std::stable_sort(drafts.begin(), drafts.end(),
                   [](const AdviceDraft& one, const AdviceDraft& other) {
                     const auto rank = [](const Advice& advice) {
                       return std::tuple(advice.legal, weight_by_rule(advice.saves), advice.bytes);
                     };
                     return rank(one.advice) > rank(other.advice);
                   });
}

// By CPU time only if that is known of all that save anything.
void sort_by_cpu_time(std::vector<AdviceDraft>& drafts) {
  const bool known = std::all_of(drafts.begin(), drafts.end(), [](const AdviceDraft& draft) {
    return draft.advice.saves.cpu_ns || weight_by_rule(draft.advice.saves) == 0;
  });
  if (!known) return;
  std::stable_sort(drafts.begin(), drafts.end(),
                   [](const AdviceDraft& one, const AdviceDraft& other) {
                     return std::pair(one.advice.legal, one.advice.saves.cpu_ns.value_or(0)) >
                            std::pair(other.advice.legal, other.advice.saves.cpu_ns.value_or(0));
                   });
}

bool is_refuted(const AdviceDraft& draft) {
  return draft.advice.kind == AdviceKind::small_buffer && draft.advice.saves.cpu_ns &&
         *draft.advice.saves.cpu_ns <= 0;
}

void find_all(const Report& report, const Process& process, std::vector<AdviceDraft>& drafts) {
  find_fallbacks(report, process, drafts);
  find_relays(report, process, drafts);
  find_small_buffers(report, process, drafts);
  find_verdicts(report, process, drafts);
  find_blocked(report, process, drafts);
}

}  // namespace

std::vector<AdviceDraft> draft_advice(const Report& report) {
  std::vector<AdviceDraft> found;
  for (const Process& process : report.processes) find_all(report, process, found);
  // Of the others, which are added up, only what one process did for sure.
  find_relays(report, report.others.sum, found);
  find_verdicts(report, report.others.sum, found);
  std::vector<AdviceDraft> drafts = merged(std::move(found));
  std::erase_if(drafts, [](const AdviceDraft& draft) { return !is_worth_saying(draft); });
  sort_by_rule(drafts);
  if (drafts.size() > kMostAdvice) drafts.resize(kMostAdvice);
  for (AdviceDraft& draft : drafts) complete(draft, report);
  return drafts;
}

std::vector<Advice> finish_advice(std::vector<AdviceDraft> drafts, const Basis& basis) {
  for (AdviceDraft& draft : drafts) {
    set_cpu_time(draft, basis);
    draft.advice.sentence = sentence(draft);
  }
  std::erase_if(drafts, is_refuted);
  sort_by_cpu_time(drafts);
  std::vector<Advice> advice;
  advice.reserve(drafts.size());
  for (AdviceDraft& draft : drafts) advice.push_back(std::move(draft.advice));
  return advice;
}

std::vector<Advice> advise(const Report& report, const Basis& basis) {
  return finish_advice(draft_advice(report), basis);
}

}  // namespace zctrace
