// SPDX-License-Identifier: MIT
// What the keys of `zctrace top` do. Pure: a key and a sample in, the state changes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/channel_pane.h"
#include "cli/top/model.h"

namespace zctrace {

struct KeyPress {
  enum Key {
    none,
    character,
    enter,
    escape,
    backspace,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    left,
    right,
    resized
  };
  Key kind = none;
  char32_t code = 0;  // of a character
};

struct ProcessSortKey {
  char letter;
  ProcessSort sort;
  std::string_view title;
};

struct RowSortKey {
  char letter;
  RowSort sort;
  std::string_view title;
};

// In the order that '<' and '>' go through them.
inline constexpr std::array<ProcessSortKey, 11> kProcessSorts{{
    {'i', ProcessSort::pid, "pid"},
    {'n', ProcessSort::name, "name"},
    {'s', ProcessSort::syscalls, "syscalls"},
    {'b', ProcessSort::moved, "bytes moved"},
    {'c', ProcessSort::copied, "bytes copied"},
    {'k', ProcessSort::in_kernel, "bytes in kernel"},
    {'d', ProcessSort::delivered, "bytes delivered"},
    {'z', ProcessSort::zero_copy, "zero-copy share"},
    {'w', ProcessSort::switches, "switches"},
    {'u', ProcessSort::cpu, "CPU"},
    {'e', ProcessSort::errors, "errors"},
}};

inline constexpr std::array<RowSortKey, 8> kRowSorts{{
    {'n', RowSort::syscall, "name"},
    {'s', RowSort::calls, "calls"},
    {'b', RowSort::bytes, "bytes"},
    {'m', RowSort::p50, "median (p50)"},
    {'l', RowSort::p99, "latency (p99)"},
    {'o', RowSort::off_cpu, "off-CPU share"},
    {'w', RowSort::switches, "switches"},
    {'e', RowSort::errors, "errors"},
}};

// Owns what the user chose. Follows the chosen process, not its line; until one is chosen, the
// first line. A process that is open stays so, as last seen, when it ends.
class TopControls {
 public:
  // A new sample of processes; while paused it is not shown.
  void show(std::shared_ptr<const TopSample> sample);
  // What that key does; false: quit.
  bool press(const KeyPress& key);
  // Lines that the table has on the screen, before it is drawn.
  void fit(std::size_t lines);

  const TopSample& sample() const { return *sample_; }
  bool totals() const { return totals_; }
  // A title or an amount: "/s" is added while counts are shown per second.
  std::string rate(const std::string& text) const { return totals_ ? text : text + "/s"; }
  bool paused() const { return paused_; }
  bool help() const { return help_; }
  // Of the list that is shown.
  const std::string& filter() const { return shows_channels() ? channels_.filter : filter_; }
  bool editing_filter() const { return editing_; }
  ProcessSort process_sort() const { return process_sort_; }
  RowSort row_sort() const { return row_sort_; }
  bool reversed() const;
  std::string_view sort_title() const;

  TopGroup group() const { return group_; }
  void group_by(TopGroup by);

  // Sorted and filtered, of the sample shown.
  const std::vector<const TopProcess*>& processes() const { return processes_; }
  // Of all processes, or of those that match the filter where there is one.
  ProcessSummary sum() const;
  std::size_t selected() const { return selected_; }
  std::size_t first_line() const { return opened() ? first_row_ : first_process_; }

  // The process whose rows are open, null: none; from an older sample once it has ended.
  const TopProcess* opened() const { return opened_; }
  const std::vector<const Row*>& rows() const { return rows_; }
  // Whether its files, peers or ports are shown instead of its rows.
  bool shows_channels() const { return opened_ != nullptr && channels_opened_.has_value(); }
  const ChannelPane& channels() const { return channels_; }

 private:
  void take_newest();
  bool press_in_filter(const KeyPress& key);
  void press_letter(char letter);
  void move_to(std::ptrdiff_t line);
  void move_sort(int by);
  void sort_by(std::size_t index);
  void open(std::optional<ChannelKind> channels);
  void close();
  void arrange();
  void arrange_opened();
  std::string& edited_filter() { return shows_channels() ? channels_.filter : filter_; }
  std::size_t opened_lines() const { return shows_channels() ? channels_.size() : rows_.size(); }

  std::shared_ptr<const TopSample> newest_ = std::make_shared<TopSample>();
  std::shared_ptr<const TopSample> ungrouped_ = newest_;  // as shown
  std::shared_ptr<const TopSample> sample_ = newest_;     // the same, in groups
  std::vector<const TopProcess*> processes_;
  std::optional<LineKey> chosen_;
  std::size_t selected_ = 0;
  std::size_t first_process_ = 0;

  std::shared_ptr<const TopSample> opened_sample_;
  std::shared_ptr<const TopSample> opened_ungrouped_;
  std::optional<ChannelKind> channels_opened_;
  ChannelPane channels_;
  const TopProcess* opened_ = nullptr;
  std::vector<Row> shown_rows_;  // what `rows_` points into
  std::vector<const Row*> rows_;
  std::size_t first_row_ = 0;

  ProcessSort process_sort_ = ProcessSort::moved;
  RowSort row_sort_ = RowSort::bytes;
  bool processes_reversed_ = false;
  bool rows_reversed_ = false;
  bool totals_ = false;
  bool paused_ = false;
  bool help_ = false;
  bool editing_ = false;
  std::string filter_;
  std::string filter_before_;
  std::size_t lines_ = 1;
  TopGroup group_ = TopGroup::process;
};

}  // namespace zctrace
