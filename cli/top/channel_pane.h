// SPDX-License-Identifier: MIT
// The files, peers or ports of the process that is open in `top`, sorted and filtered. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/views/report/channel_table.h"
#include "collector/model/channel_uses.h"

namespace zctrace {

enum class ChannelKind { files, peers, ports };

// Of files: in is what was read, out what was written. Of peers and ports: received and sent.
enum class ChannelSort { name, bytes, in, out, mapped, disk, copied, calls, resent };

struct ChannelSortKey {
  char letter;
  ChannelSort sort;
  std::string_view title;
};

inline constexpr std::array<ChannelSortKey, 8> kFileSorts{{
    {'n', ChannelSort::name, "name"},
    {'b', ChannelSort::bytes, "bytes"},
    {'i', ChannelSort::in, "bytes read"},
    {'o', ChannelSort::out, "bytes written"},
    {'m', ChannelSort::mapped, "bytes mapped"},
    {'d', ChannelSort::disk, "bytes from disk"},
    {'c', ChannelSort::copied, "bytes copied"},
    {'s', ChannelSort::calls, "calls"},
}};

inline constexpr std::array<ChannelSortKey, 7> kPeerSorts{{
    {'n', ChannelSort::name, "address"},
    {'b', ChannelSort::bytes, "bytes"},
    {'i', ChannelSort::in, "bytes received"},
    {'o', ChannelSort::out, "bytes sent"},
    {'c', ChannelSort::copied, "bytes copied"},
    {'s', ChannelSort::calls, "calls"},
    {'x', ChannelSort::resent, "segments resent"},
}};

// Owns what it lists, but not the names, which belong to the report.
class ChannelPane {
 public:
  // What these processes did with files or peers, as `report` counts them, for as long as it lives.
  void show(ChannelKind kind, const Report& report, const std::vector<const Process*>& processes);
  void clear();

  ChannelKind kind() const { return kind_; }
  // Lines, with that of the others.
  std::size_t size() const;
  const std::vector<FileLine>& files() const { return files_; }
  const std::vector<PeerLine>& peers() const { return peers_; }
  const std::vector<const PortUse*>& ports() const { return ports_; }

  // False: no column has this letter.
  bool sort_by(char letter);
  void move_sort(int by);
  void reverse() { sorting().reversed ^= true; }
  ChannelSort sort() const { return sorting().sort; }
  std::string_view sort_title() const;
  bool reversed() const { return sorting().reversed; }

  // Only those with this in their name, in upper or lower case.
  std::string filter;

 private:
  struct ChannelSorting {
    ChannelSort sort = ChannelSort::bytes;
    bool reversed = false;
  };
  ChannelSorting& sorting() { return kind_ == ChannelKind::files ? of_files_ : of_peers_; }
  const ChannelSorting& sorting() const {
    return kind_ == ChannelKind::files ? of_files_ : of_peers_;
  }
  void choose(ChannelSort sort);

  ChannelKind kind_ = ChannelKind::files;
  ChannelSorting of_files_;
  ChannelSorting of_peers_;
  FileUses file_uses_;
  PeerUses peer_uses_;
  std::vector<PortUse> port_uses_;
  // What the lists point into is above.
  std::vector<FileLine> files_;
  std::vector<PeerLine> peers_;
  std::vector<const PortUse*> ports_;
};

// "tcp 443"
std::string port_text(const PortUse& use);

}  // namespace zctrace
