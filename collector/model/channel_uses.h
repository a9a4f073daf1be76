// SPDX-License-Identifier: MIT
// A report by file, by peer and by port: its flows, added up. Pure. Sizes are bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

// What processes did with one file, or with several.
struct FileUse {
  ChannelId file;
  const ChannelName* name = nullptr;  // nullptr: not known; as long as the report
  std::uint64_t read_bytes = 0;       // by calls that read from it
  std::uint64_t written_bytes = 0;
  // By calls with it at either end: a copy from file to file counts for both.
  std::uint64_t cpu_copied_bytes = 0;
  std::optional<std::uint64_t> disk_read_bytes = 0;  // nullopt: not known of every row
  // By page faults, in whole pages; nullopt: not counted.
  std::optional<std::uint64_t> mapped_bytes;
  std::set<std::int64_t> processes;
  std::vector<Row> rows;
};

// What processes did with one socket or pipe, or with several.
struct PeerUse {
  ChannelId peer;
  const ChannelName* name = nullptr;
  Protocol protocol = Protocol::none;  // none: a pipe
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t cpu_copied_bytes = 0;
  // Segments that TCP sent again; nullopt: not counted, or another protocol.
  std::optional<std::uint64_t> retransmits;
  std::set<std::int64_t> processes;
  std::vector<Row> rows;
};

// The sockets with the same port at the service's end.
struct PortUse {
  Protocol protocol = Protocol::none;
  std::uint32_t port = 0;
  bool serves = false;  // the processes are at that end
  std::uint64_t peers = 0;
  PeerUse sum;
};

// The largest, and the sum of the others: what no listed file has of the rows, so that the sums
// over both equal those of the rows.
template <typename Use>
struct ChannelUses {
  std::vector<Use> listed;   // the ones with the most bytes come first
  std::uint64_t others = 0;  // known to be summed; there may be more
  Use other;
};

using FileUses = ChannelUses<FileUse>;
using PeerUses = ChannelUses<PeerUse>;

// Of all processes of a report, or of one or several of them. `most`: how many are listed.
FileUses files_of(const Report& report, std::size_t most);
FileUses files_of(const Report& report, const Process& process, std::size_t most);
FileUses files_of(const Report& report, const std::vector<const Process*>& processes,
                  std::size_t most);
PeerUses peers_of(const Report& report, std::size_t most);
PeerUses peers_of(const Report& report, const Process& process, std::size_t most);
PeerUses peers_of(const Report& report, const std::vector<const Process*>& processes,
                  std::size_t most);

// Sockets by the port of the service: the local one if a program chose it, else the remote one.
std::vector<PortUse> ports_of(const PeerUses& peers);

// Whether a row's end of this kind is in files_of(), or in peers_of().
bool is_file(Kind kind);
bool is_peer(Kind kind);

std::uint64_t calls_of(const std::vector<Row>& rows);

// What a person reads: "/srv/file (deleted)", "…/file", or the inode where there is no name.
std::string file_text(const FileUse& use);
// "127.0.0.1:80 - 127.0.0.1:51234", "pipe:[4711]".
std::string peer_text(const PeerUse& use);

}  // namespace zctrace
