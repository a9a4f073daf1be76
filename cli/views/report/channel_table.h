// SPDX-License-Identifier: MIT
// The tables of files, peers and ports, and their columns in CSV. Rearranges a report's figures,
// adds none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/columns.h"
#include "cli/views/wording.h"
#include "collector/model/channel_uses.h"

namespace zctrace {

// A line of a table of files or peers: one of them, or the sum of several.
template <typename Use>
struct ChannelLine {
  const Use* use;
  bool is_sum = false;
  std::uint64_t summed = 0;  // how many, as far as known
};

using FileLine = ChannelLine<FileUse>;
using PeerLine = ChannelLine<PeerUse>;

// How many of each a report lists.
struct ChannelLimits {
  std::size_t files = 1000;
  std::size_t peers = 1000;
};

// `numerals` must outlive the columns.
Columns<FileLine> file_columns(const Wording& wording, const Numerals& numerals = full_numerals());
Columns<PeerLine> peer_columns(const Wording& wording, const Numerals& numerals = full_numerals());
Columns<PortUse> port_columns(const Wording& wording, const Numerals& numerals = full_numerals());

// The lines of `uses`, then one for the others if they moved anything.
template <typename Use>
std::vector<ChannelLine<Use>> channel_lines(const ChannelUses<Use>& uses);

// `by` is file, peer or port. At most as many lines as a screen shows.
Section channel_section(const Report& report, GroupBy by, const Wording& wording);
// The header and a record each.
std::vector<std::vector<std::string>> channel_csv(const Report& report, GroupBy by,
                                                  const ChannelLimits& limits);

// Whether `by` asks for one of these tables.
bool is_by_channel(std::optional<GroupBy> by);

}  // namespace zctrace
