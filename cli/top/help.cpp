// SPDX-License-Identifier: MIT
// Each key, and what the columns mean.
#include "cli/top/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "cli/top/controls.h"

namespace zctrace {
namespace {

using KeyHelp = std::pair<std::string_view, std::string_view>;

constexpr KeyHelp kKeys[] = {
    {"q, Ctrl-C", "quit"},
    {"Enter", "show the syscalls and flows of the selected line"},
    {"f", "show the files of the selected line"},
    {"p", "show its peers (sockets, pipes); again: the ports of these"},
    {"Esc, Backspace", "go back; in the list: clear the filter"},
    {"arrows, PgUp, PgDn", "select, scroll; Home: follow the first line"},
    {"/", "filter by name, PID, path or address; totals: what matches"},
    {"g", "group by name, unit or container"},
    {"Space", "pause and resume the display (counting continues)"},
    {"t", "totals since the start, or per second"},
    {"<, >, r", "sort by the next column; reverse"},
    {"h, ?", "this list; any key closes it"},
};

// What the figures mean.
constexpr std::string_view kMeanings[] = {
    "copied: through user space, in and out; in kernel: sendfile, splice, tee,",
    "copy_file_range, clones; delivered: to a file, socket or another process;",
    "COPY: CPU copies of each delivered byte, in a row of each byte; zero-copy: the",
    "share without any (>=: at least); HOW: what became of the bytes;",
    "switches: voluntary/involuntary;",
    "K, M, G: powers of 1024 for bytes, of 1000 for counts",
};
static_assert(std::all_of(std::begin(kMeanings), std::end(kMeanings),
                          [](std::string_view line) { return line.size() <= 80; }));

template <typename Sorts>
std::string letters(const Sorts& sorts) {
  std::string list;
  for (const auto& sort : sorts)
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", sort.letter, sort.title);
  return list;
}

class HelpPage {
 public:
  HelpPage(std::size_t width, std::size_t height, bool unicode)
      : width_(width), height_(height), unicode_(unicode) {}

  std::vector<Line> take() {
    const std::size_t column = width_ >= 64 ? 20 : 11;
    if (height_ > std::size(kKeys) + 8) add({{"zctrace top: keys", Style::bold}});
    for (const auto& [name, what] : kKeys)
      add({{padded(std::string(name), column, false, unicode_), Style::bold}, {std::string(what)}});
    add_list("Sort the processes by", letters(kProcessSorts));
    add_list("Sort the rows of a process by", letters(kRowSorts));
    add_list("Sort its files by", letters(kFileSorts));
    add_list("Sort its peers and ports by", letters(kPeerSorts));
    if (height_ > lines_.size() + std::size(kMeanings)) {
      add({});
      for (const std::string_view meaning : kMeanings) add({{std::string(meaning)}});
    }
    return std::move(lines_);
  }

 private:
  void add(const Line& line) {
    if (lines_.size() >= height_) return;
    LineWriter writer(width_, unicode_);
    for (const Span& span : line) writer.add(span.text, span.style);
    lines_.push_back(writer.take());
  }

  // Continues on the next line if the screen is narrow.
  void add_list(const std::string& label, std::string words) {
    add({{label, Style::bold}});
    const std::size_t width = width_ > 4 ? width_ - 2 : width_;
    while (!words.empty()) {
      std::size_t cut = words.size() <= width ? words.size() : words.rfind(", ", width - 1);
      if (cut == std::string::npos || cut == 0)
        cut = std::min(width, words.size());
      else if (cut < words.size())
        cut += 1;
      add({{"  " + words.substr(0, cut)}});
      words.erase(0, std::min(words.size(), words.find_first_not_of(' ', cut)));
    }
  }

  std::size_t width_;
  std::size_t height_;
  bool unicode_;
  std::vector<Line> lines_;
};

}  // namespace

std::vector<Line> help_page(std::size_t width, std::size_t height, bool unicode) {
  return HelpPage(width, height, unicode).take();
}

}  // namespace zctrace
