// SPDX-License-Identifier: MIT
// What a session does only with ProbeOptions::channels: keeps the maps and the names of files and
// peers from growing, and puts them into reports.
#include <bpf/bpf.h>

#include <set>
#include <vector>

#include "collector/observe/map_entries.h"
#include "collector/observe/session.h"

namespace zctrace {
namespace {

// A file that was not mapped again in this many snapshots in a row may leave the kernel's map.
constexpr unsigned kIdleSnapshots = 10;

template <typename Use>
void for_each_channel(const Process& process, Use use) {
  for (const Flow& flow : process.flows)
    for (const ChannelId& channel : {flow.from, flow.to}) use(channel);
  for (const FaultedFile& mapped : process.mapped_files) use(mapped.file);
}

}  // namespace

// Before the map of runs is full, what it holds is moved into the ledger.
void Session::settle_runs() {
  names_->read();
  if (skeleton_.runs_used() <= skeleton_.runs_capacity() / 2) return;
  const int map = skeleton_.exchange_runs();
  if (map < 0) return;
  const auto runs = take_runs(map);
  for (const auto& [key, sums] : runs)
    skeleton_.give_back(ledger_.share_of(key.account), &zc_share::runs);
  ledger_.settle(runs);
}

// A process may map new files for as long as it runs; see retire_pipes().
void Session::retire_mapped() {
  if (!skeleton_.has_mapped()) return;
  MappedLedger& mapped = ledger_.mapped();
  if (mapped.in_map() <= skeleton_.mapped_capacity() / 2) return;
  for (const zc_mapped_key& key : mapped.idle(kIdleSnapshots)) {
    zc_mapped_sums last = {};
    if (bpf_map_lookup_and_delete_elem(skeleton_.mapped_map(), &key, &last) != 0) continue;
    skeleton_.give_back(ledger_.share_of(key.account), &zc_share::mapped);
    mapped.settle(key, last);
  }
}

// The kernel side tells a name again when it is used again.
void Session::forget_names() {
  if (!names_->are_many()) return;
  std::set<ChannelId> needed;
  const auto need = [&needed](const ChannelId& channel) { needed.insert(channel); };
  for (const Process& process : ledger_.processes()) for_each_channel(process, need);
  for_each_channel(others().sum, need);
  std::vector<zc_channel> forgotten;
  names_->forget([&](const ChannelId& channel) {
    if (needed.contains(channel)) return false;
    forgotten.push_back({channel.inode, channel.device, channel.generation});
    return true;
  });
  delete_entries(skeleton_.named_map(), forgotten);
}

void Session::add_channels(Report& report) const {
  if (!names_) return;
  report.channels = true;
  report.mapped = skeleton_.has_mapped();
  const auto add = [&](const ChannelId& channel) {
    if (const ChannelName* name = names_->find(channel))
      report.channel_names.emplace(channel, *name);
    if (const std::uint64_t segments = retransmits_.of(channel); segments != 0)
      report.retransmits.emplace(channel, segments);
  };
  for (const Process& process : report.processes) for_each_channel(process, add);
  for_each_channel(report.others.sum, add);
}

}  // namespace zctrace
