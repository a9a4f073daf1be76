// SPDX-License-Identifier: MIT
// Which parts of a report make its table, and in which order.
#include "cli/views/table_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "cli/views/page.h"
#include "cli/views/report_facts.h"
#include "cli/views/report_tables.h"

namespace zctrace {
namespace {

constexpr std::size_t kProcessBlocks = 4;  // up to so many, --by process shows each one's rows

void add_process_lines(Page& page, const Report& report, const Wording& wording) {
  page.grid(processes_grid(report, wording));
  if (const std::string more = processes_left_out(report, wording); !more.empty())
    page.items({more});
  page.blank_line();
}

void add_process_blocks(Page& page, const Report& report, const Wording& wording) {
  for (const Process* process : by_bytes(report.processes)) {
    page.title(process_title(*process, wording));
    page.items(resource_items(*process, false));
    page.grid(rows_grid(*process, std::nullopt, wording));
    page.facts(
        derived_facts(*process, process->delivered_bytes(), process->zero_copy_bytes(), wording));
    page.blank_line();
  }
}

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
  const Totals totals = report.totals();
  const bool several = totals.processes > 1;
  const bool processes_first = by == GroupBy::process || by == GroupBy::thread;

  Page page(style);
  page.title(report_title(report, wording));
  page.items(report_circumstances(report, wording));
  page.items(resource_items(totals.sum, several));
  page.blank_line();

  if (several && processes_first && totals.processes <= kProcessBlocks &&
      report.others.processes == 0) {
    add_process_blocks(page, report, wording);
    page.title("all together");
  } else if (several && processes_first) {
    add_process_lines(page, report, wording);
  }
  if (totals.sum.rows.empty()) {
    page.items({"no syscall was observed"});
  } else {
    page.grid(rows_grid(totals.sum, processes_first ? std::nullopt : by, wording));
  }
  page.blank_line();
  if (several && !by) add_process_lines(page, report, wording);

  page.facts(derived_facts(totals.sum, totals.delivered_bytes, totals.zero_copy_bytes, wording));
  page.facts(completeness_facts(report.completeness));
  return page.take();
}

}  // namespace zctrace
