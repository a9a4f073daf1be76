// SPDX-License-Identifier: MIT
// The keys, one at a time.
#include "cli/top/controls.h"

#include <algorithm>
#include <utility>

namespace zctrace {
namespace {

constexpr std::size_t kFilterBytes = 64;

void append_utf8(std::string& text, char32_t code) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

void remove_last_character(std::string& text) {
  while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

template <typename Sorts, typename Sort>
std::size_t index_of(const Sorts& sorts, Sort sort) {
  return static_cast<std::size_t>(
      std::find_if(sorts.begin(), sorts.end(), [&](const auto& key) { return key.sort == sort; }) -
      sorts.begin());
}

}  // namespace

void TopControls::show(std::shared_ptr<const TopSample> sample) {
  newest_ = std::move(sample);
  if (paused_) return;
  take_newest();
  arrange();
}

void TopControls::take_newest() {
  ungrouped_ = newest_;
  sample_ = grouped(ungrouped_, group_);
}

void TopControls::group_by(TopGroup by) {
  group_ = by;
  sample_ = grouped(ungrouped_, group_);
  chosen_.reset();
  selected_ = 0;
  arrange();
}

ProcessSummary TopControls::sum() const {
  if (filter_.empty()) return sample_->sum(totals_);
  ProcessSummary sum;
  for (const TopProcess* process : processes_) sum += process->figures(totals_);
  return sum;
}

void TopControls::arrange() {
  processes_.clear();
  for (const TopProcess& process : sample_->processes)
    if (matches_filter(*process.total, filter_)) processes_.push_back(&process);
  sort_processes(processes_, process_sort_, processes_reversed_, totals_);
  const auto chosen =
      std::find_if(processes_.begin(), processes_.end(),
                   [&](const TopProcess* process) { return chosen_ && process->key == *chosen_; });
  if (chosen != processes_.end())
    selected_ = static_cast<std::size_t>(chosen - processes_.begin());
  else if (!chosen_)
    selected_ = 0;
  // When the chosen process is gone, the same line stays selected.
  selected_ = std::min(selected_, processes_.empty() ? 0 : processes_.size() - 1);

  rows_.clear();
  channels_.clear();
  if (opened_) arrange_opened();
}

void TopControls::arrange_opened() {
  if (const TopProcess* now = sample_->find(opened_->key)) {
    opened_ = now;
    opened_sample_ = sample_;
    opened_ungrouped_ = ungrouped_;
  }
  if (channels_opened_) {
    std::vector<const Process*> processes;
    for (const TopProcess* member : members_of(*opened_ungrouped_, opened_->key, group_))
      if (const Process* process = totals_ ? member->total : member->interval; process != nullptr)
        processes.push_back(process);
    channels_.show(*channels_opened_,
                   totals_ ? opened_ungrouped_->standing : opened_ungrouped_->between, processes);
    return;
  }
  const Process* process = totals_ ? opened_->total : opened_->interval;
  if (process == nullptr) return;
  shown_rows_ = shown_rows(process->rows);
  for (const Row& row : shown_rows_) rows_.push_back(&row);
  sort_rows(rows_, row_sort_, rows_reversed_);
}

void TopControls::fit(std::size_t lines) {
  lines_ = std::max<std::size_t>(lines, 1);
  const auto last_page = [this](std::size_t count) { return count > lines_ ? count - lines_ : 0; };
  if (selected_ < first_process_) first_process_ = selected_;
  if (selected_ >= first_process_ + lines_) first_process_ = selected_ - lines_ + 1;
  first_process_ = std::min(first_process_, last_page(processes_.size()));
  first_row_ = std::min(first_row_, last_page(opened_lines()));
}

bool TopControls::reversed() const {
  if (shows_channels()) return channels_.reversed();
  return opened() ? rows_reversed_ : processes_reversed_;
}

std::string_view TopControls::sort_title() const {
  if (shows_channels()) return channels_.sort_title();
  return opened() ? kRowSorts[index_of(kRowSorts, row_sort_)].title
                  : kProcessSorts[index_of(kProcessSorts, process_sort_)].title;
}

void TopControls::move_to(std::ptrdiff_t line) {
  const auto count = static_cast<std::ptrdiff_t>(opened_ ? opened_lines() : processes_.size());
  const auto to = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(line, 0, std::max<std::ptrdiff_t>(count - 1, 0)));
  if (opened_) {
    first_row_ = to;
    return;
  }
  selected_ = to;
  chosen_.reset();
  if (line > 0 && to < processes_.size()) chosen_ = processes_[to]->key;
}

void TopControls::sort_by(std::size_t index) {
  if (opened_) {
    rows_reversed_ = kRowSorts[index].sort == row_sort_ && !rows_reversed_;
    row_sort_ = kRowSorts[index].sort;
  } else {
    processes_reversed_ = kProcessSorts[index].sort == process_sort_ && !processes_reversed_;
    process_sort_ = kProcessSorts[index].sort;
  }
}

void TopControls::move_sort(int by) {
  if (shows_channels()) {
    channels_.move_sort(by);
    return;
  }
  const std::size_t count = opened_ ? kRowSorts.size() : kProcessSorts.size();
  const std::size_t now =
      opened_ ? index_of(kRowSorts, row_sort_) : index_of(kProcessSorts, process_sort_);
  sort_by((now + count + static_cast<std::size_t>(by)) % count);
}

// What is open stays so, and shows its rows, files, peers or ports.
void TopControls::open(std::optional<ChannelKind> channels) {
  if (!opened_ && processes_.empty()) return;
  first_row_ = 0;
  channels_opened_ = channels;
  channels_.filter.clear();
  if (opened_) return;
  opened_ = processes_[selected_];
  opened_sample_ = sample_;
  opened_ungrouped_ = ungrouped_;
  chosen_ = opened_->key;  // so that coming back finds it
}

void TopControls::close() {
  opened_ = nullptr;
  opened_sample_.reset();
  opened_ungrouped_.reset();
  channels_opened_.reset();
}

bool TopControls::press_in_filter(const KeyPress& key) {
  switch (key.kind) {
    case KeyPress::enter: editing_ = false; break;
    case KeyPress::escape:
      edited_filter() = filter_before_;
      editing_ = false;
      break;
    case KeyPress::backspace:
      if (edited_filter().empty()) editing_ = false;
      remove_last_character(edited_filter());
      break;
    case KeyPress::character:
      if (key.code >= ' ' && edited_filter().size() < kFilterBytes)
        append_utf8(edited_filter(), key.code);
      break;
    default: return false;
  }
  return true;
}

void TopControls::press_letter(char letter) {
  switch (letter) {
    case 'h':
    case '?': help_ = true; return;
    case 'f': open(ChannelKind::files); return;
    case 'p':
      open(shows_channels() && channels_.kind() == ChannelKind::peers ? ChannelKind::ports
                                                                      : ChannelKind::peers);
      return;
    case ' ':
      paused_ = !paused_;
      take_newest();
      return;
    case 't': totals_ = !totals_; return;
    case 'g':
      if (opened_) return;
      group_by(static_cast<TopGroup>((static_cast<int>(group_) + 1) % kTopGroups));
      return;
    case 'r':
      if (shows_channels())
        channels_.reverse();
      else
        (opened_ ? rows_reversed_ : processes_reversed_) ^= true;
      return;
    case '<': move_sort(-1); return;
    case '>': move_sort(1); return;
    case '/':
      if (opened_ && !shows_channels()) return;
      filter_before_ = filter();
      editing_ = true;
      return;
    default: break;
  }
  const auto sort_among = [&](const auto& sorts) {
    const auto found = std::find_if(sorts.begin(), sorts.end(),
                                    [&](const auto& key) { return key.letter == letter; });
    if (found != sorts.end()) sort_by(static_cast<std::size_t>(found - sorts.begin()));
  };
  if (shows_channels())
    channels_.sort_by(letter);
  else if (opened_)
    sort_among(kRowSorts);
  else
    sort_among(kProcessSorts);
}

bool TopControls::press(const KeyPress& key) {
  if (key.kind == KeyPress::none || key.kind == KeyPress::resized) return true;
  if (help_) {
    help_ = false;
    return !(key.kind == KeyPress::character && key.code == 'q');
  }
  if (editing_ && press_in_filter(key)) {
    arrange();
    return true;
  }
  const auto line = static_cast<std::ptrdiff_t>(opened_ ? first_row_ : selected_);
  const auto page = static_cast<std::ptrdiff_t>(lines_);
  switch (key.kind) {
    case KeyPress::up: move_to(line - 1); break;
    case KeyPress::down: move_to(line + 1); break;
    case KeyPress::page_up: move_to(line - page); break;
    case KeyPress::page_down: move_to(line + page); break;
    case KeyPress::home: move_to(0); break;
    case KeyPress::end: move_to(PTRDIFF_MAX); break;
    case KeyPress::left: move_sort(-1); break;
    case KeyPress::right: move_sort(1); break;
    case KeyPress::enter: open(std::nullopt); break;
    case KeyPress::escape:
    case KeyPress::backspace:
      if (shows_channels() && !channels_.filter.empty())
        channels_.filter.clear();
      else if (opened_)
        close();
      else
        filter_.clear();
      break;
    case KeyPress::character:
      if (key.code == 'q') return false;
      if (key.code < 0x80) press_letter(static_cast<char>(key.code));
      break;
    default: break;
  }
  arrange();
  return true;
}

}  // namespace zctrace
