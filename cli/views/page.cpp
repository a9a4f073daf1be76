// SPDX-License-Identifier: MIT
// Columns that fit, lines that break, colours only where the style has them.
#include "cli/views/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

constexpr std::size_t kProseWidth = 120;  // longer lines are hard to read
constexpr std::size_t kMinTextWidth = 6;
constexpr std::size_t kLabelWidth = 17;
constexpr std::size_t kLeastProseWidth = 8;

std::string_view escape_sequence(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::dim: return "\x1b[2m";
    case Tone::good: return "\x1b[32m";
    case Tone::warning: return "\x1b[1;31m";
  }
  return "";
}

std::vector<std::string> atoms_of(const std::vector<std::string>& items, std::size_t width) {
  std::vector<std::string> atoms;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "");
    if (display_width(item) <= width) {
      atoms.push_back(item);
      continue;
    }
    for (std::size_t at = 0; at < item.size();) {
      const std::size_t space = std::min(item.find(' ', at), item.size());
      atoms.push_back(item.substr(at, space - at));
      at = space + 1;
    }
  }
  return atoms;
}

// Which columns are shown, how wide and how far apart.
struct Layout {
  std::vector<std::size_t> columns;
  std::vector<std::size_t> widths;  // by column of the grid
  std::size_t gap = 2;

  std::size_t total() const {
    std::size_t sum = columns.empty() ? 0 : (columns.size() - 1) * gap;
    for (const std::size_t column : columns) sum += widths[column];
    return sum;
  }
};

// Whether no cell of the column says anything.
bool is_idle(const Grid& grid, std::size_t column) {
  if (grid.columns[column].zeros_tell) return false;
  const bool figures = grid.columns[column].right_aligned;
  return std::all_of(grid.lines.begin(), grid.lines.end(), [&](const std::vector<Cell>& line) {
    const std::string& text = line[column].text;
    return text.empty() || text == "-" ||
           (figures && text.find_first_of("123456789") == std::string::npos);
  });
}

Layout lay_out(const Grid& grid, std::size_t limit) {
  Layout layout;
  std::vector<std::size_t> natural;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    std::size_t width = display_width(grid.columns[i].title);
    for (const auto& line : grid.lines)
      if (!line[i].spans_rest) width = std::max(width, display_width(line[i].text));
    natural.push_back(width);
    layout.columns.push_back(i);
  }
  layout.widths = natural;
  if (limit == 0) return layout;
  if (limit < kNarrowWidth) layout.gap = 1;

  for (std::size_t i = 0; i < natural.size(); ++i) {
    const std::size_t floor = grid.columns[i].min_width;
    if (floor > 0) layout.widths[i] = std::min(natural[i], floor);
  }
  const auto dispensable = [&grid](std::size_t column) {
    const unsigned rank = grid.columns[column].rank;
    return std::pair(rank != 0 && is_idle(grid, column), rank);
  };
  while (layout.total() > limit) {
    const auto least = std::max_element(
        layout.columns.begin(), layout.columns.end(),
        [&dispensable](std::size_t a, std::size_t b) { return dispensable(a) < dispensable(b); });
    if (grid.columns[*least].rank == 0) break;
    layout.columns.erase(least);
  }
  if (layout.total() > limit) layout.gap = 1;
  // Text is truncated, digits never are. If that is not enough, whole columns are left out.
  while (layout.total() > limit) {
    std::size_t* widest = nullptr;
    for (const std::size_t column : layout.columns) {
      std::size_t& width = layout.widths[column];
      if (!grid.columns[column].right_aligned && (widest == nullptr || width > *widest)) {
        widest = &width;
      }
    }
    if (widest == nullptr || *widest <= kMinTextWidth) break;
    --*widest;
  }
  while (layout.total() > limit && layout.columns.size() > 1) layout.columns.pop_back();
  for (const std::size_t column : layout.columns) {
    if (grid.columns[column].min_width == 0 || layout.total() >= limit) continue;
    const std::size_t spare = limit - layout.total();
    layout.widths[column] = std::min(natural[column], layout.widths[column] + spare);
  }
  return layout;
}

}  // namespace

void Page::title(const std::string& text) {
  const std::string line = cut_to_width(text, prose_width(), style_.unicode);
  text_ += style_.colour ? fmt::format("\x1b[1m{}\x1b[0m\n", line) : line + '\n';
}

void Page::line(const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) text_ += painted(cell.text, cell.tone);
  text_ += '\n';
}

void Page::items(const std::vector<std::string>& items, std::string_view label, Tone tone) {
  // On a very narrow terminal a label has a line of its own.
  const bool beside = prose_width() >= 2 * kLabelWidth;
  const std::size_t indent = label.empty() ? 0 : beside ? kLabelWidth : 2;
  std::string block = beside || label.empty()
                          ? fmt::format("{:<{}}", label, indent)
                          : fmt::format("{}\n{}", label, std::string(indent, ' '));
  std::size_t used = indent;
  for (const std::string& atom : atoms_of(items, prose_width() - indent)) {
    const std::size_t width = display_width(atom);
    if (used > indent && used + 1 + width > prose_width()) {
      block += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      block += ' ';
      ++used;
    }
    block += atom;
    used += width;
  }
  text_ += painted(block, tone) + '\n';
}

void Page::facts(const std::vector<Fact>& facts) {
  for (const Fact& fact : facts) items(fact.items, fact.label, fact.tone);
}

void Page::grid(const Grid& grid) {
  const Layout layout = lay_out(grid, style_.width);
  const auto write_line = [&](auto cell_of) {
    std::string line;
    std::size_t pending = 0;  // spaces, written only when something follows
    std::size_t begin = 0;    // where the column begins
    for (const std::size_t column : layout.columns) {
      const Cell cell = cell_of(column);
      if (cell.spans_rest) {
        const std::size_t room = style_.width > begin ? style_.width - begin : 0;
        const std::string text =
            style_.width == 0 ? cell.text : cut_to_width(cell.text, room, style_.unicode);
        line.append(pending, ' ');
        line += painted(text, cell.tone);
        break;
      }
      begin += layout.widths[column] + layout.gap;
      const std::size_t width = layout.widths[column];
      const std::string text = grid.columns[column].right_aligned
                                   ? cell.text
                                   : cut_to_width(cell.text, width, style_.unicode);
      const std::size_t used = display_width(text);
      const std::size_t space = width > used ? width - used : 0;
      const bool right = grid.columns[column].right_aligned;
      if (!text.empty()) {
        line.append(pending + (right ? space : 0), ' ');
        line += painted(text, cell.tone);
        pending = right ? 0 : space;
      } else {
        pending += width;
      }
      pending += layout.gap;
    }
    text_ += line + '\n';
  };
  write_line([&](std::size_t column) { return Cell{grid.columns[column].title, Tone::dim}; });
  for (const auto& line : grid.lines) {
    write_line([&](std::size_t column) { return line[column]; });
  }
  std::vector<std::string> hidden;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const auto& shown = layout.columns;
    if (std::find(shown.begin(), shown.end(), i) == shown.end())
      hidden.push_back(grid.columns[i].title);
  }
  const auto is_shown = [&](const ColumnNote& note) {
    return std::find(hidden.begin(), hidden.end(), note.title) == hidden.end();
  };
  std::vector<ColumnNote> legend = grid.legend;
  std::erase_if(legend, [&](const ColumnNote& note) { return !is_shown(note); });
  if (!hidden.empty()) {
    hidden.front() = "hidden for lack of width: " + hidden.front();
    items(hidden, {}, Tone::dim);
  }
  for (const ColumnNote& note : legend) items({note.text}, {}, Tone::dim);
}

void Page::sections(const std::vector<Section>& sections) {
  bool first = true;
  for (const Section& section : sections) {
    if (!std::exchange(first, false)) blank_line();
    if (!section.title.empty()) title(section.title);
    for (const std::vector<std::string>& line : section.lines) items(line);
    if (!section.grid.columns.empty()) grid(section.grid);
    for (const std::string& note : section.notes) items({note}, {}, Tone::dim);
    facts(section.facts);
  }
}

std::size_t Page::prose_width() const {
  return style_.width == 0 ? kProseWidth : std::clamp(style_.width, kLeastProseWidth, kProseWidth);
}

std::string Page::painted(std::string_view text, Tone tone) const {
  const std::string_view sequence = style_.colour ? escape_sequence(tone) : "";
  return sequence.empty() ? std::string(text) : fmt::format("{}{}\x1b[0m", sequence, text);
}

}  // namespace zctrace
