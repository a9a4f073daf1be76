// SPDX-License-Identifier: MIT
// Columns of files, peers and ports.
#include "cli/views/report/channel_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"

namespace zctrace {
namespace {

constexpr std::size_t kLines = 20;      // of a table for people
constexpr std::size_t kLeastName = 24;  // columns that a name keeps

template <typename Record>
RecordColumn<Record> column(Column shown, std::function<Cell(const Record&)> cell, std::string name,
                            std::function<std::string(const Record&)> csv) {
  return {std::move(shown), std::move(cell), std::move(name), std::move(csv)};
}

template <typename Record>
RecordColumn<Record> csv_only(std::string name, std::function<std::string(const Record&)> csv) {
  return column<Record>({}, nullptr, std::move(name), std::move(csv));
}

template <typename Record>
RecordColumn<Record> bytes_column(const char* title, const Numerals& numerals, std::string name,
                                  std::function<std::uint64_t(const Record&)> value) {
  return column<Record>(
      {title, true},
      [value, &numerals](const Record& record) -> Cell { return {numerals.bytes(value(record))}; },
      std::move(name), [value](const Record& record) { return fmt::format("{}", value(record)); });
}

// A figure that may not be known, written by one of the numerals.
template <typename Record>
RecordColumn<Record> optional_column(
    Column shown, const Numerals& numerals, std::string (Numerals::*text)(std::uint64_t) const,
    std::string name, std::function<std::optional<std::uint64_t>(const Record&)> value) {
  return column<Record>(
      std::move(shown),
      [value, text, &numerals](const Record& record) -> Cell {
        const auto known = value(record);
        return {known ? (numerals.*text)(*known) : "-"};
      },
      std::move(name),
      [value](const Record& record) {
        const auto known = value(record);
        return known ? fmt::format("{}", *known) : std::string();
      });
}

// "read, pwrite64": the ways with the most bytes first. A mapping that has page faults is one, too.
std::string ways_text(const std::vector<Row>& rows, std::uint64_t mapped_bytes) {
  std::vector<std::pair<std::uint64_t, std::string>> ways;
  for (const Row& row : rows) ways.emplace_back(row.bytes, row.syscall);
  if (mapped_bytes != 0) ways.emplace_back(mapped_bytes, "mmap");
  std::stable_sort(ways.begin(), ways.end(),
                   [](const auto& one, const auto& other) { return one.first > other.first; });
  std::vector<std::string> names;
  for (auto& [bytes, name] : ways)
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  return printable(fmt::format("{}", fmt::join(names, ", ")), true);
}

std::string calls_text(const FileUse& use) {
  return ways_text(use.rows, use.mapped_bytes.value_or(0));
}
std::string calls_text(const PeerUse& use) { return ways_text(use.rows, 0); }

std::string processes_text(const std::set<std::int64_t>& processes) {
  return fmt::format("{}", fmt::join(processes, " "));
}

template <typename Use>
void add_common(Columns<ChannelLine<Use>>& columns) {
  columns.push_back(csv_only<ChannelLine<Use>>(
      "cpu_copied_bytes",
      [](const ChannelLine<Use>& line) { return fmt::format("{}", line.use->cpu_copied_bytes); }));
}

template <typename Use>
void add_calls(Columns<ChannelLine<Use>>& columns, const Numerals& numerals) {
  columns.push_back(column<ChannelLine<Use>>(
      {"CALLS", true, 3},
      [&numerals](const ChannelLine<Use>& line) -> Cell {
        return {line.is_sum ? "" : numerals.count(calls_of(line.use->rows))};
      },
      "calls",
      [](const ChannelLine<Use>& line) {
        return line.is_sum ? "" : fmt::format("{}", calls_of(line.use->rows));
      }));
  columns.push_back(column<ChannelLine<Use>>(
      {"BY", false, 4, 8},
      [](const ChannelLine<Use>& line) -> Cell { return {calls_text(*line.use)}; }, "syscalls",
      [](const ChannelLine<Use>& line) { return calls_text(*line.use); }));
  columns.push_back(csv_only<ChannelLine<Use>>("processes", [](const ChannelLine<Use>& line) {
    return processes_text(line.use->processes);
  }));
}

template <typename Use>
std::string other_text(const ChannelLine<Use>& line, const char* one, const char* several) {
  return line.summed == 0
             ? fmt::format("(other {})", several)
             : fmt::format("({} other {})", line.summed, line.summed == 1 ? one : several);
}

std::string file_name(const ChannelLine<FileUse>& line, bool unicode) {
  return line.is_sum ? other_text(line, "file", "files") : printable(file_text(*line.use), unicode);
}

std::string peer_name(const ChannelLine<PeerUse>& line, bool unicode) {
  return line.is_sum ? other_text(line, "peer", "peers") : printable(peer_text(*line.use), unicode);
}

std::string_view protocol_text(Protocol protocol) {
  return protocol == Protocol::none ? "pipe" : protocol_name(protocol);
}

template <typename Use>
bool moved_anything(const Use& use);
template <>
bool moved_anything(const FileUse& use) {
  return (use.read_bytes | use.written_bytes | use.mapped_bytes.value_or(0)) != 0;
}
template <>
bool moved_anything(const PeerUse& use) {
  return (use.sent_bytes | use.received_bytes) != 0;
}

template <typename Record>
std::vector<std::vector<std::string>> records(const Columns<Record>& columns,
                                              const std::vector<Record>& lines) {
  std::vector<std::vector<std::string>> records = {csv_names(columns)};
  for (const Record& line : lines) records.push_back(csv_values(columns, line));
  return records;
}

}  // namespace

Columns<FileLine> file_columns(const Wording& wording, const Numerals& numerals) {
  Columns<FileLine> columns;
  columns.push_back(column<FileLine>(
      {"FILE", false, 0, kLeastName},
      [unicode = wording.unicode](const FileLine& line) -> Cell {
        return {file_name(line, unicode)};
      },
      "path", [](const FileLine& line) { return file_name(line, true); }));
  columns.push_back(csv_only<FileLine>("device", [](const FileLine& line) {
    return line.is_sum ? "" : device_text(line.use->file.device);
  }));
  columns.push_back(csv_only<FileLine>("inode", [](const FileLine& line) {
    return line.is_sum ? "" : fmt::format("{}", line.use->file.inode);
  }));
  columns.push_back(csv_only<FileLine>("filesystem", [](const FileLine& line) {
    return line.use->name == nullptr ? "" : printable(line.use->name->file_system, true);
  }));
  columns.push_back(bytes_column<FileLine>(
      "READ", numerals, "read_bytes", [](const FileLine& line) { return line.use->read_bytes; }));
  columns.push_back(
      bytes_column<FileLine>("WRITTEN", numerals, "written_bytes",
                             [](const FileLine& line) { return line.use->written_bytes; }));
  columns.push_back(column<FileLine>(
      {"COPIES", true, 1},
      [](const FileLine& line) -> Cell {
        return {copies_text(line.use->cpu_copied_bytes,
                            line.use->read_bytes + line.use->written_bytes)};
      },
      "", nullptr));
  add_common(columns);
  columns.push_back(
      optional_column<FileLine>({"MAPPED", true, 1}, numerals, &Numerals::bytes, "mapped_bytes",
                                [](const FileLine& line) { return line.use->mapped_bytes; }));
  columns.push_back(optional_column<FileLine>(
      {"FROM DISK", true, 2}, numerals, &Numerals::bytes, "disk_read_bytes",
      [](const FileLine& line) { return line.use->disk_read_bytes; }));
  add_calls(columns, numerals);
  return columns;
}

Columns<PeerLine> peer_columns(const Wording& wording, const Numerals& numerals) {
  Columns<PeerLine> columns;
  const auto protocol = [](const PeerLine& line) {
    return line.is_sum ? std::string() : std::string(protocol_text(line.use->protocol));
  };
  columns.push_back(column<PeerLine>(
      {"KIND", false}, [protocol](const PeerLine& line) -> Cell { return {protocol(line)}; },
      "protocol", protocol));
  columns.push_back(column<PeerLine>(
      {"LOCAL - REMOTE", false, 0, kLeastName},
      [unicode = wording.unicode](const PeerLine& line) -> Cell {
        return {peer_name(line, unicode)};
      },
      "", nullptr));
  columns.push_back(csv_only<PeerLine>("local", [](const PeerLine& line) {
    return line.use->name == nullptr ? "" : printable(line.use->name->local.text, true);
  }));
  columns.push_back(csv_only<PeerLine>("remote", [](const PeerLine& line) {
    return line.use->name == nullptr ? "" : printable(line.use->name->remote.text, true);
  }));
  columns.push_back(csv_only<PeerLine>("inode", [](const PeerLine& line) {
    return line.is_sum ? "" : fmt::format("{}", line.use->peer.inode);
  }));
  columns.push_back(bytes_column<PeerLine>(
      "SENT", numerals, "sent_bytes", [](const PeerLine& line) { return line.use->sent_bytes; }));
  columns.push_back(
      bytes_column<PeerLine>("RECEIVED", numerals, "received_bytes",
                             [](const PeerLine& line) { return line.use->received_bytes; }));
  columns.push_back(column<PeerLine>(
      {"COPIES", true, 1},
      [](const PeerLine& line) -> Cell {
        return {copies_text(line.use->cpu_copied_bytes,
                            line.use->sent_bytes + line.use->received_bytes)};
      },
      "", nullptr));
  add_common(columns);
  columns.push_back(
      optional_column<PeerLine>({"RESENT", true, 3}, numerals, &Numerals::count, "retransmits",
                                [](const PeerLine& line) { return line.use->retransmits; }));
  add_calls(columns, numerals);
  return columns;
}

Columns<PortUse> port_columns(const Wording&, const Numerals& numerals) {
  Columns<PortUse> columns;
  columns.push_back(column<PortUse>(
      {"PORT", false},
      [](const PortUse& use) -> Cell {
        return {fmt::format("{} {}", protocol_name(use.protocol), use.port)};
      },
      "port", [](const PortUse& use) { return fmt::format("{}", use.port); }));
  columns.push_back(csv_only<PortUse>(
      "protocol", [](const PortUse& use) { return std::string(protocol_name(use.protocol)); }));
  const auto role = [](const PortUse& use) {
    return std::string(use.serves ? "server" : "client");
  };
  columns.push_back(column<PortUse>(
      {"AS", false}, [role](const PortUse& use) -> Cell { return {role(use)}; }, "role", role));
  columns.push_back(column<PortUse>(
      {"PEERS", true},
      [](const PortUse& use) -> Cell { return {full_numerals().count(use.peers)}; }, "peers",
      [](const PortUse& use) { return fmt::format("{}", use.peers); }));
  columns.push_back(bytes_column<PortUse>("SENT", numerals, "sent_bytes",
                                          [](const PortUse& use) { return use.sum.sent_bytes; }));
  columns.push_back(
      bytes_column<PortUse>("RECEIVED", numerals, "received_bytes",
                            [](const PortUse& use) { return use.sum.received_bytes; }));
  columns.push_back(column<PortUse>(
      {"COPIES", true, 1},
      [](const PortUse& use) -> Cell {
        return {copies_text(use.sum.cpu_copied_bytes, use.sum.sent_bytes + use.sum.received_bytes)};
      },
      "", nullptr));
  columns.push_back(csv_only<PortUse>("cpu_copied_bytes", [](const PortUse& use) {
    return fmt::format("{}", use.sum.cpu_copied_bytes);
  }));
  columns.push_back(
      optional_column<PortUse>({"RESENT", true, 3}, numerals, &Numerals::count, "retransmits",
                               [](const PortUse& use) { return use.sum.retransmits; }));
  columns.push_back(column<PortUse>(
      {"CALLS", true, 3},
      [&numerals](const PortUse& use) -> Cell { return {numerals.count(calls_of(use.sum.rows))}; },
      "calls", [](const PortUse& use) { return fmt::format("{}", calls_of(use.sum.rows)); }));
  columns.push_back(column<PortUse>(
      {"BY", false, 4, 8}, [](const PortUse& use) -> Cell { return {calls_text(use.sum)}; },
      "syscalls", [](const PortUse& use) { return calls_text(use.sum); }));
  columns.push_back(csv_only<PortUse>(
      "processes", [](const PortUse& use) { return processes_text(use.sum.processes); }));
  return columns;
}

template <typename Use>
std::vector<ChannelLine<Use>> channel_lines(const ChannelUses<Use>& uses) {
  std::vector<ChannelLine<Use>> lines;
  lines.reserve(uses.listed.size() + 1);
  for (const Use& use : uses.listed) lines.push_back({&use, false, 0});
  if (uses.others != 0 || moved_anything(uses.other))
    lines.push_back({&uses.other, true, uses.others});
  return lines;
}

template std::vector<ChannelLine<FileUse>> channel_lines(const FileUses& uses);
template std::vector<ChannelLine<PeerUse>> channel_lines(const PeerUses& uses);

Section channel_section(const Report& report, GroupBy by, const Wording& wording) {
  Section section;
  const auto note = [&section](std::size_t lines, const char* what) {
    if (lines == 0) section.lines = {{fmt::format("no {} was read, written or used", what)}};
  };
  if (by == GroupBy::file) {
    const FileUses uses = files_of(report, kLines);
    section.grid = grid_of(file_columns(wording), channel_lines(uses));
    note(section.grid.lines.size(), "file");
  } else if (by == GroupBy::peer) {
    const PeerUses uses = peers_of(report, kLines);
    section.grid = grid_of(peer_columns(wording), channel_lines(uses));
    note(section.grid.lines.size(), "peer");
  } else {
    std::vector<PortUse> ports = ports_of(peers_of(report, SIZE_MAX));
    if (ports.size() > kLines) {
      section.notes.push_back(
          fmt::format("{} more; --csv and --json list them", ports.size() - kLines));
      ports.resize(kLines);
    }
    section.grid = grid_of(port_columns(wording), ports);
    note(section.grid.lines.size(), "port");
  }
  if (section.grid.lines.empty()) section.grid = {};
  return section;
}

std::vector<std::vector<std::string>> channel_csv(const Report& report, GroupBy by,
                                                  const ChannelLimits& limits) {
  if (by == GroupBy::file) {
    const FileUses uses = files_of(report, limits.files);
    return records(file_columns({}), channel_lines(uses));
  }
  if (by == GroupBy::peer) {
    const PeerUses uses = peers_of(report, limits.peers);
    return records(peer_columns({}), channel_lines(uses));
  }
  return records(port_columns({}), ports_of(peers_of(report, SIZE_MAX)));
}

bool is_by_channel(std::optional<GroupBy> by) {
  return by == GroupBy::file || by == GroupBy::peer || by == GroupBy::port;
}

}  // namespace zctrace
