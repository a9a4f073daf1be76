// SPDX-License-Identifier: MIT
// Reports whose advice is known, written by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/advice/advise.h"
#include "tests/unit/builders.h"

namespace zctrace {

constexpr std::uint64_t kMiB = 1ULL << 20;

inline ChannelId channel(std::uint64_t inode, std::uint32_t device = 1) { return {inode, device}; }

inline Relay::End relay_end(std::string syscall, Kind kind, ChannelId at,
                            Protocol protocol = Protocol::none) {
  return {std::move(syscall), kind, protocol, at};
}

// By as many reads as writes.
inline Relay relay(Relay::End from, Relay::End to, std::uint64_t bytes, std::uint64_t calls) {
  return {std::move(from), std::move(to), bytes, calls, calls};
}

inline Flow flow(ChannelId from, ChannelId to, Row row) { return {from, to, std::move(row)}; }

inline ChannelName file_named(std::string path, std::string file_system = "ext4") {
  ChannelName name;
  name.kind = Kind::file;
  name.path = std::move(path);
  name.file_system = std::move(file_system);
  return name;
}

inline ChannelName peer_named(std::string local, std::string remote,
                              Protocol protocol = Protocol::tcp) {
  ChannelName name;
  name.kind = Kind::socket;
  name.protocol = protocol;
  name.local.text = std::move(local);
  name.remote.text = std::move(remote);
  return name;
}

// Reads `bytes` in `calls` calls from a file, and writes them to `to`, which is `process`'s relay.
inline Process relaying(std::string read, std::string write, Relay::End source, Relay::End sink,
                        std::uint64_t bytes, std::uint64_t calls, std::int64_t pid = 7) {
  Process process = process_of({row(read, source.kind, Kind::user, Copy::copied, calls, bytes),
                                row(write, Kind::user, sink.kind, Copy::copied, calls, bytes)},
                               pid);
  process.name = "server";
  process.rows[0].protocol = source.protocol;
  process.rows[1].protocol = sink.protocol;
  source.syscall = std::move(read);
  sink.syscall = std::move(write);
  process.relays = {relay(std::move(source), std::move(sink), bytes, calls)};
  return process;
}

// The only advice of a report.
inline Advice only_advice(const Report& report, const Basis& basis = {}) {
  std::vector<Advice> advice = advise(report, basis);
  return advice.size() == 1 ? advice.front() : Advice{};
}

inline std::vector<AdviceKind> kinds_of(const std::vector<Advice>& advice) {
  std::vector<AdviceKind> kinds;
  for (const Advice& one : advice) kinds.push_back(one.kind);
  return kinds;
}

}  // namespace zctrace
