// SPDX-License-Identifier: MIT
// Measures only what the advice needs, and only once the observation has ended.
#include "cli/advice/advisor.h"

#include <algorithm>
#include <chrono>
#include <utility>

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

Report Advisor::advised(Report report, int stop_fd) const {
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
  // Otherwise the flows were counted for the advice alone.
  report.channels = lists_channels_;
  return report;
}

}  // namespace zctrace
