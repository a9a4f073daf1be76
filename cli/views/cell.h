// SPDX-License-Identifier: MIT
// The building blocks of all output for people, without layout or wording: tables of cells, and
// lists of facts. Views fill them; Page and the Markdown view lay them out. All text has been
// through printable().
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace zctrace {

enum class Tone { plain, dim, good, warning };

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
  // Takes the place of all cells to its right, which are empty.
  bool spans_rest = false;
};

struct Column {
  std::string title;
  bool right_aligned = true;
  // 0: never left out. Of the others, the one with the greatest rank is left out first.
  unsigned rank = 0;
  // The width that a truncated column keeps. 0: never truncated.
  std::size_t min_width = 0;
  // A column without any figure but 0 says nothing, and is left out before all others. Not this
  // one.
  bool zeros_tell = false;
};

// What a title means; shown where its column is.
struct ColumnNote {
  std::string title;
  std::string text;
};

struct Grid {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> lines;  // each as long as columns
  std::vector<ColumnNote> legend;
};

// "label  item, item, item"
struct Fact {
  std::string label;
  std::vector<std::string> items;
  Tone tone = Tone::plain;
};

// A part of a report: its title, lines of items, a table, notes on what the table leaves out or
// means as a whole, and facts. Each may be empty.
struct Section {
  std::string title;
  std::vector<std::vector<std::string>> lines;  // each a list of items
  Grid grid;
  std::vector<std::string> notes;
  std::vector<Fact> facts;
};

}  // namespace zctrace
