// SPDX-License-Identifier: MIT
// A call that moves bytes in the kernel failed, and read and write moved them instead.
#include <cerrno>

#include <algorithm>
#include <map>
#include <utility>

#include "cli/advice/finders.h"
#include "cli/text/errno_name.h"
#include "collector/model/saturating.h"

namespace zctrace {
namespace {

// Which of a row's errors says that the call cannot be used for its two ends; 0: none does. A file
// system or kernel without the call has EOPNOTSUPP or ENOSYS, an O_APPEND target EBADF.
unsigned refusal(const Row& row) {
  const bool copies = row.syscall == "copy_file_range";
  if (!copies && row.syscall != "sendfile" && row.syscall != "splice") return 0;
  for (const unsigned number : {EXDEV, EOPNOTSUPP, EINVAL, EBADF, ENOSYS}) {
    if (!copies && number != EINVAL) continue;
    const auto found = row.errors_by.find(number);
    if (found != row.errors_by.end() && found->second != 0) return number;
  }
  return 0;
}

// How the bytes can stay in the kernel although `failed` could not do it.
InKernelWay other_way(const Row& failed, unsigned number, const PassedOn& ends) {
  PassedOn seen = ends;
  // What else sendfile and splice refuse in a file is that it is open with O_APPEND.
  const bool one_is_pipe = ends.from == Kind::pipe || ends.to == Kind::pipe;
  const bool takes_source = failed.syscall == "sendfile"
                                ? ends.from == Kind::file || ends.from == Kind::fuse
                                : one_is_pipe;
  const bool into_file = ends.to == Kind::file || ends.to == Kind::fuse;
  seen.appends = into_file && (number == EBADF || (number == EINVAL && takes_source &&
                                                   failed.syscall != "copy_file_range"));
  // Not copy_file_range again, but for the flag.
  if (failed.syscall == "copy_file_range" && !seen.appends) seen.to_channel = {};
  return in_kernel_way(seen);
}

std::string why(const Row& failed, unsigned number, const InKernelWay& way) {
  std::string reason;
  if (number == EXDEV)
    reason = "the files are on different file systems";
  else if (failed.syscall == "splice" && failed.from != Kind::pipe && failed.to != Kind::pipe)
    reason = "neither end is a pipe";
  else if (number == EINVAL && failed.syscall == "sendfile" && way.instead == "splice")
    reason = "its source is not a file";
  else if (number == EOPNOTSUPP || number == ENOSYS)
    reason = "the kernel or the file system does not support it";
  else
    reason = "it does not take these descriptors";
  const std::string failure = failed.syscall + " failed with " + errno_name(number);
  return way.legal ? failure + " because " + reason + "; " + way.why : failure + "; " + way.why;
}

struct ReadAndWritten {
  std::uint64_t read = 0;
  std::uint64_t reads = 0;
  std::uint64_t written = 0;
  std::uint64_t writes = 0;
  std::map<std::string, std::uint64_t> via;
  std::uint64_t copied_in = 0;
  std::uint64_t copied_out = 0;

  void add_read(const Row& row) {
    read += row.bytes;
    reads += successes(row);
    via[row.syscall] += row.bytes;
    copied_in += row.cpu_copied_bytes;
  }
  void add_written(const Row& row) {
    written += row.bytes;
    writes += successes(row);
    via[row.syscall] += row.bytes;
    copied_out += row.cpu_copied_bytes;
  }
  std::uint64_t bytes() const { return std::min(read, written); }
  // The last read of a file returns nothing, and so does the last call of what comes instead.
  CallsToday today() const {
    return {bytes(), std::max(not_below_zero(reads, 1), std::min(reads, writes)), writes};
  }
  std::uint64_t copied() const {
    const auto part = [this](std::uint64_t copied, std::uint64_t moved) {
      return moved == 0 ? 0
                        : static_cast<std::uint64_t>(static_cast<unsigned __int128>(bytes()) *
                                                     copied / moved);
    };
    return part(copied_in, read) + part(copied_out, written);
  }
};

AdviceDraft draft_of(const Report& report, const Process& process, const Row& failed,
                     const PassedOn& ends, const ReadAndWritten& moved) {
  const unsigned number = refusal(failed);
  const InKernelWay way = other_way(failed, number, ends);
  AdviceDraft draft = new_draft(AdviceKind::fallback, process);
  Advice& advice = draft.advice;
  advice.from.kind = ends.from;
  advice.to.kind = ends.to;
  advice.from.protocol = ends.from_protocol;
  advice.to.protocol = ends.to_protocol;
  advice.bytes = draft.processes[&process] = moved.bytes();
  advice.instead = way.instead;
  advice.legal = way.legal;
  advice.why = why(failed, number, way);
  set_savings(advice.saves, way, moved.today(), moved.copied());
  draft.calls = moved.writes;
  draft.via = moved.via;
  if (ends.from_channel) draft.from.insert(ends.from_channel);
  if (ends.to_channel) draft.to.insert(ends.to_channel);
  if (way.legal && !way.through_pipe) {
    // The methods tell by the channels whether both are on one file system.
    const bool plain = moved.via.contains("read") || moved.via.contains("write");
    draft.methods = methods_of(report, ends, plain ? "read" : moved.via.begin()->first,
                               plain ? "write" : moved.via.rbegin()->first, way.instead);
  }
  return draft;
}

// The pairs of channels for which a call like `failed` failed.
std::vector<std::pair<ChannelId, ChannelId>> refused_pairs(const Process& process,
                                                           const Row& failed) {
  std::vector<std::pair<ChannelId, ChannelId>> pairs;
  for (const Flow& flow : process.flows)
    if (flow.row.syscall == failed.syscall && flow.row.from == failed.from &&
        flow.row.to == failed.to && flow.row.errors != 0)
      pairs.emplace_back(flow.from, flow.to);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

ReadAndWritten by_kind(const Process& process, const Row& failed) {
  ReadAndWritten moved;
  for (const Row& row : process.rows) {
    if (copies_to_user(row) && row.from == failed.from) moved.add_read(row);
    if (copies_from_user(row) && row.to == failed.to) moved.add_written(row);
  }
  return moved;
}

}  // namespace

void find_fallbacks(const Report& report, const Process& process, Drafts& drafts) {
  std::map<ChannelId, std::vector<const Row*>> reads;
  std::map<ChannelId, std::vector<const Row*>> writes;
  for (const Flow& flow : process.flows) {
    if (copies_to_user(flow.row)) reads[flow.from].push_back(&flow.row);
    if (copies_from_user(flow.row)) writes[flow.to].push_back(&flow.row);
  }
  std::map<std::pair<ChannelId, ChannelId>, bool> done;
  for (const Row& failed : process.rows) {
    if (refusal(failed) == 0) continue;
    PassedOn ends;
    ends.from = failed.from;
    ends.to = failed.to;
    (failed.from == Kind::socket ? ends.from_protocol : ends.to_protocol) = failed.protocol;
    const auto pairs = refused_pairs(process, failed);
    if (pairs.empty()) {
      const ReadAndWritten moved = by_kind(process, failed);
      if (moved.bytes() != 0) drafts.push_back(draft_of(report, process, failed, ends, moved));
      continue;
    }
    for (const auto& pair : pairs) {
      if (done[pair]) continue;  // a program may try two calls for a pair
      ReadAndWritten moved;
      for (const Row* row : reads[pair.first]) moved.add_read(*row);
      for (const Row* row : writes[pair.second]) moved.add_written(*row);
      if (moved.bytes() == 0) continue;
      done[pair] = true;
      ends.from_channel = pair.first;
      ends.to_channel = pair.second;
      drafts.push_back(draft_of(report, process, failed, ends, moved));
    }
  }
}

}  // namespace zctrace
