// SPDX-License-Identifier: MIT
// Choosing the columns that fit, and the words for every figure.
#include "cli/top/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

using Line = std::vector<Span>;

constexpr std::size_t kNameWidth = 15;  // a comm, when nothing in it is escaped
constexpr std::size_t kMinNameWidth = 8;
constexpr std::size_t kMinCommandWidth = 16;
constexpr std::size_t kWideWidth = 112;  // from here on titles are words

std::string padded(const std::string& text, std::size_t width, bool right, bool unicode) {
  const std::string cut = cut_to_width(text, width, unicode);
  const std::string blanks(width - std::min(width, display_width(cut)), ' ');
  return right ? blanks + cut : cut + blanks;
}

// A line of spans that never grows wider than the screen.
class LineWriter {
 public:
  LineWriter(std::size_t width, bool unicode) : left_(width), unicode_(unicode) {}

  void add(const std::string& text, Style style = Style::plain) {
    const std::string cut = cut_to_width(text, left_, unicode_);
    left_ -= display_width(cut);
    if (!cut.empty()) line_.push_back({cut, style});
  }
  // Whole or not at all, set off from what is there.
  bool add_item(const Line& item) {
    std::size_t width = line_.empty() ? 0 : 2;
    for (const Span& span : item) width += display_width(span.text);
    if (width > left_) return false;
    if (!line_.empty()) add("  ");
    for (const Span& span : item) add(span.text, span.style);
    return true;
  }
  void fill(Style style) {
    if (left_ > 0) add(std::string(left_, ' '), style);
  }
  Line take() { return std::move(line_); }

 private:
  std::size_t left_;
  bool unicode_;
  Line line_;
};

std::string bar(double share, std::size_t width, bool unicode) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string text;
  for (std::size_t i = 0; i < width; ++i)
    text += unicode ? (i < filled ? "█" : "░") : (i < filled ? "#" : ".");
  return text;
}

// 100 % is said only of all of it, 0 % only of nothing.
std::string percent(double share) {
  if (share > 0 && share < 0.01) return "<1%";
  return fmt::format("{:.0f}%", std::floor(share * 100));
}

std::string share_cell(std::optional<double> share, std::size_t width, bool unicode) {
  if (!share) return "-";
  constexpr std::size_t kDigits = 5;  // " 100%"
  if (width < kDigits + 3) return percent(*share);
  return bar(*share, width - kDigits, unicode) + fmt::format("{:>5}", percent(*share));
}

// Counts as they are, or by the second of the interval.
class Scale {
 public:
  Scale(const TopSample& sample, bool totals)
      : totals_(totals), divisor_(totals || sample.seconds <= 0 ? 1 : sample.seconds) {}

  std::string count(std::uint64_t n) const { return compact_count(each(n)); }
  std::string bytes(std::uint64_t n) const { return compact_bytes(each(n)); }
  std::string switches(std::uint64_t voluntary, std::uint64_t involuntary) const {
    return count(voluntary) + "/" + count(involuntary);
  }
  // A share of one CPU, or the time.
  std::string cpu(std::uint64_t ns) const {
    if (totals_) return compact_ns(ns);
    const double share = each(ns) / 1e7;
    return fmt::format("{:.{}f}", share, share < 99.95 ? 1 : 0);
  }

 private:
  double each(std::uint64_t n) const { return static_cast<double>(n) / divisor_; }

  bool totals_;
  double divisor_;
};

// --- Tables: columns with a fixed width each, so that nothing moves from sample to sample ------

template <typename Entry>
struct Column {
  std::string title;
  std::string short_title;
  std::size_t width;
  bool right = true;
  unsigned rank = 0;  // 0: never left out; the greatest goes first
  std::function<Span(const Entry&, std::size_t width)> cell;
  bool sorted = false;
};

template <typename Entry>
std::size_t width_of(const std::vector<Column<Entry>>& columns) {
  std::size_t width = columns.empty() ? 0 : columns.size() - 1;
  for (const Column<Entry>& column : columns) width += column.width;
  return width;
}

template <typename Entry>
void drop_until_fitting(std::vector<Column<Entry>>& columns, std::size_t width) {
  while (width_of(columns) > width) {
    const auto worst =
        std::max_element(columns.begin(), columns.end(),
                         [](const auto& a, const auto& b) { return a.rank < b.rank; });
    if (worst == columns.end() || worst->rank == 0) return;
    columns.erase(worst);
  }
}

template <typename Entry>
Line header_line(const std::vector<Column<Entry>>& columns, FrameSize size, bool unicode) {
  LineWriter line(size.width, unicode);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column<Entry>& column = columns[i];
    const std::string& title =
        display_width(column.title) <= column.width ? column.title : column.short_title;
    if (i > 0) line.add(" ", Style::reverse);
    // What the lines are sorted by is the one title that is not reversed.
    line.add(padded(title, column.width, column.right, unicode),
             column.sorted ? Style::bold : Style::reverse);
  }
  line.fill(Style::reverse);
  return line.take();
}

template <typename Entry>
Line table_line(const std::vector<Column<Entry>>& columns, const Entry& entry, FrameSize size,
                bool unicode, std::optional<Style> whole) {
  LineWriter line(size.width, unicode);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column<Entry>& column = columns[i];
    const Span cell = column.cell(entry, column.width);
    if (i > 0) line.add(" ", whole.value_or(Style::plain));
    line.add(padded(cell.text, column.width, column.right, unicode), whole.value_or(cell.style));
  }
  if (whole == Style::reverse) line.fill(Style::reverse);
  return line.take();
}

class View {
 public:
  View(TopControls& controls, const TopSurroundings& around)
      : controls_(controls),
        around_(around),
        size_(around.size),
        unicode_(around.unicode),
        wide_(size_.width >= kWideWidth),
        scale_(controls.sample(), controls.totals()) {}

  Frame frame() {
    const std::size_t height = size_.height;
    if (height == 0 || size_.width == 0) return {};
    if (controls_.help()) return help();
    const bool footer = height >= 4;
    const std::size_t summary = height >= 12 ? 3 : height >= 8 ? 2 : height >= 5 ? 1 : 0;
    const std::size_t used = summary + (footer ? 1 : 0) + (height >= 2 ? 1 : 0);
    controls_.fit(height - used);

    std::vector<Line> head = controls_.opened() ? opened_summary() : summary_lines();
    head.resize(summary);
    for (Line& line : head) frame_.lines.push_back(std::move(line));
    if (controls_.opened())
      rows_table(height - used, height >= 2);
    else
      processes_table(height - used, height >= 2);
    frame_.lines.resize(height - (footer ? 1 : 0));
    if (footer) frame_.lines.push_back(footer_line());
    return std::move(frame_);
  }

 private:
  const TopSample& sample() const { return controls_.sample(); }
  std::string text(const std::string& outside) const { return printable(outside, unicode_); }
  std::string per_second(const std::string& text) const {
    return controls_.totals() ? text : text + "/s";
  }

  static Style tone_of(std::uint64_t bad) { return bad > 0 ? Style::warning : Style::bold; }

  Line mode_line(const Line& first) {
    LineWriter line(size_.width, unicode_);
    line.add_item(first);
    // Lost events make every figure a lower bound.
    if (sample().completeness.lost_events() > 0) line.add_item({{"EVENTS LOST", Style::warning}});
    if (controls_.paused()) line.add_item({{"PAUSED", Style::reverse}});
    line.add_item({{controls_.totals() ? "totals" : "per second", Style::bold}});
    line.add_item({{fmt::format("by {}{}", controls_.sort_title(),
                                controls_.reversed() ? ", reversed" : "")}});
    if (!controls_.filter().empty() && !controls_.opened())
      line.add_item({{"filter: " + text(controls_.filter()), Style::bold}});
    line.add_item(
        {{fmt::format("every {}", compact_ns(static_cast<std::uint64_t>(around_.interval_s * 1e9))),
          Style::dim}});
    return line.take();
  }

  std::vector<Line> figures_lines(const Figures& figures) {
    LineWriter bytes(size_.width, unicode_);
    const auto item = [](std::string_view label, const std::string& value,
                         Style style = Style::bold) {
      return Line{{std::string(label) + " "}, {value, style}};
    };
    bytes.add_item(item("syscalls", per_second(scale_.count(figures.syscalls))));
    bytes.add_item(item("copied", per_second(scale_.bytes(figures.copied_bytes))));
    bytes.add_item(item("in kernel", per_second(scale_.bytes(figures.in_kernel_bytes))));
    bytes.add_item(item("delivered", per_second(scale_.bytes(figures.delivered_bytes))));

    LineWriter rest(size_.width, unicode_);
    const auto share = figures.zero_copy_share();
    rest.add_item({{"zero-copy "},
                   {share ? share_cell(share, wide_ ? 25 : 10, unicode_) : "-",
                    share.value_or(0) > 0 ? Style::good : Style::bold}});
    const std::uint64_t lost = sample().completeness.lost_events();
    rest.add_item(item("lost", compact_count(static_cast<double>(lost)), tone_of(lost)));
    rest.add_item(
        item("errors", per_second(scale_.count(figures.errors)), tone_of(figures.errors)));
    rest.add_item(item("switches v/i", per_second(scale_.switches(figures.voluntary_switches,
                                                                  figures.involuntary_switches))));
    rest.add_item(item(
        "CPU", controls_.totals() ? scale_.cpu(figures.cpu_ns) : scale_.cpu(figures.cpu_ns) + "%"));
    return {bytes.take(), rest.take()};
  }

  std::vector<Line> summary_lines() {
    const std::size_t shown = controls_.processes().size();
    const std::size_t all = sample().processes.size();
    std::string count = shown == all ? fmt::format("{}", all) : fmt::format("{} of {}", shown, all);
    count += all == 1 ? " process" : " processes";
    std::vector<Line> lines{mode_line({{"zctrace top", Style::bold}, {": " + count}})};
    for (Line& line : figures_lines(sample().sum(controls_.totals())))
      lines.push_back(std::move(line));
    return lines;
  }

  std::vector<Line> opened_summary() {
    const TopProcess& process = *controls_.opened();
    std::string title = fmt::format("{} {}", text(process.total->name), process.key.pid);
    std::vector<Line> lines{
        mode_line({{title, Style::bold}, {process.ended ? " (ended)" : "", Style::warning}})};
    for (Line& line : figures_lines(process.figures(controls_.totals())))
      lines.push_back(std::move(line));
    return lines;
  }

  std::vector<Column<TopProcess>> process_columns() {
    using C = Column<TopProcess>;
    const bool totals = controls_.totals();
    const auto suffixed = [&](std::string_view title) { return per_second(std::string(title)); };
    const auto figure = [this, totals](std::string (Scale::*format)(std::uint64_t) const,
                                       std::uint64_t Figures::*field) {
      return [this, totals, format, field](const TopProcess& process, std::size_t) -> Span {
        const std::uint64_t n = process.figures(totals).*field;
        return {(scale_.*format)(n), n == 0 ? Style::dim : Style::plain};
      };
    };
    std::size_t pid_width = 5;
    for (const TopProcess& process : sample().processes)
      pid_width = std::max(pid_width, std::to_string(process.key.pid).size());
    const std::size_t number = wide_ ? 11 : 6;

    std::vector<C> columns;
    const auto add = [&](ProcessSort sort, C column) {
      column.sorted = sort == controls_.process_sort();
      columns.push_back(std::move(column));
    };
    add(ProcessSort::pid,
        {"PID", "PID", pid_width, true, 0, [](const TopProcess& process, std::size_t) -> Span {
           return {std::to_string(process.key.pid)};
         }});
    add(ProcessSort::name, {"NAME", "NAME", kMinNameWidth, false, 0,
                            [this](const TopProcess& process, std::size_t width) -> Span {
                              return {cut_to_width(text(process.total->name), width, unicode_)};
                            }});
    add(ProcessSort::syscalls, {suffixed("SYSCALLS"), "CALLS", number, true, 1,
                                figure(&Scale::count, &Figures::syscalls)});
    add(ProcessSort::copied, {suffixed("COPIED"), "COPIED", number, true, 2,
                              figure(&Scale::bytes, &Figures::copied_bytes)});
    add(ProcessSort::in_kernel, {suffixed("IN KERNEL"), "KERNEL", number, true, 3,
                                 figure(&Scale::bytes, &Figures::in_kernel_bytes)});
    add(ProcessSort::delivered, {suffixed("DELIVERED"), "DELIV", number, true, 6,
                                 figure(&Scale::bytes, &Figures::delivered_bytes)});
    const std::size_t share_width = wide_ ? 15 : size_.width >= 64 ? 10 : 4;
    add(ProcessSort::zero_copy,
        {"ZERO-COPY", "ZC", share_width, true, 4,
         [this, totals](const TopProcess& process, std::size_t width) -> Span {
           const auto share = process.figures(totals).zero_copy_share();
           return {share_cell(share, width, unicode_), share.value_or(0) > 0 ? Style::good
                                                       : share               ? Style::plain
                                                                             : Style::dim};
         }});
    add(ProcessSort::switches,
        {suffixed("SWITCHES V/I"), "SW V/I", wide_ ? 14U : 9U, true, 7,
         [this, totals](const TopProcess& process, std::size_t) -> Span {
           const Figures& figures = process.figures(totals);
           return {scale_.switches(figures.voluntary_switches, figures.involuntary_switches),
                   figures.switches() == 0 ? Style::dim : Style::plain};
         }});
    add(ProcessSort::cpu, {totals ? "CPU" : "CPU%", "CPU", 6, true, 5,
                           [this, totals](const TopProcess& process, std::size_t) -> Span {
                             if (process.ended) return {"ended"};
                             const std::uint64_t ns = process.figures(totals).cpu_ns;
                             return {scale_.cpu(ns), ns == 0 ? Style::dim : Style::plain};
                           }});
    add(ProcessSort::errors,
        {suffixed("ERRORS"), "ERR", wide_ ? 8U : 5U, true, 8,
         [this, totals](const TopProcess& process, std::size_t) -> Span {
           const std::uint64_t errors = process.figures(totals).errors;
           return {scale_.count(errors), errors > 0 ? Style::warning : Style::dim};
         }});
    drop_until_fitting(columns, size_.width);
    // What is left goes to the name, then to the command line.
    const std::size_t spare = size_.width - std::min(size_.width, width_of(columns));
    const std::size_t name = std::min(spare, kNameWidth - kMinNameWidth);
    columns[1].width += name;
    if (spare - name > kMinCommandWidth) {
      columns.push_back(
          {"COMMAND", "COMMAND", spare - name - 1, false, 0,
           [this](const TopProcess& process, std::size_t width) -> Span {
             return {cut_to_width(shell_words(process.total->argv, unicode_), width, unicode_),
                     Style::dim};
           }});
    }
    return columns;
  }

  void processes_table(std::size_t height, bool header) {
    const std::vector<Column<TopProcess>> columns = process_columns();
    if (header) frame_.lines.push_back(header_line(columns, size_, unicode_));
    const auto& processes = controls_.processes();
    if (processes.empty()) {
      frame_.lines.push_back({{cut_to_width(empty_text(), size_.width, unicode_), Style::dim}});
      return;
    }
    const std::size_t end = std::min(processes.size(), controls_.first_line() + height);
    for (std::size_t i = controls_.first_line(); i < end; ++i) {
      std::optional<Style> whole;
      if (processes[i]->ended) whole = Style::dim;
      if (i == controls_.selected()) whole = Style::reverse;
      frame_.lines.push_back(table_line(columns, *processes[i], size_, unicode_, whole));
    }
  }

  std::string empty_text() const {
    if (!sample().processes.empty()) return "no process matches the filter; Esc removes it";
    if (around_.all_ended) return "all observed processes have ended; q quits";
    return "waiting for " + around_.targets;
  }

  std::string flow(const Row& row) const {
    if (row.copy == Copy::none) return "-";
    return fmt::format("{}{}{}", kind_name(row.from), unicode_ ? "→" : ">", kind_name(row.to));
  }

  std::vector<Column<Row>> row_columns() {
    using C = Column<Row>;
    const bool latency = sample().latency;
    const auto suffixed = [&](std::string_view title) { return per_second(std::string(title)); };
    const std::size_t number = wide_ ? 10 : 7;
    std::vector<C> columns;
    const auto add = [&](std::optional<RowSort> sort, C column) {
      column.sorted = sort == controls_.row_sort();
      columns.push_back(std::move(column));
    };
    const auto time = [](double fraction) {
      return [fraction](const Row& row, std::size_t) -> Span {
        const auto ns = row.latency.percentile_ns(fraction, row.max_ns);
        return {ns ? compact_ns(*ns) : "-"};
      };
    };
    add(RowSort::syscall, {"SYSCALL", "SYSCALL", size_.width < 64 ? 10U : 16U, false, 0,
                           [this](const Row& row, std::size_t width) -> Span {
                             const bool good =
                                 row.copy == Copy::in_kernel || row.copy == Copy::lent;
                             return {cut_to_width(text(row.syscall), width, unicode_),
                                     good ? Style::good : Style::plain};
                           }});
    add(std::nullopt, {"FLOW", "FLOW", 13, false, 1,
                       [this](const Row& row, std::size_t) -> Span { return {flow(row)}; }});
    add(RowSort::calls,
        {suffixed("CALLS"), "CALLS", number, true, 0,
         [this](const Row& row, std::size_t) -> Span { return {scale_.count(row.calls)}; }});
    add(RowSort::bytes,
        {suffixed("BYTES"), "BYTES", number, true, 0, [this](const Row& row, std::size_t) -> Span {
           return {row.copy == Copy::none ? "-" : scale_.bytes(row.bytes)};
         }});
    add(std::nullopt,
        {"AVG", "AVG", 6, true, 6, [](const Row& row, std::size_t) -> Span {
           if (row.copy == Copy::none || row.calls == 0) return {"-"};
           return {compact_bytes(static_cast<double>(row.bytes) / static_cast<double>(row.calls))};
         }});
    if (latency) {
      add(RowSort::p50, {"P50", "P50", 6, true, 3, time(0.5)});
      add(RowSort::p99, {"P99", "P99", 6, true, 2, time(0.99)});
      add(RowSort::off_cpu, {"OFF-CPU", "OFF", 7, true, 4, [](const Row& row, std::size_t) -> Span {
                               const auto share = off_cpu_share(row);
                               return {share ? percent(*share) : "-"};
                             }});
    }
    add(RowSort::switches,
        {suffixed("SWITCHES V/I"), "SW V/I", wide_ ? 14U : 9U, true, 7,
         [this](const Row& row, std::size_t) -> Span {
           return {scale_.switches(row.voluntary_switches, row.involuntary_switches)};
         }});
    add(RowSort::errors,
        {suffixed("ERRORS"), "ERR", wide_ ? 8U : 5U, true, 5,
         [this](const Row& row, std::size_t) -> Span {
           return {scale_.count(row.errors), row.errors > 0 ? Style::warning : Style::dim};
         }});
    drop_until_fitting(columns, size_.width);
    return columns;
  }

  void rows_table(std::size_t height, bool header) {
    const std::vector<Column<Row>> columns = row_columns();
    if (header) frame_.lines.push_back(header_line(columns, size_, unicode_));
    const auto& rows = controls_.rows();
    if (rows.empty()) {
      const char* why = controls_.totals() ? "no syscall was observed"
                                           : "no syscall in this interval; t shows the totals";
      frame_.lines.push_back({{cut_to_width(why, size_.width, unicode_), Style::dim}});
    }
    const std::size_t end = std::min(rows.size(), controls_.first_line() + height);
    for (std::size_t i = controls_.first_line(); i < end; ++i)
      frame_.lines.push_back(table_line(columns, *rows[i], size_, unicode_, std::nullopt));
    // Where there is room: whose rows these are.
    const std::string command = shell_words(controls_.opened()->total->argv, unicode_);
    if (end == rows.size() && rows.size() + 2 <= height && !command.empty()) {
      frame_.lines.emplace_back();
      frame_.lines.push_back({{cut_to_width(command, size_.width, unicode_), Style::dim}});
    }
  }

  Line footer_line() {
    LineWriter line(size_.width, unicode_);
    if (controls_.editing_filter()) {
      // The end of what is typed stays in sight.
      const std::string prompt = "/";
      std::string typed = text(controls_.filter());
      while (display_width(typed) + prompt.size() + 1 > size_.width && !typed.empty()) {
        typed.erase(0, 1);
        while (!typed.empty() && (typed.front() & 0xC0) == 0x80) typed.erase(0, 1);
      }
      line.add(prompt + typed, Style::bold);
      frame_.cursor = std::min(prompt.size() + display_width(typed), size_.width - 1);
      line.add_item({{"Enter keeps, Esc drops", Style::dim}});
      return line.take();
    }
    const auto key = [&](std::string_view name, std::string_view what) {
      line.add_item({{std::string(name), Style::bold}, {" " + std::string(what)}});
    };
    key("q", "quit");
    key("h", "help");
    if (controls_.opened())
      key("Esc", "back");
    else
      key("Enter", "rows");
    key("t", controls_.totals() ? "per second" : "totals");
    key("p", controls_.paused() ? "go on" : "pause");
    if (!controls_.opened()) key("/", "filter");
    key("<>", "sort");
    key("r", "reverse");
    return line.take();
  }

  Frame help() {
    std::vector<std::pair<std::string, std::string>> keys{
        {"q, Ctrl-C", "quit"},
        {"Enter", "syscalls and flows of the selected process"},
        {"Esc, Backspace", "back; in the list: drop the filter"},
        {"arrows, PgUp, PgDn", "select, scroll; Home: follow the first line"},
        {"/", "filter by name or pid"},
        {"p, Space", "pause, go on (counting never stops)"},
        {"t", "totals since the start, or per second"},
        {"<, >, r", "sort by the next column; reverse"},
        {"h, ?", "this list; any key leaves it"},
    };
    const auto letters = [&](const auto& sorts) {
      std::string list;
      for (const auto& sort : sorts)
        list += fmt::format("{}{} {}", list.empty() ? "" : ", ", sort.letter, sort.title);
      return list;
    };
    const auto add = [&](const Line& line) {
      if (frame_.lines.size() >= size_.height) return;
      LineWriter writer(size_.width, unicode_);
      for (const Span& span : line) writer.add(span.text, span.style);
      frame_.lines.push_back(writer.take());
    };
    // Continued below where the screen is narrow.
    const auto add_wrapped = [&](const std::string& label, std::string words) {
      add({{label, Style::bold}});
      const std::size_t width = size_.width > 4 ? size_.width - 2 : size_.width;
      while (!words.empty()) {
        std::size_t cut = words.size() <= width ? words.size() : words.rfind(", ", width - 1);
        if (cut == std::string::npos || cut == 0)
          cut = std::min(width, words.size());
        else if (cut < words.size())
          cut += 1;
        add({{"  " + words.substr(0, cut)}});
        words.erase(0, std::min(words.size(), words.find_first_not_of(' ', cut)));
      }
    };
    const std::size_t column = size_.width >= 64 ? 20 : 11;
    if (size_.height > keys.size() + 8) add({{"zctrace top: keys", Style::bold}});
    for (const auto& [name, what] : keys)
      add({{padded(name, column, false, unicode_), Style::bold}, {what}});
    add_wrapped("Sort the processes by", letters(kProcessSorts));
    add_wrapped("Sort a process's rows by", letters(kRowSorts));
    if (size_.height > frame_.lines.size() + 6) {
      add({});
      add({{"copied: through user space, either way; in kernel: sendfile, splice, tee,"}});
      add({{"copy_file_range, clones; delivered: to a final sink; zero-copy: the share of"}});
      add({{"what was delivered that never was in user space; v/i: voluntary, involuntary"}});
    }
    return std::move(frame_);
  }

  TopControls& controls_;
  const TopSurroundings& around_;
  FrameSize size_;
  bool unicode_;
  bool wide_;
  Scale scale_;
  Frame frame_;
};

// Three digits at most before the unit, one behind the point while there is room.
std::string compact(double number, double step, std::string_view units) {
  if (number > 0 && number < 0.05) return "<0.1";
  if (number < 9.95) {
    const double tenths = std::round(number * 10) / 10;
    return fmt::format("{:.{}f}", tenths, tenths == std::floor(tenths) ? 0 : 1);
  }
  if (number < (step == 1000 ? 9999.5 : 1023.5)) return fmt::format("{:.0f}", number);
  std::size_t unit = 0;
  for (number /= step; number >= step - 0.5 && unit + 1 < units.size(); ++unit) number /= step;
  return fmt::format("{:.{}f}{}", number, number < 99.95 ? 1 : 0, units[unit]);
}

}  // namespace

std::string compact_count(double count) { return compact(count, 1000, "kMGTPE"); }

std::string compact_bytes(double bytes) { return compact(bytes, 1024, "KMGTPE"); }

std::string compact_ns(std::uint64_t ns) {
  if (ns == 0) return "0";
  if (ns < 1000) return fmt::format("{}ns", ns);
  static constexpr std::array kNames{"us", "ms", "s"};
  auto value = static_cast<double>(ns) / 1e3;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kNames.size(); ++unit) value /= 1e3;
  if (unit + 1 < kNames.size() || value < 99.5)
    return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, kNames[unit]);
  const auto seconds = static_cast<std::uint64_t>(std::llround(value));
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  const std::uint64_t minutes = seconds / 60;
  if (minutes < 6000) return fmt::format("{}h{:02}m", minutes / 60, minutes % 60);
  return fmt::format("{}d{:02}h", minutes / 1440, minutes / 60 % 24);
}

Frame top_frame(TopControls& controls, const TopSurroundings& surroundings) {
  return View(controls, surroundings).frame();
}

}  // namespace zctrace
