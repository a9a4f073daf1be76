// SPDX-License-Identifier: MIT
// Reads and deletes the entries of BPF hash maps in batches, which saves a syscall for each entry.
#pragma once

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "collector/os/error.h"

namespace zctrace {

// Calls `sink` with the key and the value of each entry. `name` is for the error, which is thrown.
template <typename Key, typename Value, typename Sink>
void read_map(int map, const char* name, Sink sink) {
  // A hash bucket must fit into one batch. ENOSPC says that it did not; then the batch grows.
  std::vector<Key> keys(512);
  std::vector<Value> values(512);
  std::uint32_t position = 0;
  bool first = true;
  for (;;) {
    std::uint32_t next = 0;
    auto count = static_cast<__u32>(keys.size());
    const int result = bpf_map_lookup_batch(map, first ? nullptr : &position, &next, keys.data(),
                                            values.data(), &count, nullptr);
    if (result == -ENOSPC && keys.size() < (1U << 20)) {
      keys.resize(keys.size() * 2);
      values.resize(values.size() * 2);
      continue;
    }
    if (result != 0 && result != -ENOENT)
      throw system_error(std::string("cannot read the map '") + name + "'", -result);
    for (__u32 i = 0; i < count; i++) sink(keys[i], values[i]);
    if (result == -ENOENT) return;
    position = next;
    first = false;
  }
}

// Deletes the entries with these keys, and calls `deleted` with the key of each that was there.
template <typename Key, typename Sink>
void delete_entries(int map, const std::vector<Key>& keys, Sink deleted) {
  for (std::size_t at = 0; at < keys.size(); at++) {
    auto count = static_cast<__u32>(keys.size() - at);
    bpf_map_delete_batch(map, keys.data() + at, &count, nullptr);
    for (__u32 i = 0; i < count; i++) deleted(keys[at + i]);
    // The batch ended at a key that is not in the map, if it ended early.
    at += count;
  }
}

template <typename Key>
void delete_entries(int map, const std::vector<Key>& keys) {
  delete_entries(map, keys, [](const Key&) {});
}

}  // namespace zctrace
