// SPDX-License-Identifier: MIT
// Sums of mapped pages, by account and file.
#include "collector/observe/channels/mapped_ledger.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "collector/observe/snapshot.h"

namespace zctrace {
namespace {

ChannelId file_of(const zc_mapped_key& key) {
  return {key.file.inode, key.file.device, key.file.generation};
}

void add_sums(zc_mapped_sums& sum, const zc_mapped_sums& more) {
  sum.pages += more.pages;
  sum.faults += more.faults;
}

}  // namespace

MappedLedger::MappedSum& MappedLedger::file(std::uint64_t account, const ChannelId& file) {
  const auto [sum, added] = accounts_[account].try_emplace(file);
  size_ += added;
  return sum->second;
}

void MappedLedger::add(const Snapshot& snapshot,
                       const std::function<bool(std::uint64_t account)>& known) {
  in_map_ = snapshot.mapped.size();
  for (auto& [account, files] : accounts_)
    for (auto& [file, sum] : files)
      if (sum.in_map) sum.unchanged++;
  for (const auto& [key, sums] : snapshot.mapped) {
    if (!known(key.account)) continue;
    MappedSum& sum = file(key.account, file_of(key));
    if (sums.faults != sum.current.faults || !sum.in_map) sum.unchanged = 0;
    sum.in_map = true;
    sum.current.pages = std::max(sum.current.pages, sums.pages);
    sum.current.faults = std::max(sum.current.faults, sums.faults);
  }
  if (size_ > most_) sum_smallest();
}

std::vector<zc_mapped_key> MappedLedger::idle(unsigned snapshots) const {
  std::vector<zc_mapped_key> idle;
  for (const auto& [account, files] : accounts_)
    for (const auto& [file, sum] : files)
      if (sum.in_map && sum.unchanged >= snapshots)
        idle.push_back({account, {file.inode, file.device, file.generation}});
  return idle;
}

void MappedLedger::settle(const zc_mapped_key& key, const zc_mapped_sums& last) {
  MappedSum& sum = file(key.account, file_of(key));
  sum.current.pages = std::max(sum.current.pages, last.pages);
  sum.current.faults = std::max(sum.current.faults, last.faults);
  add_sums(sum.settled, sum.current);
  sum.current = {};
  sum.in_map = false;
}

std::vector<FaultedFile> MappedLedger::of(std::uint64_t account) const {
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::vector<FaultedFile> mapped;
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return mapped;
  mapped.reserve(found->second.size());
  for (const auto& [file, sum] : found->second)
    mapped.push_back({file, (sum.settled.pages + sum.current.pages) * page_bytes,
                      sum.settled.faults + sum.current.faults});
  return mapped;
}

void MappedLedger::forget(std::uint64_t account) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  size_ -= found->second.size();
  accounts_.erase(found);
}

// A quarter more than necessary, so that not every snapshot has to do this.
void MappedLedger::sum_smallest() {
  std::vector<std::uint64_t> pages;
  for (const auto& [account, files] : accounts_)
    for (const auto& [file, sum] : files)
      if (file && !sum.in_map) pages.push_back(sum.settled.pages);
  const std::size_t wanted = std::min(pages.size(), size_ - (most_ - most_ / 4));
  if (wanted == 0) return;
  const auto bound = pages.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::nth_element(pages.begin(), bound, pages.end());
  const std::uint64_t most = *bound;
  std::size_t left = wanted;
  for (auto& [account, files] : accounts_) {
    zc_mapped_sums dropped{};
    for (auto entry = files.begin(); entry != files.end() && left != 0;) {
      const auto next = std::next(entry);
      if (entry->first && !entry->second.in_map && entry->second.settled.pages <= most) {
        add_sums(dropped, entry->second.settled);
        files.erase(entry);
        size_--;
        left--;
      }
      entry = next;
    }
    if (dropped.faults != 0) add_sums(file(account, {}).settled, dropped);
  }
}

}  // namespace zctrace
