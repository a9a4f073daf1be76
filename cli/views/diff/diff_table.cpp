// SPDX-License-Identifier: MIT
// One line for each notable change: what became worse first.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/diff/diff_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {
namespace {

constexpr std::size_t kLines = 40;
constexpr std::size_t kLongestScope = 80;
constexpr std::size_t kLeastScope = 20;

bool has(const std::string& name, const char* part) { return name.find(part) != name.npos; }

std::string amount(double value) {
  if (std::abs(value) >= 9.5 && std::abs(value) < 1e18)
    return (value < 0 ? "-" : "") +
           format_count(static_cast<std::uint64_t>(std::llround(std::abs(value))));
  return fmt::format("{:.3g}", value);
}

// In the figure's unit: time, bytes, a share or a count.
std::string value_text(const std::string& name, double value) {
  const std::string sign = value < 0 ? "-" : "";
  const double size = std::abs(value);
  const bool whole = size < 1e18;
  const auto rounded = whole ? static_cast<std::uint64_t>(std::llround(size)) : 0;
  if (name.ends_with("_share") || has(name, ".share.")) return fmt::format("{:.1f}%", 100 * value);
  if (name.ends_with("_per_byte") || name.starts_with("copies."))
    return fmt::format("{:.3g}", value);
  if (whole && has(name, "_ns")) return sign + format_ns(rounded);
  if (whole && has(name, "bytes")) return sign + format_bytes(rounded);
  return amount(value);
}

std::string value_or_dash(const std::string& name, const std::optional<double>& value) {
  return value ? value_text(name, *value) : "-";
}

// Of a share, the change is in points of it.
std::string change_text(const FigureChange& figure) {
  if (figure.name.ends_with("_share")) return fmt::format("{:+.1f} points", 100 * *figure.change);
  if (!figure.relative()) return "from 0";
  const double relative = *figure.relative();
  if (relative > 10) return fmt::format("{:.3g} times", 1 + relative);
  return fmt::format("{:+.1f}%", 100 * relative);
}

std::string interval_text(const FigureChange& figure) {
  if (!figure.interval) return "-";
  const auto end = [&figure](double value) {
    if (figure.name.ends_with("_share")) return fmt::format("{:+.1f}", 100 * value);
    if (!figure.a || *figure.a == 0) return value_text(figure.name, value);
    return fmt::format("{:+.1f}%", 100 * value / std::abs(*figure.a));
  };
  return end(figure.interval->low) + " to " + end(figure.interval->high);
}

Columns<const FigureChange*> change_columns(const ReportDiff& diff, bool unicode) {
  Columns<const FigureChange*> columns;
  const auto add = [&columns](Column column, std::function<Cell(const FigureChange* const&)> cell) {
    columns.push_back({std::move(column), std::move(cell), "", nullptr});
  };
  add({"OF", false, 0, kLeastScope}, [unicode](const FigureChange* const& line) -> Cell {
    return {cut_to_width(printable(line->scope, unicode), kLongestScope, unicode)};
  });
  add({"FIGURE", false}, [&diff](const FigureChange* const& line) -> Cell {
    const bool rate = diff.a.per_second && adds_up(line->name);
    return {printable(line->name, true) + (rate ? "/s" : "")};
  });
  add({"A", true, 2},
      [](const FigureChange* const& line) -> Cell { return {value_or_dash(line->name, line->a)}; });
  add({"B", true, 1},
      [](const FigureChange* const& line) -> Cell { return {value_or_dash(line->name, line->b)}; });
  add({"CHANGE"}, [](const FigureChange* const& line) -> Cell {
    return {change_text(*line), line->is_worse()    ? Tone::warning
                                : line->is_better() ? Tone::good
                                                    : Tone::plain};
  });
  if (diff.has_statistics())
    add({"95% INTERVAL", true, 3},
        [](const FigureChange* const& line) -> Cell { return {interval_text(*line)}; });
  add({"IS", false, 4}, [](const FigureChange* const& line) -> Cell {
    return {line->is_worse() ? "worse" : line->is_better() ? "better" : ""};
  });
  return columns;
}

std::vector<std::string> side_items(const DiffSide& side, bool unicode) {
  std::vector<std::string> items = {
      fmt::format("zctrace {}", printable(side.command, unicode)),
      cut_to_width(printable(side.subject, unicode), kLongestScope, unicode),
      plural(side.samples, side.sample, std::string(side.sample) + "s"),
      format_ns(side.duration_ns), printable(side.started_at, unicode)};
  for (std::string& item : host_items(side.host, unicode)) items.push_back(std::move(item));
  return items;
}

std::string file_names(const DiffSide& side, bool unicode) {
  std::string names;
  for (const std::string& file : side.files)
    names += (names.empty() ? "" : ", ") + printable(file, unicode);
  return cut_to_width(names, kLongestScope, unicode);
}

std::vector<std::string> notes_on(const ReportDiff& diff, bool all) {
  if (all) return {};
  if (diff.has_statistics()) {
    std::vector<std::string> notes = {
        "only changes that are significant: larger than the spread of the samples explains, "
        "with 95% certainty for the whole list, and at least 1%; --all lists the others"};
    if (diff.a.command == "run" && !diff.took_turns())
      notes.push_back(
          "all runs of one side came before those of the other, so times, switches and faults may "
          "be the machine's and are left out (--all lists them); run A and B in turn");
    return notes;
  }
  return {
      fmt::format("one {} on a side cannot tell a change from chance, so times, switches and "
                  "faults are left out (--all lists them); give at least {} of each, as "
                  "A1,A2,A3 B1,B2,B3",
                  diff.a.sample, kLeastToRank)};
}

std::vector<Section> diff_sections(const ReportDiff& diff, bool all, bool unicode) {
  Section head;
  head.title = fmt::format("Difference of {} and {}", file_names(diff.a, unicode),
                           file_names(diff.b, unicode));
  head.facts = {{"A", side_items(diff.a, unicode)}, {"B", side_items(diff.b, unicode)}};
  for (const std::string& warning : diff.warnings)
    head.facts.push_back({"warning", {warning}, Tone::warning});
  Section changes;
  std::vector<const FigureChange*> notable = notable_changes(diff, all);
  const std::size_t found = notable.size();
  if (found > kLines && !all) notable.resize(kLines);
  if (notable.empty())
    changes.lines = {{diff.has_statistics() ? "no significant change" : "no change"}};
  else
    changes.grid = grid_of(change_columns(diff, unicode), notable);
  if (found > notable.size())
    changes.notes.push_back(
        fmt::format("{} smaller changes are left out; --json lists them", found - notable.size()));
  for (std::string& note : notes_on(diff, all)) changes.notes.push_back(std::move(note));
  return {head, changes};
}

}  // namespace

std::string diff_table(const ReportDiff& diff, bool all, const TableStyle& style) {
  Page page(style);
  page.sections(diff_sections(diff, all, style.unicode));
  return page.take();
}

std::string diff_markdown(const ReportDiff& diff, bool all) {
  return markdown_sections(diff_sections(diff, all, true));
}

}  // namespace zctrace
