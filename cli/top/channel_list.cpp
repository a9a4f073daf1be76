// SPDX-License-Identifier: MIT
// The files, peers or ports of the process that is open.
#include <algorithm>

#include "cli/text/printable.h"
#include "cli/top/lists.h"
#include "cli/top/table.h"

namespace zctrace {
namespace {

constexpr std::size_t kLeastName = 20;

// Writes a table of `top` with the columns of a report's table. The first takes what the others
// leave of the line.
template <typename Record>
class ChannelList {
 public:
  ChannelList(const TopControls& controls, const ListArea& area, Columns<Record> columns)
      : controls_(controls), area_(area), report_columns_(std::move(columns)) {}

  // `sort`: what it is sorted by; nullopt: nothing.
  void add(TopColumn column, std::optional<ChannelSort> sort) {
    if (sort == controls_.channels().sort())
      column.mark = sort_mark(sort == ChannelSort::name, controls_.reversed());
    columns_.push_back(std::move(column));
  }

  // `name`: which column may be cut in the middle, because both ends of it say something.
  std::vector<Line> lines(const std::vector<Record>& records, std::size_t name) {
    drop_until_fitting(columns_, area_.width);
    columns_[name].width += area_.width - std::min(area_.width, width_of(columns_));
    std::vector<Line> lines;
    if (area_.header) lines.push_back(header_line(columns_, area_.width, area_.unicode));
    const std::size_t end = std::min(records.size(), controls_.first_line() + area_.height);
    for (std::size_t i = controls_.first_line(); i < end; ++i) {
      std::vector<Span> cells;
      for (const TopColumn& column : columns_)
        cells.push_back(cell_of(report_columns_, column.column, records[i]));
      cells[name].text = cut_in_middle(cells[name].text, columns_[name].width, area_.unicode);
      lines.push_back(table_line(columns_, cells, area_.width, area_.unicode, std::nullopt));
    }
    return lines;
  }

 private:
  const TopControls& controls_;
  const ListArea& area_;
  Columns<Record> report_columns_;
  std::vector<TopColumn> columns_;
};

struct Sizes {
  std::size_t bytes;
  std::size_t count;
};

Sizes sizes_of(const ListArea& area) {
  return area.width >= kWideScreen ? Sizes{10, 9} : Sizes{7, 7};
}

Wording wording_of(const ListArea& area) {
  Wording wording;
  wording.unicode = area.unicode;
  return wording;
}

std::vector<Line> file_lines(const TopControls& controls, const CompactNumerals& numerals,
                             const ListArea& area) {
  const Sizes size = sizes_of(area);
  ChannelList<FileLine> list(controls, area, file_columns(wording_of(area), numerals));
  list.add({"FILE", "FILE", "FILE", kLeastName, false}, ChannelSort::name);
  list.add({"READ", controls.rate("READ"), "READ", size.bytes}, ChannelSort::in);
  list.add({"WRITTEN", controls.rate("WRITTEN"), "WRITTEN", size.bytes}, ChannelSort::out);
  list.add({"MAPPED", controls.rate("MAPPED"), "MAPPED", size.bytes, true, 1}, ChannelSort::mapped);
  list.add({"COPIES", "COPIES", "COPY", 6, true, 3}, ChannelSort::copied);
  list.add({"FROM DISK", controls.rate("DISK"), "DISK", size.bytes, true, 2}, ChannelSort::disk);
  list.add({"CALLS", controls.rate("CALLS"), "CALLS", size.count, true, 4}, ChannelSort::calls);
  if (area.width >= kWideScreen) list.add({"BY", "BY", "BY", 18, false, 5}, std::nullopt);
  return list.lines(controls.channels().files(), 0);
}

std::vector<Line> peer_lines(const TopControls& controls, const CompactNumerals& numerals,
                             const ListArea& area) {
  const Sizes size = sizes_of(area);
  ChannelList<PeerLine> list(controls, area, peer_columns(wording_of(area), numerals));
  list.add({"KIND", "KIND", "KIND", 5, false}, std::nullopt);
  list.add({"LOCAL - REMOTE", "LOCAL - REMOTE", "LOCAL - REMOTE", kLeastName, false},
           ChannelSort::name);
  list.add({"SENT", controls.rate("SENT"), "SENT", size.bytes}, ChannelSort::out);
  list.add({"RECEIVED", controls.rate("RECEIVED"), "RECVD", size.bytes}, ChannelSort::in);
  list.add({"COPIES", "COPIES", "COPY", 6, true, 2}, ChannelSort::copied);
  list.add({"RESENT", controls.rate("RESENT"), "RESENT", 6, true, 3}, ChannelSort::resent);
  list.add({"CALLS", controls.rate("CALLS"), "CALLS", size.count, true, 1}, ChannelSort::calls);
  if (area.width >= kWideScreen) list.add({"BY", "BY", "BY", 18, false, 5}, std::nullopt);
  return list.lines(controls.channels().peers(), 1);
}

std::vector<Line> port_lines(const TopControls& controls, const CompactNumerals& numerals,
                             const ListArea& area) {
  const Sizes size = sizes_of(area);
  std::vector<PortUse> ports;
  for (const PortUse* use : controls.channels().ports()) ports.push_back(*use);
  ChannelList<PortUse> list(controls, area, port_columns(wording_of(area), numerals));
  list.add({"PORT", "PORT", "PORT", 12, false}, ChannelSort::name);
  list.add({"AS", "AS", "AS", 6, false}, std::nullopt);
  list.add({"PEERS", "PEERS", "PEERS", size.count, true, 1}, std::nullopt);
  list.add({"SENT", controls.rate("SENT"), "SENT", size.bytes}, ChannelSort::out);
  list.add({"RECEIVED", controls.rate("RECEIVED"), "RECVD", size.bytes}, ChannelSort::in);
  list.add({"COPIES", "COPIES", "COPY", 6, true, 2}, ChannelSort::copied);
  list.add({"RESENT", controls.rate("RESENT"), "RESENT", 6, true, 3}, ChannelSort::resent);
  list.add({"CALLS", controls.rate("CALLS"), "CALLS", size.count, true, 1}, ChannelSort::calls);
  return list.lines(ports, 0);
}

std::string empty_text(const TopControls& controls) {
  const ChannelPane& pane = controls.channels();
  const char* const what = pane.kind() == ChannelKind::files   ? "file"
                           : pane.kind() == ChannelKind::peers ? "peer"
                                                               : "port";
  if (!controls.sample().channels)
    return std::string("not counted, because of ") +
           (controls.sample().duty ? "--duty" : "--no-files");
  if (!pane.filter.empty()) return std::string("no ") + what + " matches the filter; / changes it";
  if (controls.totals()) return std::string("no ") + what + " was used";
  return std::string("no ") + what + " was used in this interval; t shows the totals";
}

}  // namespace

std::vector<Line> channel_list(const TopControls& controls, const CompactNumerals& numerals,
                               const ListArea& area) {
  std::vector<Line> lines;
  switch (controls.channels().kind()) {
    case ChannelKind::files: lines = file_lines(controls, numerals, area); break;
    case ChannelKind::peers: lines = peer_lines(controls, numerals, area); break;
    case ChannelKind::ports: lines = port_lines(controls, numerals, area); break;
  }
  if (controls.channels().size() == 0)
    lines.push_back({{cut_to_width(empty_text(controls), area.width, area.unicode), Style::dim}});
  return lines;
}

}  // namespace zctrace
