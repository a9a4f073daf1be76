// SPDX-License-Identifier: MIT
// Finds out what the terminal can show, and lays a report out for it.
#include "cli/views/table_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/views/page.h"
#include "cli/views/report/flow_lines.h"
#include "cli/views/report/report_sections.h"

namespace zctrace {
namespace {

bool is_utf8_locale(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = environment(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale = value;
    std::transform(locale.begin(), locale.end(), locale.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

TableStyle table_style(bool is_terminal, std::size_t columns, const Environment& environment) {
  if (!is_terminal) return {};
  TableStyle style;
  style.width = columns;
  const char* told = environment("COLUMNS");
  if (style.width == 0 && told != nullptr) style.width = std::strtoul(told, nullptr, 10);
  if (style.width == 0) style.width = 80;
  const char* no_color = environment("NO_COLOR");
  const char* terminal = environment("TERM");
  const bool plain = (no_color != nullptr && *no_color != '\0') ||
                     (terminal != nullptr && std::string_view(terminal) == "dumb");
  style.colour = !plain;
  style.unicode = !plain && is_utf8_locale(environment);
  return style;
}

TableStyle table_style_of(int fd) {
  winsize size{};
  const bool is_terminal = ::isatty(fd) == 1;
  if (is_terminal && ::ioctl(fd, TIOCGWINSZ, &size) != 0) size = {};
  return table_style(is_terminal, size.ws_col, [](const char* name) { return std::getenv(name); });
}

std::string table_view(const Report& report, std::optional<GroupBy> by, const TableStyle& style) {
  const Wording wording{style.unicode, style.width != 0 && style.width < kNarrowWidth,
                        report.latency};
  std::vector<Section> sections = report_sections(report, by, wording);
  const std::vector<std::vector<Cell>> flow = flow_lines(report.totals().sum, wording, style.width);
  Page page(style);
  if (!flow.empty()) {
    page.sections({std::move(sections.front())});
    sections.erase(sections.begin());
    page.blank_line();
    for (const std::vector<Cell>& line : flow) page.line(line);
    page.blank_line();
  }
  page.sections(sections);
  return page.take();
}

}  // namespace zctrace
