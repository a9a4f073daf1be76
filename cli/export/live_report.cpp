// SPDX-License-Identifier: MIT
#include "cli/export/live_report.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cli/views/html/interval_json.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

std::pair<std::uint64_t, std::uint64_t> weight_of(const Process& process) {
  return {process.copied_bytes() + process.in_kernel_bytes(), process.syscalls()};
}

// What everyone may read: neither its command line nor what it has opened.
Process without_words(const Process& process) {
  Process listed = process;
  listed.argv.clear();
  listed.flows.clear();
  listed.mapped_files.clear();
  return listed;
}

// Of what a page draws over time. Bytes that looked delivered may be taken out of a pipe again.
ProcessSummary difference(const ProcessSummary& later, const ProcessSummary& earlier) {
  const auto since = [](std::uint64_t now, std::uint64_t before) {
    return now - std::min(now, before);
  };
  ProcessSummary between;
  between.delivered.bytes = since(later.delivered.bytes, earlier.delivered.bytes);
  for (const auto figure :
       {&ProcessSummary::cpu_copied_bytes, &ProcessSummary::syscalls,
        &ProcessSummary::voluntary_switches, &ProcessSummary::involuntary_switches})
    between.*figure = since(later.*figure, earlier.*figure);
  return between;
}

}  // namespace

void LiveReport::add(const Report& earlier, const Report& latest, Clock::time_point now,
                     const std::string& time) {
  std::unordered_set<std::uint64_t> there;
  ProcessSummary sums;
  for (const Process& process : latest.processes) {
    there.insert(process.account);
    sums += summary_of(process);
  }
  for (const Process& process : earlier.processes) {
    if (there.contains(process.account)) continue;
    ended_.add(process);
    ended_sums_ += summary_of(process);
  }
  sums += ended_sums_;
  if (begun_ && now - start_ < kInterval) return;
  if (begun_) {
    const auto length = std::chrono::nanoseconds(now - start_).count();
    intervals_.push_back(
        {started_at_, static_cast<std::uint64_t>(length), difference(sums, at_start_)});
    if (intervals_.size() > kMostIntervals) intervals_.pop_front();
  }
  begun_ = true;
  at_start_ = sums;
  start_ = now;
  started_at_ = time;
}

ordered_json LiveReport::json(const Report& standing,
                              const std::function<void(Report&)>& describe) const {
  Report report;
  report.latency = standing.latency;
  report.adaptive = standing.adaptive;
  report.duty = standing.duty;
  report.unknown = standing.unknown;
  report.selection = standing.selection;
  report.completeness = standing.completeness;
  report.others = ended_;
  using Weight = std::pair<std::uint64_t, std::uint64_t>;
  std::vector<std::pair<Weight, const Process*>> all;
  for (const Process& process : standing.processes) all.emplace_back(weight_of(process), &process);
  const std::size_t listed = std::min(all.size(), kMostProcesses);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(listed), all.end(),
                    std::greater<>());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < listed)
      report.processes.push_back(without_words(*all[i].second));
    else
      report.others.add(*all[i].second);
  }
  describe(report);
  report.command = "export";
  ordered_json json = report_json(report);
  ordered_json& intervals = json["intervals"] = ordered_json::array();
  for (const LiveInterval& interval : intervals_)
    intervals.push_back(interval_json(interval.started_at, interval.duration_ns, interval.sums));
  return json;
}

}  // namespace zctrace
