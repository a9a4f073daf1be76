// SPDX-License-Identifier: MIT
// ChannelSorting by name or by a number; the sum of the others comes last.
#include "cli/top/channel_pane.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cli/text/letter_case.h"

namespace zctrace {
namespace {

// As many as a person scrolls through; the rest is one line.
constexpr std::size_t kMostListed = 1000;

std::uint64_t figure(const FileUse& use, ChannelSort by) {
  const std::uint64_t mapped = use.mapped_bytes.value_or(0);
  switch (by) {
    case ChannelSort::bytes: return use.read_bytes + use.written_bytes + mapped;
    case ChannelSort::in: return use.read_bytes;
    case ChannelSort::out: return use.written_bytes;
    case ChannelSort::mapped: return mapped;
    case ChannelSort::disk: return use.disk_read_bytes.value_or(0);
    case ChannelSort::copied: return use.cpu_copied_bytes;
    case ChannelSort::calls: return calls_of(use.rows);
    case ChannelSort::resent:
    case ChannelSort::name: break;
  }
  return 0;
}

std::uint64_t figure(const PeerUse& use, ChannelSort by) {
  switch (by) {
    case ChannelSort::bytes: return use.sent_bytes + use.received_bytes;
    case ChannelSort::in: return use.received_bytes;
    case ChannelSort::out: return use.sent_bytes;
    case ChannelSort::copied: return use.cpu_copied_bytes;
    case ChannelSort::calls: return calls_of(use.rows);
    case ChannelSort::resent: return use.retransmits.value_or(0);
    case ChannelSort::mapped:
    case ChannelSort::disk:
    case ChannelSort::name: break;
  }
  return 0;
}

std::uint64_t figure(const FileLine& line, ChannelSort by) { return figure(*line.use, by); }
std::uint64_t figure(const PeerLine& line, ChannelSort by) { return figure(*line.use, by); }
std::uint64_t figure(const PortUse* use, ChannelSort by) { return figure(use->sum, by); }

std::string text_of(const FileLine& line) { return file_text(*line.use); }
std::string text_of(const PeerLine& line) { return peer_text(*line.use); }
std::string text_of(const PortUse* use) { return port_text(*use); }

bool is_sum(const FileLine& line) { return line.is_sum; }
bool is_sum(const PeerLine& line) { return line.is_sum; }
bool is_sum(const PortUse*) { return false; }

template <typename Line>
void arrange(std::vector<Line>& lines, const std::string& filter, ChannelSort by, bool reversed) {
  struct WeighedLine {
    std::uint64_t figure;
    std::string text;
    Line line;
  };
  const std::string wanted = lower_case(filter);
  std::vector<WeighedLine> weighed;
  for (const Line& line : lines) {
    std::string text = text_of(line);
    // The others have no names to compare.
    if (!wanted.empty() && (is_sum(line) || lower_case(text).find(wanted) == std::string::npos))
      continue;
    weighed.push_back({figure(line, by), std::move(text), line});
  }
  std::stable_sort(weighed.begin(), weighed.end(),
                   [&](const WeighedLine& one, const WeighedLine& other) {
                     if (is_sum(one.line) || is_sum(other.line))
                       return !is_sum(one.line) && is_sum(other.line);
                     if (one.figure != other.figure) return (one.figure > other.figure) != reversed;
                     if (one.text == other.text) return false;
                     return (one.text < other.text) != (reversed && by == ChannelSort::name);
                   });
  lines.clear();
  for (WeighedLine& entry : weighed) lines.push_back(std::move(entry.line));
}

template <typename Sorts>
std::size_t index_of(const Sorts& sorts, ChannelSort sort) {
  return static_cast<std::size_t>(
      std::find_if(sorts.begin(), sorts.end(), [&](const auto& key) { return key.sort == sort; }) -
      sorts.begin());
}

// `use` gets the sorts of this kind.
template <typename Use>
auto with_sorts(ChannelKind kind, Use use) {
  return kind == ChannelKind::files ? use(kFileSorts) : use(kPeerSorts);
}

}  // namespace

void ChannelPane::clear() {
  files_.clear();
  peers_.clear();
  ports_.clear();
}

void ChannelPane::show(ChannelKind kind, const Report& report,
                       const std::vector<const Process*>& processes) {
  clear();
  kind_ = kind;
  if (!report.channels) return;
  switch (kind) {
    case ChannelKind::files:
      file_uses_ = files_of(report, processes, kMostListed);
      files_ = channel_lines(file_uses_);
      arrange(files_, filter, sort(), reversed());
      break;
    case ChannelKind::peers:
      peer_uses_ = peers_of(report, processes, kMostListed);
      peers_ = channel_lines(peer_uses_);
      arrange(peers_, filter, sort(), reversed());
      break;
    case ChannelKind::ports:
      port_uses_ = ports_of(peers_of(report, processes, SIZE_MAX));
      for (const PortUse& use : port_uses_) ports_.push_back(&use);
      arrange(ports_, filter, sort(), reversed());
      break;
  }
}

std::size_t ChannelPane::size() const { return files_.size() + peers_.size() + ports_.size(); }

void ChannelPane::choose(ChannelSort sort) {
  ChannelSorting& now = sorting();
  now.reversed = now.sort == sort && !now.reversed;
  now.sort = sort;
}

bool ChannelPane::sort_by(char letter) {
  return with_sorts(kind_, [&](const auto& sorts) {
    const auto found = std::find_if(sorts.begin(), sorts.end(),
                                    [&](const auto& key) { return key.letter == letter; });
    if (found == sorts.end()) return false;
    choose(found->sort);
    return true;
  });
}

void ChannelPane::move_sort(int by) {
  with_sorts(kind_, [&](const auto& sorts) {
    const std::size_t now = index_of(sorts, sort());
    choose(sorts[(now + sorts.size() + static_cast<std::size_t>(by)) % sorts.size()].sort);
    return true;
  });
}

std::string_view ChannelPane::sort_title() const {
  return with_sorts(kind_, [&](const auto& sorts) { return sorts[index_of(sorts, sort())].title; });
}

std::string port_text(const PortUse& use) {
  return std::string(protocol_name(use.protocol)) + " " + std::to_string(use.port);
}

}  // namespace zctrace
