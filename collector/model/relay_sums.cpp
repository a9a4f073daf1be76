// SPDX-License-Identifier: MIT
// Finds the sum that a relay belongs to.
#include "collector/model/relay_sums.h"

#include <algorithm>
#include <utility>

#include "collector/model/report.h"
#include "collector/model/saturating.h"

namespace zctrace {
namespace {

Relay without_channels(Relay relay) {
  relay.from.channel = relay.to.channel = {};
  return relay;
}

std::vector<Relay>::iterator find_same(std::vector<Relay>& sum, const Relay& relay) {
  return std::find_if(sum.begin(), sum.end(), [&relay](const Relay& other) {
    return other.from == relay.from && other.to == relay.to && other.appends == relay.appends;
  });
}

}  // namespace

void add_relays(std::vector<Relay>& sum, const std::vector<Relay>& more) {
  for (const Relay& one : more) {
    Relay relay = without_channels(one);
    const auto same = find_same(sum, relay);
    if (same == sum.end()) {
      sum.push_back(std::move(relay));
      continue;
    }
    same->bytes += relay.bytes;
    same->reads += relay.reads;
    same->writes += relay.writes;
  }
}

void subtract_relays(std::vector<Relay>& sum, const std::vector<Relay>& earlier) {
  for (const Relay& one : earlier) {
    const auto same = find_same(sum, without_channels(one));
    if (same == sum.end()) continue;
    same->bytes = not_below_zero(same->bytes, one.bytes);
    same->reads = not_below_zero(same->reads, one.reads);
    same->writes = not_below_zero(same->writes, one.writes);
  }
  std::erase_if(sum, [](const Relay& relay) { return relay.bytes == 0; });
}

}  // namespace zctrace
