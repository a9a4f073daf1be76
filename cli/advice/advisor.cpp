// SPDX-License-Identifier: MIT
// Measures only what the advice needs, and only once the observation has ended.
#include "cli/advice/advisor.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cli/advice/advise.h"
#include "cli/advice/measure.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"

namespace zctrace {
namespace {

constexpr std::chrono::seconds kMeasuringLimit(10);

std::vector<MethodPair> pairs_of(const std::vector<AdviceDraft>& drafts) {
  std::vector<MethodPair> pairs;
  for (const AdviceDraft& draft : drafts)
    if (draft.methods && std::find(pairs.begin(), pairs.end(), *draft.methods) == pairs.end())
      pairs.push_back(*draft.methods);
  return pairs;
}

// The functions that make the first of these calls that any are known of. A call has the advice's
// ends, or one of them and memory.
std::vector<std::string> callers_of(const Advice& advice, const StackProfile& stacks) {
  if (advice.pids.empty()) return {};
  for (const std::string& syscall : advice.via)
    for (const auto& [from, to] :
         {std::pair(advice.from.kind, advice.to.kind), std::pair(Kind::user, advice.to.kind),
          std::pair(advice.from.kind, Kind::user)})
      if (auto callers = stacks.innermost(advice.pids.front(), syscall, from, to); !callers.empty())
        return callers;
  return {};
}

}  // namespace

Advisor::Advisor(const AdviceOptions& options, const OutputOptions& output, bool intervals)
    : options_(options), lists_channels_(is_by_channel(group_by(output))), quiet_(output.quiet) {
  check_advice(options, output.by, intervals);
  for (const std::string& path : options.basis) {
    Basis more = read_basis(path);
    basis_.insert(basis_.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
  }
}

Report Advisor::advised(Report report, const StackProfile* stacks, int stop_fd) const {
  if (!options_.wanted()) return report;
  std::vector<AdviceDraft> drafts = draft_advice(report);
  Basis basis = basis_;
  const std::vector<MethodPair> pairs =
      options_.measures() ? pairs_of(drafts) : std::vector<MethodPair>();
  if (!pairs.empty()) {
    if (!quiet_) say("measuring for at most 10 s what the advice would save; Ctrl-C skips it");
    Measurement measured = measure(pairs, kMeasuringLimit, stop_fd);
    if (measured.failed) say(printable(*measured.failed, false));
    // What was measured now is more like what was observed than what was saved once.
    basis.insert(basis.begin(), measured.basis.begin(), measured.basis.end());
  }
  report.advice = finish_advice(std::move(drafts), basis);
  if (stacks != nullptr)
    for (Advice& advice : *report.advice) advice.stack = callers_of(advice, *stacks);
  // Otherwise the flows were counted for the advice alone.
  report.channels = lists_channels_;
  return report;
}

}  // namespace zctrace
