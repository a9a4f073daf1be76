// SPDX-License-Identifier: MIT
// The tables of files and peers, each line with the method that it belongs to.
#include "cli/views/compare/by_channel_view.h"

#include <cstdint>
#include <utility>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

// A method moves bytes between two of each, as a rule.
constexpr std::size_t kLines = 5;

// What one process of a method did: the client, or the daemon.
template <typename Use>
void for_each_side(const CompareResult& compared, Use use) {
  for (const MethodResult& result : compared.methods) {
    if (!result.counted()) continue;
    if (result.by_channel) use(result.label, *result.by_channel);
    if (result.daemon && result.daemon->by_channel)
      use(result.label + " daemon", *result.daemon->by_channel);
  }
}

// An empty table with these columns, behind one for the method.
template <typename Record>
Grid empty_grid(const Columns<Record>& columns) {
  Grid grid = grid_of(columns, std::vector<Record>());
  grid.columns.insert(grid.columns.begin(), Column{"METHOD", false, 0, 0});
  return grid;
}

template <typename Record, typename Uses>
void add_lines(Grid& grid, const std::string& label, const Columns<Record>& columns,
               const Uses& uses) {
  std::string method = label;  // in its first line only
  for (const Record& line : channel_lines(uses)) {
    std::vector<Cell> cells = line_of(columns, line);
    cells.insert(cells.begin(), Cell{std::exchange(method, "")});
    grid.lines.push_back(std::move(cells));
  }
}

template <typename Record, typename Uses>
void add_records(std::vector<std::vector<std::string>>& records, const std::string& label,
                 const Columns<Record>& columns, const Uses& uses) {
  for (const Record& line : channel_lines(uses)) {
    records.push_back(csv_values(columns, line));
    records.back().insert(records.back().begin(), label);
  }
}

}  // namespace

Section by_channel_section(const CompareResult& compared, GroupBy by, const Wording& wording) {
  Section section;
  const bool files = by == GroupBy::file;
  section.title = std::string(files ? "By file" : "By peer") + ", in the run that was observed";
  const Columns<FileLine> of_files = file_columns(wording);
  const Columns<PeerLine> of_peers = peer_columns(wording);
  section.grid = files ? empty_grid(of_files) : empty_grid(of_peers);
  for_each_side(compared, [&](const std::string& label, const Report& report) {
    if (files)
      add_lines(section.grid, label, of_files, files_of(report, kLines));
    else
      add_lines(section.grid, label, of_peers, peers_of(report, kLines));
  });
  if (section.grid.lines.empty()) {
    section.grid = {};
    section.lines = {{files ? "no method used a file" : "no method used a socket or pipe"}};
  }
  return section;
}

std::vector<std::vector<std::string>> by_channel_csv(const CompareResult& compared, GroupBy by,
                                                     const ChannelLimits& limits) {
  std::vector<std::vector<std::string>> records;
  const bool files = by == GroupBy::file;
  records.push_back(files ? csv_names(file_columns({})) : csv_names(peer_columns({})));
  records.back().insert(records.back().begin(), "method");
  for_each_side(compared, [&](const std::string& label, const Report& report) {
    if (files)
      add_records(records, label, file_columns({}), files_of(report, limits.files));
    else
      add_records(records, label, peer_columns({}), peers_of(report, limits.peers));
  });
  return records;
}

}  // namespace zctrace
