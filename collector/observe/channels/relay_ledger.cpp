// SPDX-License-Identifier: MIT
// RelaySums of relays, by account, rows and channels.
#include "collector/observe/channels/relay_ledger.h"

#include <utility>

#include "collector/observe/kernel_records.h"
#include "collector/observe/snapshot.h"

namespace zctrace {

// The kernel side's sums only grow, and are deleted only after the last snapshot of an account.
void RelayLedger::add(const Snapshot& snapshot) {
  for (const auto& [key, sums] : snapshot.relays)
    accounts_[key.account].insert_or_assign(
        {key.read.word, key.write.word, channel_id(key.from), channel_id(key.to)}, sums);
}

const RelayLedger::RelaySums& RelayLedger::of(std::uint64_t account) const {
  static const RelaySums none;
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? none : found->second;
}

// Rows that differ only in their traits have the same calls and ends.
std::vector<Relay> RelayLedger::relays_of(std::uint64_t account,
                                          const std::vector<RowMeaning>& meanings) const {
  std::map<std::pair<Relay::End, Relay::End>, Relay> by_ends;
  const auto end_of = [&](zc_key key, std::uint32_t kind, ChannelId channel) {
    return Relay::End{meanings.at(ZC_KEY_ROW(key)).name, kind_of(kind),
                      static_cast<Protocol>(ZC_KEY_PROTOCOL(key)), channel};
  };
  for (const auto& [key, sum] : of(account)) {
    const zc_key read{key.read};
    const zc_key write{key.write};
    Relay more{end_of(read, ZC_KEY_FROM(read), key.from), end_of(write, ZC_KEY_TO(write), key.to)};
    Relay& relay = by_ends.try_emplace({more.from, more.to}, more).first->second;
    relay.bytes += sum.bytes;
    relay.reads += sum.reads;
    relay.writes += sum.writes;
    relay.appends |= sum.appends != 0;
  }
  std::vector<Relay> relays;
  for (auto& [ends, relay] : by_ends) relays.push_back(std::move(relay));
  return relays;
}

}  // namespace zctrace
