// SPDX-License-Identifier: MIT
// The answer first, then the table that it comes from, then what else is worth knowing.
#include "cli/views/compare/compare_view.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "cli/compare/insights.h"
#include "cli/compare/verdict.h"
#include "cli/views/compare/by_channel_view.h"
#include "cli/views/compare/by_syscall_view.h"
#include "cli/views/compare/compare_grid.h"
#include "cli/views/compare/textbook_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/report/cpu_profile_table.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {

namespace {

std::string in_ascii(std::string text) {
  constexpr std::string_view kPlusMinus = "±";
  for (std::size_t at; (at = text.find(kPlusMinus)) != std::string::npos;)
    text.replace(at, kPlusMinus.size(), "+-");
  return text;
}

// Where the CPU time of each method went; empty without --profile.
Section profile_section(const CompareResult& compared, bool unicode) {
  std::vector<ProfileLine> lines;
  for (const MethodResult& result : compared.methods) {
    if (!result.counted() || result.counts.cpu_profile().hz == 0) continue;
    lines.push_back({result.label, "", result.counts.cpu_profile()});
    if (result.daemon && result.daemon->counts.cpu_profile().hz != 0)
      lines.push_back({result.label + " daemon", "", result.daemon->counts.cpu_profile()});
  }
  if (lines.empty()) return {};
  Section section = cpu_profile_section("METHOD", lines, false, unicode);
  section.title += ", in the run that was observed";
  return section;
}

std::vector<Section> more_sections(const CompareResult& compared, std::optional<GroupBy> by,
                                   bool unicode) {
  std::vector<Section> sections;
  Wording wording;
  wording.unicode = unicode;
  if (is_by_channel(by)) sections.push_back(by_channel_section(compared, *by, wording));
  if (by == GroupBy::syscall) sections.push_back(by_syscall_section(compared));
  if (Section profile = profile_section(compared, unicode); !profile.title.empty())
    sections.push_back(std::move(profile));
  if (compared.textbook) sections.push_back(textbook_section(compared));
  return sections;
}

std::string section_markdown(const Section& section) {
  std::string text = "#### " + markdown_text(section.title) + "\n\n";
  for (const std::vector<std::string>& line : section.lines)
    text += markdown_text(fmt::format("{}", fmt::join(line, ", "))) + "\n\n";
  if (!section.grid.columns.empty()) text += markdown_table(section.grid);
  for (const std::string& note : section.notes) text += "- " + markdown_text(note) + "\n";
  return text + "\n";
}

}  // namespace

std::string compare_table(const CompareResult& compared, const TableStyle& style,
                          std::optional<GroupBy> by) {
  Page page(style);
  page.title(compare_title(compared));
  page.items(compare_circumstances(compared, style.unicode));
  page.blank_line();
  const auto answer = verdict(compared);
  for (const std::string& line : answer) page.items({style.unicode ? line : in_ascii(line)});
  if (!answer.empty()) page.blank_line();
  page.grid(compare_grid(compared, style.unicode));
  const std::string legend = compare_legend(compared);
  if (!legend.empty()) page.items({legend}, {}, Tone::dim);
  for (const Section& section : more_sections(compared, by, style.unicode)) {
    page.blank_line();
    page.sections({section});
  }
  const auto others = findings(compared);
  const auto cautions = warnings(compared);
  if (!others.empty() || !cautions.empty()) page.blank_line();
  for (const std::string& line : others) page.items({line});
  for (const std::string& line : cautions) page.items({line}, "warning", Tone::warning);
  if (compared.completeness.lost_events() != 0) {
    page.blank_line();
    page.facts(completeness_facts(compared.completeness));
  }
  return page.take();
}

std::string compare_markdown(const CompareResult& compared, std::optional<GroupBy> by) {
  std::string text = "### " + markdown_text(compare_title(compared)) + "\n\n";
  for (const std::string& line : verdict(compared)) text += markdown_text(line) + "\n\n";
  text += markdown_text(fmt::format("{}", fmt::join(compare_circumstances(compared, true), ", ")));
  const Grid grid = compare_grid(compared, true);
  text += "\n\n" + markdown_table(grid);
  for (const ColumnNote& note : grid.legend) text += markdown_text(note.text) + "\n\n";
  const std::string legend = compare_legend(compared);
  if (!legend.empty()) text += markdown_text(legend) + "\n\n";
  for (const Section& section : more_sections(compared, by, true))
    text += section_markdown(section);
  for (const std::string& line : findings(compared)) text += "- " + markdown_text(line) + "\n";
  for (const std::string& line : warnings(compared))
    text += "- warning: " + markdown_text(line) + "\n";
  return text;
}

}  // namespace zctrace
