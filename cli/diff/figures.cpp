// SPDX-License-Identifier: MIT
// Takes the figures from the JSON itself, so that each has the name and the value that a report
// has.
#include "cli/diff/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "cli/views/json_view.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has(std::string_view name, std::string_view part) { return name.find(part) != name.npos; }

// Numbers and nulls; lists, texts and the buckets of a histogram are no figures.
void flatten(const ordered_json& object, const std::string& before, Figures& figures) {
  for (const auto& [name, value] : object.items()) {
    if (is_one_of(name, {"buckets", "pipes", "unknown", "hz"})) continue;
    const std::string path = before + name;
    if (value.is_object())
      flatten(value, path + ".", figures);
    else if (value.is_number())
      figures[path] = value.get<double>();
    else if (value.is_null() && !is_one_of(name, {"verdict", "protocol", "copies_evidence"}))
      figures[path] = std::nullopt;
  }
}

Figures flattened(const ordered_json& object) {
  Figures figures;
  flatten(object, "", figures);
  return figures;
}

// What a peer is called in another run, too: without the port that the kernel chose for it. Those
// of a service are known by their host, services by their address. "": neither, as of a pipe.
std::string peer_scope(const PeerUse& peer) {
  if (peer.name == nullptr || peer.protocol == Protocol::none) return "";
  const SocketEnd& local = peer.name->local;
  const SocketEnd& remote = peer.name->remote;
  const std::string_view protocol = protocol_name(peer.protocol);
  if (local.port == 0 && remote.port == 0) {
    const std::string& path = local.text.empty() ? remote.text : local.text;
    return path.empty() ? "" : fmt::format("peer {} {}", protocol, path);
  }
  if (remote.port == 0) return "";  // it has none, or one for each datagram
  if (!peer.name->bound) return fmt::format("peer {} {}", protocol, remote.text);
  const std::string_view host = std::string_view(remote.text).substr(0, remote.text.rfind(':'));
  return fmt::format("peer {} {}", protocol, host);
}

}  // namespace

void ScopeSums::add(const Report& report) {
  latency_ &= report.latency;
  charges_ &= !report.unknown.contains("disk_read_bytes");
  duration_ns_ += report.duration_ns;
  processes_[kTotalsScope].add(report.totals());
  for (const Process& process : report.processes)
    processes_["process " + process.name].add(process);
  if (!report.channels) return;
  for (const FileUse& file : files_of(report, SIZE_MAX).listed) {
    BytesMoved& moved = files_["file " + file_text(file)];
    moved.in += file.read_bytes;
    moved.out += file.written_bytes;
    moved.cpu_copied += file.cpu_copied_bytes;
  }
  const PeerUses peers = peers_of(report, SIZE_MAX);
  for (const PeerUse& peer : peers.listed) {
    const std::string scope = peer_scope(peer);
    if (scope.empty()) continue;
    BytesMoved& moved = peers_[scope];
    moved.in += peer.received_bytes;
    moved.out += peer.sent_bytes;
    moved.cpu_copied += peer.cpu_copied_bytes;
  }
  for (const PortUse& port : ports_of(peers)) {
    BytesMoved& moved = ports_[fmt::format("port {} {}", protocol_name(port.protocol), port.port)];
    moved.in += port.sum.received_bytes;
    moved.out += port.sum.sent_bytes;
    moved.cpu_copied += port.sum.cpu_copied_bytes;
  }
}

ScopedFigures ScopeSums::figures() const {
  const Measured measured = {latency_, charges_};
  ScopedFigures scopes;
  for (const auto& [scope, totals] : processes_) {
    scopes[scope] = flattened(figures_json(totals.sum, totals.delivered, measured));
    if (scope != kTotalsScope) continue;
    for (const Row& row : shown_rows(totals.sum.rows))
      scopes[fmt::format("row {} {}->{}", row.syscall, kind_name(row.from), kind_name(row.to))] =
          flattened(row_json(row, measured));
  }
  const auto add = [&scopes](const auto& sums, const char* in, const char* out) {
    for (const auto& [scope, moved] : sums)
      scopes[scope] = {{in, moved.in},
                       {out, moved.out},
                       {"cpu_copied_bytes", static_cast<double>(moved.cpu_copied)}};
  };
  add(files_, "read_bytes", "written_bytes");
  add(peers_, "received_bytes", "sent_bytes");
  add(ports_, "received_bytes", "sent_bytes");
  return scopes;
}

bool adds_up(std::string_view name) {
  return !name.starts_with("per_gb.") && !name.ends_with("_share") &&
         !name.ends_with("_per_byte") && name != "max_rss_bytes" && !has(name, "cpu_profile") &&
         !name.starts_with("copies.") && name != "bytes_per_s" &&
         (!name.starts_with("latency_ns.") || name.ends_with("timed_calls"));
}

int worse_direction(std::string_view name) {
  if (name.ends_with("_share") || name == "bytes_per_s") return -1;
  if (is_one_of(name, {"uncopied_bytes", "uncopied_measured_bytes", "kernel_only_bytes",
                       "zero_copy_bytes", "in_kernel_bytes"}))
    return -1;
  if (is_one_of(name,
                {"bytes", "delivered_bytes", "claimed_bytes", "threads", "zeroed_bytes",
                 "discarded_bytes", "read_bytes", "written_bytes", "sent_bytes", "received_bytes",
                 "latency_ns.timed_calls", "latency_ns.untimed_calls", "wall_error_ns"}) ||
      has(name, "cpu_profile"))
    return 0;
  return 1;
}

bool varies_by_itself(std::string_view name) {
  return has(name, "_ns") || has(name, "switches") || has(name, "faults") ||
         has(name, "cpu_profile") || name == "max_rss_bytes" || name == "disk_read_bytes" ||
         name == "dirtied_bytes" || name == "bytes_per_s" || name == "restarts";
}

bool is_headline(std::string_view name) {
  return is_one_of(name, {"cpu_copies_per_byte",
                          "zero_copy_share",
                          "kernel_only_share",
                          "delivered_bytes",
                          "syscalls",
                          "errors",
                          "cpu_copied_bytes",
                          "copied_bytes",
                          "in_kernel_bytes",
                          "disk_read_bytes",
                          "user_ns",
                          "system_ns",
                          "cpu_ns",
                          "wall_ns",
                          "daemon_cpu_ns",
                          "off_cpu_ns",
                          "voluntary_switches",
                          "involuntary_switches",
                          "major_faults",
                          "max_rss_bytes",
                          "per_gb.syscalls",
                          "per_gb.copied_bytes",
                          "per_gb.user_ns",
                          "per_gb.system_ns",
                          "per_gb.voluntary_switches",
                          "calls",
                          "bytes",
                          "latency_ns.p50",
                          "latency_ns.p99",
                          "read_bytes",
                          "written_bytes",
                          "sent_bytes",
                          "received_bytes",
                          "copies.per_byte"});
}

}  // namespace zctrace
