// SPDX-License-Identifier: MIT
#include "collector/observe/map_sizes.h"

#include <bpf/libbpf.h>

#include <cstdint>
#include <map>
#include <string>

#include "collector/observe/profile/sampler.h"
#include "collector/observe/skeleton.h"
#include "collector/os/error.h"
#include "zctrace.skel.h"

namespace zctrace {
namespace {

void give_room(const zctrace_bpf& bpf, const std::map<std::string, std::uint32_t>& room) {
  for (const auto& [name, entries] : room) {
    if (name == "claims" || name == "tasks") continue;  // no maps
    bpf_map* map = bpf_object__find_map_by_name(bpf.obj, name.c_str());
    const bpf_map_type type = map == nullptr ? BPF_MAP_TYPE_UNSPEC : bpf_map__type(map);
    if (type != BPF_MAP_TYPE_HASH && type != BPF_MAP_TYPE_RINGBUF)
      throw Error("--room: no hash map '" + name + "'", kExitUsage);
    if (const int error = bpf_map__set_max_entries(map, entries); error != 0)
      throw system_error(
          "cannot give the map '" + name + "' " + std::to_string(entries) + " entries", -error);
  }
}

}  // namespace

void size_maps(zctrace_bpf& bpf, const ProbeOptions& options) {
  give_room(bpf, options.room);
  // Programs do not use the maps of what is switched off. Creating a large map takes the kernel
  // milliseconds.
  if (!options.verify) bpf_map__set_max_entries(bpf.maps.kernel_counts, 1);
  if (!options.channels)
    for (bpf_map* map :
         {bpf.maps.tasks_channels, bpf.maps.runs_even, bpf.maps.runs_odd, bpf.maps.new_run,
          bpf.maps.named, bpf.maps.names, bpf.maps.new_name, bpf.maps.retransmits})
      bpf_map__set_autocreate(map, false);
  if (!options.mapped) bpf_map__set_autocreate(bpf.maps.mapped, false);
  if (!options.relays)
    for (bpf_map* map :
         {bpf.maps.buffers, bpf.maps.moved_bytes, bpf.maps.relays, bpf.maps.new_relay})
      bpf_map__set_autocreate(map, false);
  bpf_map__set_autocreate(bpf.maps.samples, options.profile_hz != 0);
  if (options.profile_hz != 0 && !options.room.contains("samples"))
    bpf_map__set_max_entries(bpf.maps.samples, sample_buffer_bytes(options.profile_hz));
  for (bpf_map* map : {bpf.maps.stacks, bpf.maps.stack_cpus})
    bpf_map__set_autocreate(map, options.stack_bytes != 0);
}

}  // namespace zctrace
