// SPDX-License-Identifier: MIT
// Which parts a report has, and in which order.
#include "cli/views/report/report_sections.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "cli/text/units.h"
#include "cli/views/report/advice_section.h"
#include "cli/views/report/channel_table.h"
#include "cli/views/report/cpu_profile_table.h"
#include "cli/views/report/process_table.h"
#include "cli/views/report/report_facts.h"
#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

constexpr std::size_t kProcessBlocks = 4;  // up to this many, --by process shows each one's rows

Section process_lines(const Report& report, const Wording& wording) {
  Section section;
  section.grid = processes_grid(report, wording);
  if (std::string more = processes_left_out(report, wording); !more.empty())
    section.notes.push_back(std::move(more));
  return section;
}

Section process_block(const Process& process, const Wording& wording) {
  Section section;
  section.title = process_title(process, wording);
  section.lines = {resource_items(process, false)};
  section.grid = rows_grid(process, std::nullopt, wording);
  section.facts = derived_facts(process, delivered_by(process), wording);
  return section;
}

// Instead of a table of rows.
std::string nothing_observed(const Report& report) {
  const std::uint64_t all = report.processes.size() + report.others.processes;
  if (all == 0) return "no process was observed";
  const bool threads = has_threads(report);
  return fmt::format("{} observed, {} a syscall",
                     plural(all, threads ? "thread" : "process", threads ? "threads" : "processes"),
                     all == 1 ? "which did not complete" : "none of which completed");
}

}  // namespace

std::vector<Section> report_sections(const Report& report, std::optional<GroupBy> by,
                                     const Wording& wording) {
  const Totals totals = report.totals();
  const bool several = totals.processes > 1;
  const bool processes_first = by == GroupBy::process || by == GroupBy::thread;
  const bool blocks = several && processes_first && totals.processes <= kProcessBlocks &&
                      report.others.processes == 0;

  std::vector<Section> sections;
  Section head;
  head.title = report_title(report, wording);
  head.lines = {report_circumstances(report, wording), resource_items(totals.sum, several)};
  sections.push_back(std::move(head));
  if (blocks) {
    for (const Process* process : by_bytes(report.processes))
      sections.push_back(process_block(*process, wording));
  } else if (several && processes_first) {
    sections.push_back(process_lines(report, wording));
  }
  if (by && is_by_channel(by)) sections.push_back(channel_section(report, *by, wording));
  const std::optional<GroupBy> rows_by = processes_first || is_by_channel(by) ? std::nullopt : by;
  Section rows;
  if (blocks) rows.title = "all together";
  if (totals.sum.rows.empty()) {
    rows.lines = {{nothing_observed(report)}};
  } else {
    rows.grid = rows_grid(totals.sum, rows_by, wording);
    rows.grid.legend = rows_legend(totals.sum, wording);
  }
  sections.push_back(std::move(rows));
  if (totals.sum.cpu_profile().hz != 0)
    sections.push_back(cpu_profile_section(totals.sum, rows_by, wording));
  if (several && !by) sections.push_back(process_lines(report, wording));
  Section facts;
  facts.facts = derived_facts(totals.sum, totals.delivered, wording);
  for (Fact& fact : duty_facts(report, totals.sum)) facts.facts.push_back(std::move(fact));
  for (Fact& fact : completeness_facts(report.completeness, report.duty.has_value()))
    facts.facts.push_back(std::move(fact));
  sections.push_back(std::move(facts));
  if (report.advice) sections.push_back(advice_section(*report.advice, wording));
  return sections;
}

}  // namespace zctrace
