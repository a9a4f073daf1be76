// SPDX-License-Identifier: MIT
// The columns of a row, in the order of the table and of CSV.
#include "cli/views/report/row_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/report/estimates.h"

namespace zctrace {
namespace {

// Rows with less than this fraction of the largest row's bytes are noise of program start-up.
constexpr std::uint64_t kNoiseFraction = 1000;

// Rows with bytes by what they moved, then mmap and the like; waiting and all others last.
bool shown_before(const Row& a, const Row& b) {
  const auto group = [](const Row& row) {
    if (row.syscall == "other") return 3;
    if (row.syscall == "wait") return 2;
    return row.copy == Copy::none ? 1 : 0;
  };
  if (group(a) != group(b)) return group(a) < group(b);
  if (a.bytes != b.bytes) return a.bytes > b.bytes;
  if (a.calls != b.calls) return a.calls > b.calls;
  return std::tie(a.syscall, a.from, a.to) < std::tie(b.syscall, b.from, b.to);
}

std::vector<Row> rows_by_syscall(const std::vector<Row>& all) {
  std::vector<Row> rows;
  for (Row row : all) {
    row.from = row.to = Kind::other;
    merge_rows(rows, {row});
  }
  return rows;
}

// A flow has no syscall of its own, so that field lists the names of its syscalls.
std::vector<Row> rows_by_flow(const std::vector<Row>& all) {
  std::vector<Row> sorted = all;
  std::sort(sorted.begin(), sorted.end(), shown_before);
  std::vector<Row> rows;
  using FlowKey = std::tuple<std::string, Kind, Kind>;
  std::map<FlowKey, std::vector<std::string>> names;
  for (Row row : sorted) {
    const std::string name = std::move(row.syscall);
    if (row.copy == Copy::none) row.from = row.to = Kind::other;
    row.syscall = row.copy == Copy::none ? "no bytes" : row.asynchronous ? "io_uring" : "";
    std::vector<std::string>& so_far = names[FlowKey(row.syscall, row.from, row.to)];
    if (std::find(so_far.begin(), so_far.end(), name) == so_far.end()) so_far.push_back(name);
    merge_rows(rows, {row});
  }
  for (Row& row : rows) {
    row.syscall = fmt::format("{}", fmt::join(names[FlowKey(row.syscall, row.from, row.to)], ", "));
  }
  return rows;
}

// What a sound program meets: it waits, is interrupted, its peer has gone, or it tries a call that
// the file system may refuse before it copies.
bool is_usual(unsigned error) {
  switch (error) {
    case EAGAIN:
    case EINPROGRESS:
    case EINTR:
    case ENOENT:
    case ECONNRESET:
    case EPIPE:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOTTY:
    case EXDEV: return true;
    default: return error >= 512;  // the kernel's own, such as ERESTARTSYS
  }
}

// Bytes that were not moved deserve attention where an error is not a usual one, or where most
// calls fail.
Tone error_tone(const Row& row) {
  if (row.errors == 0) return Tone::dim;
  if (row.copy == Copy::none || row.syscall.starts_with("ioctl:FICLONE")) return Tone::plain;
  std::uint64_t usual = 0;
  for (const auto& [error, count] : row.errors_by) usual += is_usual(error) ? count : 0;
  const bool unusual = !row.errors_by.empty() && usual < row.errors;
  return unusual || row.errors > row.calls / 2 ? Tone::warning : Tone::plain;
}

Tone tone_of(Verdict verdict) {
  if (is_not_as_asked(verdict)) return Tone::warning;
  switch (verdict) {
    case Verdict::reflinked:
    case Verdict::direct:
    case Verdict::by_reference:
    case Verdict::zerocopy: return Tone::good;
    default: return Tone::plain;
  }
}

// A call copies each byte that it moves once at most. MSG_PEEK copies bytes that it does not take.
bool copies_more_than_it_takes(const Row& row) { return row.cpu_copied_bytes > row.bytes; }

bool has_no_time(const Row& row) { return row.asynchronous || !row.is_timed(); }

// Where a figure of the catalogue stands in the table, and what its cell shows. One that is not
// here is in CSV (and JSON) only.
struct Shown {
  Column column;
  Cell (*cell)(const Row&, const Numerals&);
};

std::optional<Shown> shown_as(std::string_view name, const RowColumnOptions& options) {
  const bool latency = options.wording.latency;
  if (name == "calls")
    return Shown{{"CALLS"}, [](const Row& r, const Numerals& numerals) -> Cell {
                   return {numerals.count(r.calls)};
                 }};
  if (name == "errors")
    return Shown{{"ERRORS", true, 3}, [](const Row& r, const Numerals& numerals) -> Cell {
                   return {numerals.count(r.errors), error_tone(r)};
                 }};
  if (name == "restarts" && options.restarts)
    return Shown{{"RESTARTS", true, 9}, [](const Row& r, const Numerals& numerals) -> Cell {
                   return {numerals.count(r.restarts)};
                 }};
  if (name == "bytes")
    return Shown{{"BYTES"}, [](const Row& r, const Numerals& numerals) -> Cell {
                   return {r.copy == Copy::none && r.bytes == 0 ? "-" : numerals.bytes(r.bytes)};
                 }};
  if (name == "cpu_copied_bytes")
    return Shown{{"COPIES", true, 1, 0, true}, [](const Row& r, const Numerals&) -> Cell {
                   const bool none = r.copy == Copy::none || copies_more_than_it_takes(r);
                   return {none ? "-" : copies_text(r.cpu_copied_bytes, r.bytes)};
                 }};
  if (name == "wall_ns" && latency)
    return Shown{{"TIME", true, 4}, [](const Row& r, const Numerals& numerals) -> Cell {
                   if (has_no_time(r)) return {"-"};
                   return {estimate_mark(r) + numerals.time(r.wall_ns)};
                 }};
  if (name == "off_cpu_ns" && latency)
    return Shown{{"OFF-CPU", true, 5}, [](const Row& r, const Numerals& numerals) -> Cell {
                   return {has_no_time(r) ? "-" : numerals.time(r.off_cpu_ns)};
                 }};
  if (name == "voluntary_switches")
    return Shown{{std::string(kSwitchesTitle), true, 6},
                 [](const Row& r, const Numerals& numerals) -> Cell {
                   if (r.asynchronous) return {"-"};
                   return {switches_text(r.voluntary_switches, r.involuntary_switches, numerals)};
                 }};
  return std::nullopt;
}

RecordColumn<RowLine> csv_only(std::string name, std::function<std::string(const RowLine&)> value) {
  return {{}, nullptr, std::move(name), std::move(value)};
}

std::string number_or_nothing(std::int64_t number) {
  return number == 0 ? "" : fmt::format("{}", number);
}

void add_owner_columns(Columns<RowLine>& columns) {
  columns.push_back(csv_only("pid", [](const RowLine& line) {
    return line.process == nullptr ? "" : fmt::format("{}", line.process->pid);
  }));
  columns.push_back(csv_only("tid", [](const RowLine& line) {
    return line.process == nullptr ? "" : number_or_nothing(line.process->tid);
  }));
  columns.push_back(csv_only("parent_pid", [](const RowLine& line) {
    return line.process == nullptr ? "" : fmt::format("{}", line.process->parent_pid);
  }));
  columns.push_back(csv_only("name", [](const RowLine& line) -> std::string {
    return line.process == nullptr ? "(other processes)" : printable(line.process->name, true);
  }));
}

void add_flow_columns(Columns<RowLine>& columns, const RowColumnOptions& options) {
  const bool by_flow = options.by == GroupBy::flow;
  columns.push_back({{"FLOW", false},
                     [by_flow, wording = options.wording](const RowLine& line) -> Cell {
                       const bool good = by_flow && is_without_copy(*line.row);
                       return {flow_text(*line.row, wording), good ? Tone::good : Tone::plain};
                     },
                     "",
                     nullptr});
  columns.push_back(
      csv_only("from", [](const RowLine& line) { return std::string(kind_name(line.row->from)); }));
  columns.push_back(
      csv_only("to", [](const RowLine& line) { return std::string(kind_name(line.row->to)); }));
}

RecordColumn<RowLine> name_column(Column column, std::string csv_name,
                                  const RowColumnOptions& options) {
  return {std::move(column),
          [unicode = options.wording.unicode](const RowLine& line) -> Cell {
            return {printable(line.row->syscall, unicode),
                    is_without_copy(*line.row) ? Tone::good : Tone::plain};
          },
          std::move(csv_name),
          [](const RowLine& line) { return printable(line.row->syscall, true); }};
}

void add_figure_columns(Columns<RowLine>& columns, const RowColumnOptions& options) {
  for (const auto& field : kRowFields) {
    if (!field.listed) continue;
    RecordColumn<RowLine> column = csv_only(
        std::string(field.name), [&field, latency = options.wording.latency](const RowLine& line) {
          const Row& row = *line.row;
          const bool measured = field.charged ? row.is_charged(field.member)
                                              : !field.clocked || (latency && !has_no_time(row));
          return measured ? fmt::format("{}", row.*field.member) : "";
        });
    if (const auto shown = shown_as(field.name, options)) {
      column.column = shown->column;
      column.cell = [cell = shown->cell, numerals = options.numerals](const RowLine& line) {
        return cell(*line.row, *numerals);
      };
    }
    columns.push_back(std::move(column));
    if (field.name == "wall_ns")
      columns.push_back(
          csv_only("wall_error_ns", [latency = options.wording.latency](const RowLine& line) {
            const bool timed = latency && !has_no_time(*line.row);
            return timed ? fmt::format("{}", line.row->wall_error_ns()) : "";
          }));
    if (field.name == "bytes")
      columns.push_back({{"AVG/CALL", true, 9},
                         [numerals = options.numerals](const RowLine& line) -> Cell {
                           const Row& row = *line.row;
                           const bool none = row.copy == Copy::none || row.calls == 0;
                           return {none ? "-" : numerals->size(row.bytes / row.calls)};
                         },
                         "",
                         nullptr});
  }
}

void add_latency_columns(Columns<RowLine>& columns, const RowColumnOptions& options) {
  const bool latency = options.wording.latency;
  const auto exactly = [](const Row&) { return std::string(); };
  const auto add = [&](const char* title, unsigned rank, const char* csv_name, auto value,
                       auto mark) {
    Column column{title, true, rank};
    if (!latency) column.title.clear();
    columns.push_back({std::move(column),
                       [value, mark, numerals = options.numerals](const RowLine& line) -> Cell {
                         const std::optional<std::uint64_t> ns = value(*line.row);
                         return {ns ? mark(*line.row) + numerals->duration(*ns) : "-"};
                       },
                       csv_name,
                       [value, latency](const RowLine& line) {
                         const std::optional<std::uint64_t> ns =
                             latency ? value(*line.row) : std::nullopt;
                         return ns ? fmt::format("{}", *ns) : "";
                       }});
  };
  const auto percentile = [](double fraction) {
    return [fraction](const Row& row) { return row.latency.percentile_ns(fraction, row.max_ns); };
  };
  const auto timed = [](auto value) {
    return [value](const Row& row) {
      return row.latency.total() > 0 ? std::optional<std::uint64_t>(value(row)) : std::nullopt;
    };
  };
  add("", 0, "min_ns", timed([](const Row& row) { return row.min_ns; }), exactly);
  add("", 0, "mean_ns", timed([](const Row& row) { return row.wall_ns / row.clocked_calls(); }),
      exactly);
  add("P50", 10, "p50_ns", percentile(0.5), exactly);
  add("P90", 11, "p90_ns", percentile(0.9), exactly);
  add("P99", 7, "p99_ns", percentile(0.99), exactly);
  add("MAX", 8, "max_ns", timed([](const Row& row) { return row.max_ns; }),
      [unicode = options.wording.unicode](const Row& row) {
        return std::string(row.max_is_bound ? at_most(unicode) : "");
      });
}

void add_verdict_columns(Columns<RowLine>& columns, const RowColumnOptions& options) {
  columns.push_back(csv_only("protocol", [](const RowLine& line) {
    return std::string(protocol_name(line.row->protocol));
  }));
  constexpr std::size_t kLeast = 20;  // "copied by the kernel"
  Column column{std::string(kVerdictTitle), false, 2, kLeast};
  if (!options.verdicts) column.title.clear();
  columns.push_back(
      {std::move(column), [](const RowLine& line) { return verdict_cell(line.row->verdict); },
       "verdict",
       [](const RowLine& line) { return std::string(verdict_name(line.row->verdict)); }});
}

// Fills the last line's cells under the named titles; the rest stays as it is.
void fill_last_line(Grid& grid, const std::map<std::string, std::string>& text_by_title) {
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const auto found = text_by_title.find(grid.columns[i].title);
    if (found != text_by_title.end()) grid.lines.back()[i] = {found->second, Tone::dim};
  }
}

void add_sum_line(Grid& grid, const char* name,
                  const std::map<std::string, std::string>& text_by_title) {
  grid.lines.emplace_back(grid.columns.size());
  grid.lines.back().front() = {name, Tone::dim};
  fill_last_line(grid, text_by_title);
}

std::uint64_t wall_ns_of(const std::vector<Row>& rows) {
  std::uint64_t sum = 0;
  for (const Row& row : rows) sum += row.asynchronous ? 0 : row.wall_ns;
  return sum;
}

// Dims the rows without bytes, and those of the dynamic loader and similar overhead.
void dim_noise(Grid& grid, const std::vector<Row>& rows) {
  std::uint64_t largest = 0;
  for (const Row& row : rows) largest = std::max(largest, row.bytes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool moves = rows[i].copy != Copy::none;
    const bool small = rows[i].bytes < largest / kNoiseFraction;
    if (moves && (!small || rows[i].errors != 0)) continue;
    for (Cell& cell : grid.lines[i]) cell.tone = Tone::dim;
  }
}

}  // namespace

Cell verdict_cell(Verdict verdict) {
  return {std::string(verdict_text(verdict)), tone_of(verdict)};
}

Columns<RowLine> row_columns(const RowColumnOptions& options) {
  const bool by_flow = options.by == GroupBy::flow;
  const bool by_syscall = options.by == GroupBy::syscall;
  Columns<RowLine> columns;
  if (!by_flow && !by_syscall) add_owner_columns(columns);
  if (!by_flow) columns.push_back(name_column({"SYSCALL", false}, "syscall", options));
  if (!by_syscall) add_flow_columns(columns, options);
  add_figure_columns(columns, options);
  add_latency_columns(columns, options);
  add_verdict_columns(columns, options);
  if (by_flow) columns.push_back(name_column({"BY", false, 1, 12}, "syscalls", options));
  return columns;
}

std::vector<ColumnNote> rows_legend(const Process& process, const Wording& wording) {
  std::vector<ColumnNote> legend;
  if (wording.latency)
    legend.push_back(
        {"OFF-CPU", "TIME is from entry to return, OFF-CPU the part of it spent switched out"});
  if (auto note = estimate_note(process.rows); note && wording.latency)
    legend.push_back(std::move(*note));
  if (wording.latency && process.outside_syscalls.off_cpu_ns > 0)
    legend.push_back({"OFF-CPU", "the total of OFF-CPU includes time outside calls"});
  if (wording.latency && std::any_of(process.rows.begin(), process.rows.end(), has_no_time))
    legend.push_back({"TIME",
                      "TIME is - for operations of io_uring and AIO, which have no exit, and where "
                      "each call was in flight when observation began"});
  legend.push_back({std::string(kSwitchesTitle),
                    std::string(kSwitchesTitle) + " are voluntary / involuntary context switches"});
  if (std::any_of(process.rows.begin(), process.rows.end(), copies_more_than_it_takes))
    legend.push_back({"COPIES", "COPIES is - where MSG_PEEK copied bytes that it did not take"});
  if (wording.latency && std::any_of(process.rows.begin(), process.rows.end(),
                                     [](const Row& row) { return row.max_is_bound; }))
    legend.push_back({"MAX", std::string("a MAX with ") + at_most(wording.unicode) +
                                 " is an upper bound, at most half too high"});
  return legend;
}

std::vector<Row> grouped_rows(const std::vector<Row>& all, std::optional<GroupBy> by) {
  std::vector<Row> rows = shown_rows(all);
  if (by == GroupBy::syscall) rows = rows_by_syscall(rows);
  if (by == GroupBy::flow) rows = rows_by_flow(rows);
  std::sort(rows.begin(), rows.end(), shown_before);
  return rows;
}

Grid rows_grid(const Process& process, std::optional<GroupBy> by, const Wording& wording) {
  const std::vector<Row> rows = grouped_rows(process.rows, by);
  std::vector<RowLine> lines;
  for (const Row& row : rows) lines.push_back({&process, &row});
  const bool restarts =
      std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.restarts > 0; });
  RowColumnOptions options{by, wording, restarts};
  options.verdicts = std::any_of(rows.begin(), rows.end(),
                                 [](const Row& row) { return row.verdict != Verdict::none; });
  Grid grid = grid_of(row_columns(options), lines);
  dim_noise(grid, rows);

  const OutsideFigures& outside = process.outside_syscalls;
  if (outside.voluntary + outside.involuntary > 0) {
    add_sum_line(grid, "outside calls",
                 {{"OFF-CPU", format_ns(outside.off_cpu_ns)},
                  {std::string(kSwitchesTitle),
                   switches_text(outside.voluntary, outside.involuntary, full_numerals())}});
  }
  if (grid.lines.size() > 1) {
    // No bytes: what is read and then written would count twice.
    add_sum_line(grid, "total",
                 {{"CALLS", format_count(process.syscalls())},
                  {"ERRORS", format_count(process.errors())},
                  {"TIME", format_ns(wall_ns_of(process.rows))},
                  {"OFF-CPU", format_ns(process.off_cpu_ns())},
                  {std::string(kSwitchesTitle),
                   switches_text(process.voluntary_switches(), process.involuntary_switches(),
                                 full_numerals())}});
  }
  return grid;
}

}  // namespace zctrace
