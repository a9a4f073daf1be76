// SPDX-License-Identifier: MIT
// What the two views for people, terminal and Markdown, say: a report as short texts
// and tables of cells, before any layout. Rearranges a report's figures, adds none.
// All text has been through printable().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

enum class GroupBy { process, thread, syscall, flow };

std::optional<GroupBy> parse_group_by(std::string_view text);

enum class Tone { plain, dim, good, warning };

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

struct Column {
  std::string title;
  bool right_aligned = true;
  // 0: never left out. Of the others the one with the greatest rank goes first.
  unsigned rank = 0;
  // Of a column that may be cut: what it keeps. 0: not to be cut.
  std::size_t min_width = 0;
};

struct Grid {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> lines;  // each as long as columns
};

// "label  item, item, item"
struct Fact {
  std::string label;
  std::vector<std::string> items;
  Tone tone = Tone::plain;
};

struct Wording {
  bool unicode = false;
  bool narrow = false;  // "file>sock" for "file -> socket"
  bool latency = true;  // false: no column shows a time inside a call
};

// The rows of one process or of a sum, then what happened outside them and their total.
// `by` is syscall or flow; absent: one line each (syscall, from, to).
Grid rows_grid(const Process& process, std::optional<GroupBy> by, const Wording& wording);

// One line a process or thread, those that moved the most bytes first, at most kProcessLines;
// then one for the others, if any.
inline constexpr std::size_t kProcessLines = 20;
Grid processes_grid(const Report& report, const Wording& wording);
// What that does not show, "" where it shows all.
std::string processes_left_out(const Report& report, const Wording& wording);

// As processes_grid orders them.
std::vector<const Process*> by_bytes(const std::vector<Process>& processes);

std::string report_title(const Report& report, const Wording& wording);
std::string process_title(const Process& process, const Wording& wording);

// "exit 0", "1.23 s", "Linux 6.18 x86_64" …
std::vector<std::string> report_circumstances(const Report& report, const Wording& wording);
// CPU time, faults, memory, switches of a process or a sum.
std::vector<std::string> resource_items(const Process& process, bool is_sum);

// Crossings, copied, in kernel, delivered, zero-copy share, and all per GB.
std::vector<Fact> derived_facts(const Process& process, std::uint64_t delivered_bytes,
                                std::uint64_t zero_copy_bytes, const Wording& wording);
// Of one count; "-" where too little moved to extrapolate.
std::string per_gb_text(std::uint64_t count, std::uint64_t bytes);
std::vector<Fact> completeness_facts(const Completeness& completeness);

}  // namespace zctrace
