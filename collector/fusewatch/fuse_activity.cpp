// SPDX-License-Identifier: MIT
#include "collector/fusewatch/fuse_activity.h"

#include <algorithm>
#include <initializer_list>

namespace zctrace::fusewatch {
namespace {

constexpr std::initializer_list<std::uint64_t RequestSums::*> kSums = {
    &RequestSums::sent, &RequestSums::answered, &RequestSums::withdrawn, &RequestSums::errors,
    &RequestSums::wall_ns};
// A member without an entry would be neither added nor subtracted.
static_assert(sizeof(RequestSums) == kSums.size() * sizeof(std::uint64_t));

constexpr std::initializer_list<std::uint64_t OpcodeCounts::*> kOpcodeSums = {
    &OpcodeCounts::timed, &OpcodeCounts::background, &OpcodeCounts::bytes,
    &OpcodeCounts::request_bytes, &OpcodeCounts::reply_bytes};

constexpr std::initializer_list<std::uint64_t RequesterCounts::*> kRequesterSums = {
    &RequesterCounts::read_bytes, &RequesterCounts::written_bytes};

template <typename Key>
void subtract(std::map<Key, std::uint64_t>& counts, const std::map<Key, std::uint64_t>& before) {
  for (const auto& [key, count] : before)
    if (const auto found = counts.find(key); found != counts.end() && (found->second -= count) == 0)
      counts.erase(found);
}

void subtract(RequestSums& counts, const RequestSums& before) {
  for (const auto sum : kSums) counts.*sum -= before.*sum;
}

void subtract(OpcodeCounts& counts, const OpcodeCounts& before) {
  subtract(static_cast<RequestSums&>(counts), before);
  for (const auto sum : kOpcodeSums) counts.*sum -= before.*sum;
  subtract(counts.errors_by, before.errors_by);
  counts.latency -= before.latency;
  const std::uint64_t bound = counts.latency.highest_ns(counts.max_ns);
  // The maximum was reached in this interval if the maximum before was smaller.
  counts.max_is_bound = counts.max_ns == before.max_ns && bound != 0;
  counts.max_ns = bound;
}

void subtract(RequesterCounts& counts, const RequesterCounts& before) {
  subtract(static_cast<RequestSums&>(counts), before);
  for (const auto sum : kRequesterSums) counts.*sum -= before.*sum;
  subtract(counts.by_opcode, before.by_opcode);
}

bool is_empty(const RequestSums& counts) {
  return counts.sent == 0 && counts.answered == 0 && counts.withdrawn == 0;
}

template <typename Counts>
void subtract_all(Counts& counts, const Counts& before) {
  for (const auto& [key, earlier] : before)
    if (const auto found = counts.find(key); found != counts.end())
      subtract(found->second, earlier);
  std::erase_if(counts, [](const auto& entry) {
    return is_empty(entry.second) && entry.second.in_flight == 0;
  });
}

}  // namespace

std::string_view requester_kind_name(RequesterKind kind) {
  switch (kind) {
    case RequesterKind::process: return "process";
    case RequesterKind::kernel: return "kernel";
    case RequesterKind::unknown: return "unknown";
    case RequesterKind::others: return "others";
  }
  return "";
}

OpcodeCounts FuseConnection::total() const {
  OpcodeCounts sum;
  for (const auto& [opcode, counts] : operations) {
    for (const auto member : kSums) sum.*member += counts.*member;
    for (const auto member : kOpcodeSums) sum.*member += counts.*member;
    sum.latency += counts.latency;
    sum.max_is_bound =
        counts.max_ns > sum.max_ns
            ? counts.max_is_bound
            : sum.max_is_bound || (counts.max_ns == sum.max_ns && counts.max_is_bound);
    sum.max_ns = std::max(sum.max_ns, counts.max_ns);
    for (const auto& [error, count] : counts.errors_by) sum.errors_by[error] += count;
    sum.in_flight += counts.in_flight;
    sum.oldest_ns = std::max(sum.oldest_ns, counts.oldest_ns);
  }
  return sum;
}

bool FuseConnection::is_idle() const {
  return std::all_of(operations.begin(), operations.end(), [](const auto& entry) {
    return is_empty(entry.second) && entry.second.in_flight == 0;
  });
}

void add(RequesterCounts& sum, const RequesterCounts& more) {
  for (const auto member : kSums) sum.*member += more.*member;
  for (const auto member : kRequesterSums) sum.*member += more.*member;
  for (const auto& [opcode, count] : more.by_opcode) sum.by_opcode[opcode] += count;
  sum.max_ns = std::max(sum.max_ns, more.max_ns);
  sum.in_flight += more.in_flight;
}

FuseConnections difference(const FuseConnections& now, const FuseConnections& before) {
  FuseConnections between = now;
  for (auto& [id, connection] : between) {
    const auto found = before.find(id);
    if (found == before.end()) continue;
    connection.sent -= found->second.sent;
    connection.waiting_sum -= found->second.waiting_sum;
    subtract_all(connection.operations, found->second.operations);
    subtract_all(connection.requesters, found->second.requesters);
  }
  return between;
}

WatchLosses difference(const WatchLosses& now, const WatchLosses& before) {
  return {now.connection_requests - before.connection_requests,
          now.operation_requests - before.operation_requests, now.flights - before.flights,
          now.unnamed - before.unnamed, now.missed_runs - before.missed_runs};
}

}  // namespace zctrace::fusewatch
