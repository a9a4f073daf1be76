// SPDX-License-Identifier: MIT
// Sharing out the lines of the screen, and the summary above the table.
#include "cli/top/view.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/top/compact.h"
#include "cli/top/help.h"
#include "cli/top/lists.h"
#include "cli/top/table.h"
#include "cli/views/wording.h"

namespace zctrace {
namespace {

class View {
 public:
  View(TopControls& controls, const TopSurroundings& around)
      : controls_(controls),
        around_(around),
        size_(around.size),
        unicode_(around.unicode),
        numerals_(controls.totals() ? CompactNumerals()
                                    : CompactNumerals(controls.sample().seconds)) {}

  Frame frame() {
    const std::size_t height = size_.height;
    if (height == 0 || size_.width == 0) return {};
    if (controls_.help()) return {help_page(size_.width, height, unicode_), std::nullopt};
    const bool footer = height >= 4;
    const bool header = height >= 2;
    const bool cost = height >= 13 && sample().cost;
    const std::size_t summary = cost ? 4 : height >= 12 ? 3 : height >= 8 ? 2 : height >= 5 ? 1 : 0;
    const std::size_t used = summary + (footer ? 1 : 0) + (header ? 1 : 0);
    controls_.fit(height - used);

    frame_.lines = controls_.opened() ? opened_summary() : summary_lines();
    frame_.lines.resize(summary);
    const ListArea area{size_.width, height - used, header, unicode_};
    for (Line& line : controls_.shows_channels() ? channel_list(controls_, numerals_, area)
                      : controls_.opened()       ? row_list(controls_, numerals_, area)
                                           : process_list(controls_, numerals_, area, empty_text()))
      frame_.lines.push_back(std::move(line));
    frame_.lines.resize(height - (footer ? 1 : 0));
    if (footer) frame_.lines.push_back(footer_line());
    return std::move(frame_);
  }

 private:
  const TopSample& sample() const { return controls_.sample(); }
  std::string text(const std::string& outside) const { return printable(outside, unicode_); }

  static Style tone_of(std::uint64_t bad) { return bad > 0 ? Style::warning : Style::bold; }

  Line mode_line(const Line& first) {
    LineWriter line(size_.width, unicode_);
    line.add_item(first);
    // Lost events make every figure a lower bound.
    if (sample().completeness.lost_events() > 0) line.add_item({{"EVENTS LOST", Style::warning}});
    // All but CPU time, faults and memory.
    if (const auto duty = sample().duty)
      line.add_item({{fmt::format("ESTIMATES from {}", percent_text(*duty)), Style::warning}});
    if (controls_.paused()) line.add_item({{"PAUSED", Style::reverse}});
    line.add_item({{controls_.totals() ? "totals" : "per second", Style::bold}});
    line.add_item({{fmt::format("by {}{}", controls_.sort_title(),
                                controls_.reversed() ? ", reversed" : "")}});
    if (!controls_.filter().empty() && (!controls_.opened() || controls_.shows_channels()))
      line.add_item({{"filter: " + text(controls_.filter()), Style::bold}});
    line.add_item(
        {{fmt::format("every {}", compact_ns(static_cast<std::uint64_t>(around_.interval_s * 1e9))),
          Style::dim}});
    return line.take();
  }

  void add_figures(std::vector<Line>& lines, const ProcessSummary& figures) const {
    LineWriter bytes(size_.width, unicode_);
    const auto item = [](std::string_view label, const std::string& value,
                         Style style = Style::bold) {
      return Line{{std::string(label) + " "}, {value, style}};
    };
    const auto amount = [this](std::uint64_t n) {
      return controls_.rate(compact_size(numerals_.by_second(n)));
    };
    bytes.add_item(item("syscalls", controls_.rate(numerals_.count(figures.syscalls))));
    bytes.add_item(item("copied", amount(figures.copied_bytes)));
    bytes.add_item(item("in kernel", amount(figures.in_kernel_bytes)));
    bytes.add_item(item("cpu copied", amount(figures.cpu_copied_bytes)));
    bytes.add_item(item("delivered", amount(figures.delivered.bytes)));
    lines.push_back(bytes.take());

    LineWriter rest(size_.width, unicode_);
    const auto share = figures.delivered.zero_copy_share();
    rest.add_item(
        {{"zero-copy "},
         {zero_copy_share(figures.delivered, size_.width >= kWideScreen ? 25 : 10, unicode_),
          share.value_or(0) > 0 ? Style::good : Style::bold}});
    const std::uint64_t lost = sample().completeness.lost_events();
    rest.add_item(item("lost", compact_count(static_cast<double>(lost)), tone_of(lost)));
    rest.add_item(
        item("errors", controls_.rate(numerals_.count(figures.errors)), tone_of(figures.errors)));
    rest.add_item(
        item("switches", controls_.rate(switches_text(figures.voluntary_switches,
                                                      figures.involuntary_switches, numerals_))));
    rest.add_item(item("CPU", numerals_.time(figures.cpu_ns) + (controls_.totals() ? "" : "%")));
    lines.push_back(rest.take());
    if (sample().cost) lines.push_back(cost_line(*sample().cost));
  }

  // Of all processes, whichever is opened.
  Line cost_line(const TopCost& spent) const {
    const ObserverCost& cost = controls_.totals() ? spent.total : spent.interval;
    LineWriter line(size_.width, unicode_);
    const auto item = [&line](std::string_view label, std::string value, std::string_view rest) {
      line.add_item(
          {{std::string(label) + " "}, {std::move(value), Style::bold}, {std::string(rest)}});
    };
    const auto time = [this](std::uint64_t ns) {
      return numerals_.time(ns) + (controls_.totals() ? "" : "%");
    };
    const auto mean = [](std::uint64_t ns, std::uint64_t runs) {
      return runs == 0 ? "-" : compact_ns((ns + runs / 2) / runs);
    };
    item("cost: BPF programs", time(cost.programs_ns), " of a CPU");
    item("a call", mean(cost.call_ns, cost.calls), "");
    item("a switch", mean(cost.switch_ns, cost.switches), "");
    item("zctrace", time(cost.own_cpu_ns), "");
    return line.take();
  }

  std::vector<Line> summary_lines() {
    const std::size_t shown = controls_.processes().size();
    const std::size_t all = sample().processes.size();
    std::string count = shown == all ? fmt::format("{}", all) : fmt::format("{} of {}", shown, all);
    count += " " + what_is_listed(all);
    std::vector<Line> lines{mode_line({{"zctrace top", Style::bold}, {": " + count}})};
    add_figures(lines, controls_.sum());
    return lines;
  }

  std::string what_is_listed(std::size_t count) const {
    switch (controls_.group()) {
      case TopGroup::name: return count == 1 ? "name" : "names";
      case TopGroup::unit: return count == 1 ? "unit" : "units";
      case TopGroup::container: return count == 1 ? "container" : "containers";
      case TopGroup::process: break;
    }
    return count == 1 ? "process" : "processes";
  }

  std::vector<Line> opened_summary() {
    const TopProcess& process = *controls_.opened();
    std::string title = text(process.total->name);
    if (process.key.group.empty())
      title += fmt::format(" {}", process.key.pid);
    else
      title += fmt::format(": {}", plural(process.members, "process", "processes"));
    if (controls_.shows_channels()) title += channels_title();
    std::vector<Line> lines{
        mode_line({{title, Style::bold}, {process.ended ? " (ended)" : "", Style::warning}})};
    add_figures(lines, process.figures(controls_.totals()));
    return lines;
  }

  std::string channels_title() const {
    switch (controls_.channels().kind()) {
      case ChannelKind::files: return ", files";
      case ChannelKind::peers: return ", peers";
      case ChannelKind::ports: break;
    }
    return ", ports";
  }

  std::string empty_text() const {
    if (!sample().processes.empty()) return "no process matches the filter; Esc removes it";
    if (around_.all_ended) return "all observed processes have ended; q quits";
    return "waiting for " + around_.targets;
  }

  // The end of what is typed stays visible.
  Line filter_line() {
    LineWriter line(size_.width, unicode_);
    const std::string prompt = "/";
    std::string typed = text(controls_.filter());
    while (display_width(typed) + prompt.size() + 1 > size_.width && !typed.empty()) {
      typed.erase(0, 1);
      while (!typed.empty() && (typed.front() & 0xC0) == 0x80) typed.erase(0, 1);
    }
    line.add(prompt + typed, Style::bold);
    frame_.cursor = std::min(prompt.size() + display_width(typed), size_.width - 1);
    line.add_item({{"Enter keeps it, Esc discards it", Style::dim}});
    return line.take();
  }

  Line footer_line() {
    if (controls_.editing_filter()) return filter_line();
    LineWriter line(size_.width, unicode_);
    const auto key = [&](std::string_view name, std::string_view what) {
      line.add_item({{std::string(name), Style::bold}, {" " + std::string(what)}});
    };
    const bool opened = controls_.opened() != nullptr;
    key("q", "quit");
    key("h", "help");
    if (controls_.paused()) key("Space", "resume");
    if (opened) key("Esc", "back");
    const bool channels = controls_.shows_channels();
    const ChannelKind kind = controls_.channels().kind();
    if (!opened || channels) key("Enter", "rows");
    if (controls_.sample().channels) {
      if (!channels || kind != ChannelKind::files) key("f", "files");
      key("p", channels && kind == ChannelKind::peers ? "ports" : "peers");
    }
    key("t", controls_.totals() ? "per second" : "totals");
    if (!opened || channels) key("/", "filter");
    if (!opened) key("g", "group");
    key("<>", "sort");
    if (!controls_.paused()) key("Space", "pause");
    key("r", "reverse");
    return line.take();
  }

  TopControls& controls_;
  const TopSurroundings& around_;
  FrameSize size_;
  bool unicode_;
  CompactNumerals numerals_;
  Frame frame_;
};

}  // namespace

Frame top_frame(TopControls& controls, const TopSurroundings& surroundings) {
  return View(controls, surroundings).frame();
}

}  // namespace zctrace
