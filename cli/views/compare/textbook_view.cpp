// SPDX-License-Identifier: MIT
// Below each line of the textbook, the rows that were measured.
#include "cli/views/compare/textbook_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "cli/compare/textbook.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

std::string figure(const std::optional<double>& value) {
  if (!value) return "-";
  return *value == std::round(*value) ? fmt::format("{:.0f}", *value)
                                      : fmt::format("{:.2f}", *value);
}

std::vector<Cell> cells(const std::string& name, const TextbookFigures& figures, Tone tone) {
  return {{name, tone},
          {figure(figures.cpu_copies), tone},
          {figure(figures.dma_copies), tone},
          {figure(figures.syscalls), tone},
          {figure(figures.crossings), tone},
          {figure(figures.switches), tone}};
}

ordered_json number(const std::optional<double>& value) {
  return value ? ordered_json(*value) : nullptr;
}

ordered_json figures_json(const TextbookFigures& figures) {
  return {{"cpu_copies", number(figures.cpu_copies)},
          {"dma_copies", number(figures.dma_copies)},
          {"syscalls_per_chunk", figures.syscalls},
          {"crossings_per_chunk", figures.crossings},
          {"context_switches_per_chunk", figures.switches}};
}

}  // namespace

Section textbook_section(const CompareResult& compared) {
  Section section;
  section.title = "The textbook, and what was measured: copies a byte, the rest a chunk";
  // The textbook has all but the crossings, which are two for each syscall.
  section.grid.columns = {{"METHOD", false, 0, 0},    {"CPU COPIES", true, 0, 0},
                          {"DMA COPIES", true, 0, 0}, {"SYSCALLS", true, 0, 0},
                          {"CROSSINGS", true, 1, 0},  {"SWITCHES", true, 0, 0}};
  for (const TextbookLine& line : textbook(compared)) {
    section.grid.lines.push_back(cells(line.name + ", textbook", line.claimed, Tone::dim));
    for (const MeasuredFigures& row : line.measured)
      section.grid.lines.push_back(cells("  " + row.label, row.figures, Tone::plain));
    if (line.measured.empty()) {
      std::vector<Cell> none(section.grid.columns.size());
      none[0] = {"  not measured"};
      section.grid.lines.push_back(std::move(none));
    }
    if (!line.why.empty())
      section.notes.push_back(fmt::format("{}: {}.", line.name, fmt::join(line.why, "; ")));
  }
  for (std::string& note : textbook_notes(compared)) section.notes.push_back(std::move(note));
  return section;
}

ordered_json textbook_json(const CompareResult& compared) {
  ordered_json lines = ordered_json::array();
  for (const TextbookLine& line : textbook(compared)) {
    ordered_json object;
    object["line"] = line.name;
    object["method"] = line.method;
    object["textbook"] = figures_json(line.claimed);
    object["measured"] = ordered_json::array();
    for (const MeasuredFigures& row : line.measured) {
      ordered_json measured = figures_json(row.figures);
      measured["label"] = row.label;
      object["measured"].push_back(std::move(measured));
    }
    object["why"] = line.why;
    lines.push_back(std::move(object));
  }
  return {{"lines", std::move(lines)}, {"notes", textbook_notes(compared)}};
}

}  // namespace zctrace
