// SPDX-License-Identifier: MIT
// One entry a column: its title, and what it shows of a client and of a daemon.
#include "cli/views/compare/compare_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/compare/ranking.h"
#include "cli/compare/verdict.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/report/cpu_profile_table.h"
#include "cli/views/report/report_facts.h"

namespace zctrace {
namespace {

// What a cell may depend on.
struct MethodLine {
  const CompareResult& compared;
  const MethodResult& result;
  bool fastest;
  bool cheapest;
  bool taken;  // the row to take
  bool unicode;
};

// The two clocks are not read at the same moment, which shows in a move of microseconds.
constexpr double kMoreThanACpu = 1.05;

constexpr const char* kMostCpuTitle = "MOST CPU IN";

const char* plus_minus(bool unicode) { return unicode ? "±" : "+-"; }

using Show = Cell (*)(const MethodLine&);

struct ColumnOf {
  Column column;
  Show client;
  Show daemon;
  bool fuse_only = false;
  bool profile_only = false;
  bool program_only = false;
};

Cell nothing(const MethodLine&) { return {"-", Tone::dim}; }

std::string time_text(double ns) { return format_ns(static_cast<std::uint64_t>(std::llround(ns))); }

// A count of the counting pass, of the client or of the daemon.
template <auto text_of>
Cell client_count(const MethodLine& line) {
  return {line.result.counted() ? text_of(line.result.counts) : "-"};
}
template <auto text_of>
Cell daemon_count(const MethodLine& line) {
  const Process& counts = line.result.daemon->counts;
  return {counts.pid != 0 ? text_of(counts) : "-"};
}

std::string syscalls(const Process& p) { return format_count(p.syscalls()); }
std::string crossings(const Process& p) { return format_count(p.crossings()); }
std::string copied(const Process& p) { return format_bytes(p.copied_bytes()); }
std::string in_kernel(const Process& p) { return format_bytes(p.in_kernel_bytes()); }
Cell most_cpu(const Process& counts, const MethodLine& line) {
  const std::string largest = largest_class(counts.cpu_profile(), plus_minus(line.unicode));
  return {largest.empty() ? "-" : largest};
}
Cell client_most_cpu(const MethodLine& line) { return most_cpu(line.result.counts, line); }
Cell daemon_most_cpu(const MethodLine& line) { return most_cpu(line.result.daemon->counts, line); }
std::string switches(const Process& p) {
  return format_count(p.voluntary_switches() + p.involuntary_switches());
}
std::string faults(const Process& p) { return format_count(p.minor_faults + p.major_faults); }

Cell method(const MethodLine& line) {
  if (!line.taken) return {line.result.method};
  return {line.result.method + " *", Tone::good};
}
Cell method_of_daemon(const MethodLine& line) { return {line.result.method}; }
Cell buffer(const MethodLine& line) { return {line.result.buffer}; }
Cell mode(const MethodLine& line) {
  return {std::string(fuse_mode_name(line.result.daemon->mode))};
}
Cell is_client(const MethodLine&) { return {"client"}; }
Cell is_daemon(const MethodLine&) { return {"daemon"}; }
Cell time(const MethodLine& line) { return {time_text(median_of(line.result.wall_ns))}; }

Cell startup(const MethodLine& line) {
  const bool known = line.result.program && !line.result.program->startup_ns.empty();
  if (!known) return {"-", Tone::dim};
  return {time_text(median_of(line.result.program->startup_ns))};
}

Cell margin(const MethodLine& line) {
  const auto margin = relative_margin(line.result.wall_ns);
  return {margin ? fmt::format("{:.0f}%", 100 * *margin) : "-", Tone::dim};
}

Cell speed(const MethodLine& line) {
  const MethodResult* base = line.compared.baseline_row();
  const auto relative = line.compared.relative(line.result);
  if (base == nullptr || !relative || *relative <= 0) return {"-", Tone::dim};
  if (!time_means_something(line.compared, line.result)) return {"-", Tone::dim};
  const double factor = 1 / *relative;
  const bool faster = clearly_less(line.result.wall_ns, base->wall_ns);
  const bool slower = clearly_less(base->wall_ns, line.result.wall_ns);
  return {fmt::format("{:.{}f}x", factor,
                      factor < 2    ? 2
                      : factor < 10 ? 1
                                    : 0),
          faster   ? Tone::good
          : slower ? Tone::plain
                   : Tone::dim};
}

Cell best(const MethodLine& line) {
  if (line.fastest && line.cheapest) return {"both", Tone::good};
  return {line.fastest ? "time" : line.cheapest ? "CPU" : "", Tone::good};
}

Cell client_cpu(const MethodLine& line) { return {time_text(median_of(line.result.cpu_ns()))}; }
Cell daemon_cpu(const MethodLine& line) {
  return {time_text(median_of(line.result.daemon_cpu_ns()))};
}
Cell cpu_percent(const MethodLine& line) {
  const double wall = median_of(line.result.wall_ns);
  if (wall <= 0) return {"-", Tone::dim};
  const double share = median_of(line.result.cpu_ns()) / wall;
  return {fmt::format("{:.0f}%", share > 1 && share < kMoreThanACpu ? 100 : 100 * share)};
}
template <double DividedCpu::*part>
Cell client_part(const MethodLine& line) {
  const auto cpu = divided_cpu(line.result.user_ns, line.result.system_ns);
  return {cpu ? time_text(*cpu.*part) : "-"};
}
template <double DividedCpu::*part>
Cell daemon_part(const MethodLine& line) {
  const auto cpu = divided_cpu(line.result.daemon->user_ns, line.result.daemon->system_ns);
  return {cpu ? time_text(*cpu.*part) : "-"};
}
Cell rate(const MethodLine& line) {
  if (!time_means_something(line.compared, line.result)) return {"-", Tone::dim};
  return {fmt::format("{:.2f}", line.result.bytes_per_s() / 1e9)};
}
Cell requests(const MethodLine& line) {
  const DaemonResult& daemon = *line.result.daemon;
  return {daemon.counts.pid != 0 ? format_count(daemon.usage.requests) : "-"};
}

// Whole numbers as such; a share of the bytes with two digits.
std::string copies_text(double copies) {
  return std::abs(copies - std::round(copies)) < 0.005 ? fmt::format("{:.0f}", copies)
                                                       : fmt::format("{:.2f}", copies);
}
Cell copies(const MethodLine& line) {
  const auto& found = line.result.copies;
  if (!found) return {"-", Tone::dim};
  std::string text = copies_text(found->user) + "+" + copies_text(found->kernel);
  if (line.compared.has_reader) text += "+" + copies_text(found->reader);
  return {std::move(text), found->user + found->kernel < 0.005 ? Tone::good : Tone::plain};
}
Cell verified(const MethodLine& line) {
  if (!line.result.verified) return {"-", Tone::dim};
  return *line.result.verified ? Cell{"yes"} : Cell{"NO", Tone::warning};
}

// A daemon has no time of its own: it works while the client waits, and the client while it waits.
const ColumnOf kColumns[] = {
    {{"METHOD", false, 0, 0}, method, method_of_daemon},
    {{"BUFFER", true, 0, 0}, buffer, buffer},
    {{"FUSE", false, 0, 0}, mode, mode, true},
    {{"PROCESS", false, 0, 0}, is_client, is_daemon, true},
    {{"TIME", true, 0, 0}, time, nothing},
    {{"+-", true, 6, 0}, margin, nothing},
    {{"START", true, 5, 0}, startup, nothing, false, false, true},
    {{"SPEED", true, 1, 0}, speed, nothing},
    {{"BEST", false, 5, 0}, best, nothing},
    {{"CPU", true, 2, 0}, client_cpu, daemon_cpu},
    {{"CPU%", true, 9, 0}, cpu_percent, nothing},
    {{"USER", true, 14, 0}, client_part<&DividedCpu::user_ns>, daemon_part<&DividedCpu::user_ns>},
    {{"SYSTEM", true, 15, 0},
     client_part<&DividedCpu::system_ns>,
     daemon_part<&DividedCpu::system_ns>},
    {{"GB/S", true, 11, 0}, rate, nothing},
    {{"COPIES", true, 3, 0, true}, copies, nothing},
    {{"SYSCALLS", true, 4, 0}, client_count<syscalls>, daemon_count<syscalls>},
    {{"CROSSINGS", true, 13, 0}, client_count<crossings>, daemon_count<crossings>},
    {{"COPIED", true, 7, 0}, client_count<copied>, daemon_count<copied>},
    {{"IN KERNEL", true, 9, 0}, client_count<in_kernel>, daemon_count<in_kernel>},
    {{"SWITCHES", true, 8, 0}, client_count<switches>, daemon_count<switches>},
    {{"FAULTS", true, 12, 0}, client_count<faults>, daemon_count<faults>},
    {{"REQUESTS", true, 10, 0}, nothing, requests, true},
    {{kMostCpuTitle, false, 10, 0}, client_most_cpu, daemon_most_cpu, false, true},
    {{"VERIFIED", false, 10, 0}, verified, nothing},
};

bool any_timed(const CompareResult& compared, bool (*is_so)(const MethodResult&)) {
  return std::any_of(compared.methods.begin(), compared.methods.end(),
                     [&](const MethodResult& result) { return result.timed() && is_so(result); });
}

bool takes_too_little_cpu(const MethodResult& result) {
  return !divided_cpu(result.user_ns, result.system_ns) ||
         (result.daemon && !divided_cpu(result.daemon->user_ns, result.daemon->system_ns));
}

bool takes_more_than_a_cpu(const MethodResult& result) {
  return median_of(result.cpu_ns()) >= kMoreThanACpu * median_of(result.wall_ns);
}

bool has_few_samples(const MethodResult& result) {
  const CpuProfile profile = result.counts.cpu_profile();
  return profile.hz != 0 && profile.margin().value_or(1) > kWidestMargin;
}

// What single columns mean, and why cells of them are empty.
std::vector<ColumnNote> notes_on(const CompareResult& compared, bool unicode) {
  std::vector<ColumnNote> notes;
  const std::string sign = plus_minus(unicode);
  if (compared.rounds_done >= kLeastToRank)
    notes.push_back({sign, sign + " is the margin of TIME, the median of the runs" +
                               (compared.rounds_done < kLeastForCertainty
                                    ? fmt::format(" (of {}: half of what they span)",
                                                  plural(compared.rounds_done, "run", "runs"))
                                    : ", with 95% confidence")});
  if (any_timed(compared, [](const MethodResult& result) {
        return result.program && !result.program->startup_ns.empty();
      }))
    notes.push_back({"START",
                     "START, a part of TIME, is from the exec of a program until the "
                     "reader had its first byte"});
  if (any_timed(compared, takes_more_than_a_cpu))
    notes.push_back(
        {"CPU%", "CPU% is above 100% where threads, or workers of io_uring, ran at once"});
  if (any_timed(compared, takes_too_little_cpu))
    notes.push_back({"USER",
                     "USER and SYSTEM are - where a run takes less than 100 ms of CPU time: the "
                     "kernel's ticks are too few to divide it"});
  if (any_timed(compared, has_few_samples))
    notes.push_back({kMostCpuTitle, fmt::format("{} is - where there are so few samples that the "
                                                "margin exceeds {:.0f} points; --size gives more",
                                                kMostCpuTitle, 100 * kWidestMargin)});
  return notes;
}

// A row without figures: the reason takes their place.
std::vector<Cell> failed_cells(const MethodLine& line, std::vector<Cell> cells,
                               std::size_t first_figure, bool unicode) {
  for (std::size_t i = first_figure; i < cells.size(); ++i) cells[i] = {};
  const MethodResult& result = line.result;
  cells[first_figure] = {printable(result.error.value_or("not run"), unicode),
                         result.supported ? Tone::warning : Tone::dim, true};
  return cells;
}

}  // namespace

Grid compare_grid(const CompareResult& compared, bool unicode) {
  const Leaders fastest = fastest_rows(compared);
  const Leaders cheapest = cheapest_rows(compared);
  const MethodResult* const taken = choose(compared).take;
  const bool ranked = fastest.decided() || cheapest.decided();
  const bool profiled =
      std::any_of(compared.methods.begin(), compared.methods.end(),
                  [](const MethodResult& result) { return result.counts.cpu_profile().hz != 0; });
  Grid grid;
  std::vector<const ColumnOf*> shown;
  std::size_t first_figure = 0;
  for (const ColumnOf& column : kColumns) {
    if (column.fuse_only && !compared.fuse) continue;
    if (column.profile_only && !profiled) continue;
    if (column.program_only && (compared.commands || !compared.has_programs())) continue;
    if (compared.commands && (column.client == buffer || column.client == verified)) continue;
    if (column.client == best && !ranked) continue;
    if (column.client == margin && compared.rounds_done < kLeastToRank) continue;
    if (column.client == time) first_figure = shown.size();
    shown.push_back(&column);
    grid.columns.push_back(column.column);
    if (column.client == margin) grid.columns.back().title = plus_minus(unicode);
    if (compared.commands && column.client == method) grid.columns.back().title = "COMMAND";
  }
  const auto cells = [&](const MethodLine& line, Show ColumnOf::*show) {
    std::vector<Cell> text;
    for (const ColumnOf* column : shown) {
      const bool figure = text.size() >= first_figure;
      text.push_back(figure && !line.result.timed() ? Cell{} : (column->*show)(line));
    }
    return text;
  };
  for (const MethodResult& result : compared.methods) {
    const MethodLine line{compared,
                          result,
                          fastest.decided() && fastest.include(result),
                          cheapest.decided() && cheapest.include(result),
                          &result == taken,
                          unicode};
    grid.lines.push_back(cells(line, &ColumnOf::client));
    if (!result.timed())
      grid.lines.back() = failed_cells(line, std::move(grid.lines.back()), first_figure, unicode);
    else if (result.daemon)
      grid.lines.push_back(cells(line, &ColumnOf::daemon));
  }
  grid.legend = notes_on(compared, unicode);
  return grid;
}

std::string compare_title(const CompareResult& compared) {
  if (compared.commands) return fmt::format("Report on {} commands", compared.methods.size());
  const bool same = compared.source_kind == compared.source_filesystem;
  return fmt::format("Report on moving {} from {}{} to {}", format_bytes(compared.source_bytes),
                     compared.source_kind,
                     same ? "" : fmt::format(" ({})", compared.source_filesystem),
                     compared.sink_kind);
}

namespace {

std::string precision_text(const CompareResult& compared) {
  const auto reached = compared.precision_reached();
  if (!reached)
    return fmt::format("too few runs for the precision of {:.3g}%", 100 * compared.precision);
  if (*reached <= compared.precision)
    return fmt::format("each median is known within {:.1f}%", 100 * *reached);
  return fmt::format("medians are known within {:.1f}% at worst, not {:.3g}%", 100 * *reached,
                     100 * compared.precision);
}

}  // namespace

std::vector<std::string> compare_circumstances(const CompareResult& compared, bool unicode) {
  std::vector<std::string> items;
  if (compared.interrupted_by != 0)
    items.push_back(
        fmt::format("interrupted after {} of {} rounds", compared.rounds_done, compared.runs));
  else
    items.push_back(compared.rounds_done == 1
                        ? "1 run of each"
                        : fmt::format("{} runs of each, interleaved", compared.rounds_done));
  if (compared.precision > 0) items.push_back(precision_text(compared));
  if (!compared.commands) {
    items.push_back(compared.source_kind == "fuse"
                        ? "each run reads all of the source from the daemon"
                    : compared.cold ? "source dropped from the page cache before each run"
                                    : "source in the page cache");
    items.push_back(compared.drain);
    items.push_back("timed until the sender's last call returns");
  }
  if (compared.has_programs())
    items.push_back(fmt::format("{} timed from exec to exit, with all that they start",
                                compared.commands ? "commands" : "programs"));
  if (compared.fuse) items.push_back("a FUSE daemon of one thread over tmpfs");
  items.push_back(fmt::format("took {}", format_ns(compared.duration_ns)));
  for (std::string& item : host_items(compared.host, unicode)) items.push_back(std::move(item));
  return items;
}

std::string compare_legend(const CompareResult& compared) {
  if (compared.baseline_row() == nullptr) return "";
  std::string text = fmt::format(
      "SPEED is relative to {}. COPIES of each byte by a CPU: the method's calls + the "
      "kernel besides{}.",
      compared.baseline, compared.has_reader ? " + the reader" : "");
  if (fastest_rows(compared).decided() || cheapest_rows(compared).decided())
    text +=
        " BEST marks the rows with the least time, CPU time or both, within the spread; * the "
        "row to take.";
  return text;
}

}  // namespace zctrace
