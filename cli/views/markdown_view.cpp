// SPDX-License-Identifier: MIT
// The same cells as the terminal's, between pipes.
#include "cli/views/markdown_view.h"

#include <fmt/format.h>

#include <cctype>
#include <string_view>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/report/report_sections.h"

namespace zctrace {
namespace {

constexpr std::size_t kTitleWidth = 200;

bool is_word(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

std::string escaped(std::string_view text) {
  static constexpr std::string_view kMarkup = "\\`*[]<>|~&#@";
  std::string safe;
  for (std::size_t at = 0; at < text.size(); ++at) {
    // An underscore inside a word, as in copy_file_range, is not markup.
    const bool inside_word = at > 0 && is_word(text, at - 1) && is_word(text, at + 1);
    if (kMarkup.find(text[at]) != std::string_view::npos || (text[at] == '_' && !inside_word)) {
      safe += '\\';
    }
    safe += text[at];
  }
  return safe;
}

std::string joined(const std::vector<std::string>& items) {
  return escaped(fmt::format("{}", fmt::join(items, ", ")));
}

std::string table(const std::vector<Fact>& facts) {
  std::string text = "| | |\n|:---|:---|\n";
  for (const Fact& fact : facts) {
    text += fmt::format("| {} | {} |\n", escaped(fact.label), joined(fact.items));
  }
  return text + '\n';
}

}  // namespace

std::string markdown_text(std::string_view text) { return escaped(text); }

std::string markdown_table(const Grid& grid) {
  std::string titles = "|";
  std::string rule = "|";
  for (const Column& column : grid.columns) {
    titles += fmt::format(" {} |", escaped(column.title));
    rule += column.right_aligned ? "---:|" : ":---|";
  }
  std::string text = titles + '\n' + rule + '\n';
  for (const auto& line : grid.lines) {
    text += '|';
    for (const Cell& cell : line) text += fmt::format(" {} |", escaped(cell.text));
    text += '\n';
  }
  return text + '\n';
}

std::string markdown_sections(const std::vector<Section>& sections) {
  std::string text;
  for (const Section& section : sections) {
    if (!section.title.empty())
      text += fmt::format("### {}\n\n", escaped(cut_to_width(section.title, kTitleWidth, true)));
    for (const std::vector<std::string>& items : section.lines) text += joined(items) + "\n\n";
    if (!section.grid.columns.empty()) text += markdown_table(section.grid);
    for (const ColumnNote& note : section.grid.legend) text += escaped(note.text) + "\n\n";
    for (const std::string& note : section.notes) text += escaped(note) + "\n\n";
    if (!section.facts.empty()) text += table(section.facts);
  }
  return text;
}

std::string markdown_view(const Report& report, std::optional<GroupBy> by) {
  return markdown_sections(report_sections(report, by, {true, false, report.latency}));
}

}  // namespace zctrace
