// SPDX-License-Identifier: MIT
#include "cli/views/report/cpu_profile_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>
#include <vector>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

// Rows with fewer than one of so many samples are summed in one line.
constexpr std::uint64_t kSmallRow = 50;

std::vector<ProfileLine> lines_of(const Process& process, std::optional<GroupBy> by,
                                  const Wording& wording) {
  std::vector<Row> rows = grouped_rows(process.rows, by);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.cpu.total() > b.cpu.total(); });
  const CpuProfile all = process.cpu_profile();
  std::vector<ProfileLine> lines;
  ProfileLine rest;
  std::size_t summed = 0;
  for (const Row& row : rows) {
    if (row.cpu.total() == 0) continue;
    if (row.cpu.total() * kSmallRow >= all.total()) {
      lines.push_back({printable(row.syscall, wording.unicode),
                       by == GroupBy::syscall ? "" : flow_text(row, wording), row.cpu});
    } else {
      rest.cpu += row.cpu;
      summed++;
    }
  }
  if (summed != 0) {
    rest.name = plural(summed, "other row", "other rows");
    lines.push_back(std::move(rest));
  }
  if (process.cpu_outside.total() != 0)
    lines.push_back({"outside calls", "", process.cpu_outside, Tone::dim});
  lines.push_back({"total", "", all, Tone::dim});
  return lines;
}

// Those that have samples, the largest first.
std::vector<CpuClass> classes_of(const CpuProfile& all) {
  std::vector<CpuClass> classes;
  for (std::size_t i = 0; i < kCpuClasses; i++)
    if (all.samples[i] != 0) classes.push_back(static_cast<CpuClass>(i));
  std::stable_sort(classes.begin(), classes.end(),
                   [&all](CpuClass a, CpuClass b) { return all.of(a) > all.of(b); });
  return classes;
}

// "page cache"
std::string words_of(CpuClass cpu_class) {
  std::string words(cpu_class_name(cpu_class));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// "PAGE CACHE"
std::string title_of(CpuClass cpu_class) {
  std::string title = words_of(cpu_class);
  for (char& c : title) c = static_cast<char>(std::toupper(c));
  return title;
}

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.0f}%", 100 * *share) : "-";
}

}  // namespace

Section cpu_profile_section(const std::string& name, const std::vector<ProfileLine>& lines,
                            bool flows, bool unicode) {
  CpuProfile all;
  for (const ProfileLine& line : lines) all += line.cpu;
  Section section;
  section.title = "where the CPU time went";
  if (all.total() == 0) {
    section.lines = {{"no sample was taken"}};
    return section;
  }
  const std::vector<CpuClass> classes = classes_of(all);
  const std::string margin = unicode ? "±" : "+-";
  Grid& grid = section.grid;
  grid.columns = {{name, false}, {"SAMPLES", true, 1}, {margin, true}};
  if (flows) grid.columns.insert(grid.columns.begin() + 1, {"FLOW", false, 2});
  unsigned rank = 3;
  for (const CpuClass cpu_class : classes)
    grid.columns.push_back({title_of(cpu_class), true, rank++});
  for (const ProfileLine& line : lines) {
    std::vector<Cell> cells = {{line.name, line.tone}};
    if (flows) cells.push_back({line.flow, line.tone});
    cells.push_back({format_count(line.cpu.total()), line.tone});
    cells.push_back({percent(line.cpu.margin()), line.tone});
    for (const CpuClass cpu_class : classes)
      cells.push_back(
          {line.cpu.of(cpu_class) == 0 ? "-" : percent(line.cpu.share(cpu_class)), line.tone});
    grid.lines.push_back(std::move(cells));
  }
  section.notes = {fmt::format("{} samples a second of CPU time", all.hz),
                   margin + " is the margin of each share in the line, with 95% confidence"};
  return section;
}

Section cpu_profile_section(const Process& process, std::optional<GroupBy> by,
                            const Wording& wording) {
  return cpu_profile_section("SYSCALL", lines_of(process, by, wording), true, wording.unicode);
}

std::string largest_class(const CpuProfile& profile, const std::string& plus_minus) {
  if (profile.total() == 0) return "";
  if (profile.margin().value_or(1) > kWidestMargin) return "-";
  const CpuClass largest = classes_of(profile).front();
  const std::string margin = plus_minus.empty() ? "" : plus_minus + percent(profile.margin()) + " ";
  return percent(profile.share(largest)) + " " + margin + words_of(largest);
}

}  // namespace zctrace
