// SPDX-License-Identifier: MIT
#include "collector/observe/machine/early_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <system_error>

#include "collector/os/blocked_signals.h"

namespace zctrace {
namespace {

constexpr unsigned kLarge = 4096;  // entries; a smaller map is created in no time

bool is_large_hash(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_HASH && bpf_map__autocreate(map) &&
         bpf_map__max_entries(map) >= kLarge;
}

Descriptor create(const bpf_map* map) noexcept {
  bpf_map_create_opts options = {};
  options.sz = sizeof(options);
  options.map_flags = bpf_map__map_flags(map);
  return Descriptor(bpf_map_create(bpf_map__type(map), bpf_map__name(map), bpf_map__key_size(map),
                                   bpf_map__value_size(map), bpf_map__max_entries(map), &options));
}

}  // namespace

EarlyMaps::EarlyMaps(const bpf_object* object) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (is_large_hash(map)) maps_.push_back({map, {}});
  }
  try {
    const BlockedSignals blocked;
    thread_ = std::jthread([this]() noexcept {
      for (Early& one : maps_) one.created = create(one.map);
    });
  } catch (const std::system_error&) {
    maps_.clear();  // no more threads are allowed
  }
}

void EarlyMaps::hand_over() {
  if (thread_.joinable()) thread_.join();
  for (Early& one : maps_) {
    if (one.created && bpf_map__autocreate(one.map))
      (void)bpf_map__reuse_fd(one.map, one.created.get());
    one.created = {};
  }
}

}  // namespace zctrace
