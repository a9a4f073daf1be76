// SPDX-License-Identifier: MIT
// What the finders share.
#include "cli/advice/finders.h"

#include <algorithm>

#include "collector/model/saturating.h"

namespace zctrace {
namespace {

// As `compare` calls the source; "": it has none like this.
std::string source_of(const Report& report, const PassedOn& ends) {
  if (ends.from != Kind::file) return "";
  const std::string file_system = file_system_of(report, ends.from_channel);
  if (file_system.empty()) return "";
  return file_system == "tmpfs" || file_system == "ramfs" ? "tmpfs" : "disk";
}

std::string sink_of(const PassedOn& ends) {
  switch (ends.to) {
    case Kind::pipe: return "pipe";
    case Kind::socket:
      return ends.to_protocol == Protocol::tcp           ? "tcp"
             : ends.to_protocol == Protocol::unix_socket ? "unix"
                                                         : "";
    case Kind::file:
      return ends.from_channel.device == ends.to_channel.device ? "file" : "file:other-fs";
    default: return "";
  }
}

}  // namespace

std::optional<MethodPair> methods_of(const Report& report, const PassedOn& ends,
                                     const std::string& read, const std::string& write,
                                     const std::string& instead) {
  MethodPair pair;
  pair.source = source_of(report, ends);
  pair.sink = sink_of(ends);
  if (pair.source.empty() || pair.sink.empty()) return std::nullopt;
  pair.now = read == "pread64" && write == "pwrite64" ? "pread_pwrite"
             : read == "readv" && write == "writev"   ? "readv_writev"
                                                      : "read_write";
  // Into a pipe, compare's splice has a second pipe before it, and sendfile is a splice.
  pair.instead = ends.to == Kind::pipe ? "sendfile" : instead;
  return pair;
}

void set_savings(Savings& saves, const InKernelWay& way, const CallsToday& today,
                 std::uint64_t copied) {
  if (way.instead.empty()) return;
  const auto saved = [&today](std::uint64_t calls) {
    return static_cast<std::int64_t>(today.total()) - static_cast<std::int64_t>(calls);
  };
  saves.syscalls = saved(calls_with_same_size(way, today));
  saves.syscalls_most = std::max(saves.syscalls, saved(calls_at_least(way, today)));
  saves.cpu_copied_bytes = not_below_zero(copied, way.copies * today.bytes);
}

std::uint64_t successes(const Row& row) {
  return not_below_zero(row.calls, row.errors + row.restarts);
}

bool copies_to_user(const Row& row) {
  return row.copy == Copy::copied && row.to == Kind::user && row.from != Kind::user;
}

bool copies_from_user(const Row& row) {
  return row.copy == Copy::copied && row.from == Kind::user && row.to != Kind::user;
}

std::string file_system_of(const Report& report, const ChannelId& file) {
  const auto found = report.channel_names.find(file);
  return found == report.channel_names.end() ? "" : found->second.file_system;
}

}  // namespace zctrace
