// SPDX-License-Identifier: MIT
#include "collector/fusewatch/fuse_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/map_entries.h"
#include "collector/os/error.h"
#include "fuse_watch.skel.h"

namespace zctrace::fusewatch {
namespace {

// How much of each map the connections of one user may take: three quarters, so that something is
// left for the others.
std::uint32_t share_of(const bpf_map* map) {
  const std::uint32_t entries = bpf_map__max_entries(map);
  return entries - entries / 4;
}

void set_room(fuse_watch_bpf& bpf, const std::map<std::string, std::uint32_t>& room) {
  for (const auto& [name, entries] : room) {
    bpf_map* const map = bpf_object__find_map_by_name(bpf.obj, name.c_str());
    if (map == nullptr) throw Error("--room: no map '" + name + "'", kExitUsage);
    if (const int error = bpf_map__set_max_entries(map, entries); error != 0)
      throw system_error("cannot set the size of the map '" + name + "'", -error);
  }
}

template <typename Key, typename Value>
std::vector<std::pair<Key, Value>> entries_of(const bpf_map* map) {
  std::vector<std::pair<Key, Value>> entries;
  read_map<Key, Value>(
      bpf_map__fd(map), bpf_map__name(map),
      [&](const Key& key, const Value& value) { entries.emplace_back(key, value); });
  return entries;
}

void give_back(__u32& counter) { __atomic_fetch_sub(&counter, 1U, __ATOMIC_RELAXED); }

}  // namespace

void FusePrograms::Unload::operator()(fuse_watch_bpf* bpf) const { fuse_watch_bpf__destroy(bpf); }

FusePrograms::FusePrograms(const FuseProgramOptions& options) {
  keep_bpf_warnings();
  bpf_.reset(fuse_watch_bpf__open());
  if (!bpf_) throw bpf_load_error("cannot open the BPF object", errno);
  set_room(*bpf_, options.room);
  zc_fuse_config config = {};
  config.pid_namespace = own_pid_namespace();
  config.one_device = options.device.has_value();
  config.device = options.device.value_or(0);
  config.one_user = options.user.has_value();
  config.user = options.user.value_or(0);
  config.most_connections = share_of(bpf_->maps.connections);
  config.most_requesters = share_of(bpf_->maps.requesters);
  config.most_flights = share_of(bpf_->maps.flights);
  bpf_->rodata->config = config;
  if (const int error = fuse_watch_bpf__load(bpf_.get()); error != 0)
    throw bpf_load_error("cannot load the BPF programs", -error);
  if (const int error = fuse_watch_bpf__attach(bpf_.get()); error != 0)
    throw bpf_load_error("cannot attach the BPF programs to the tracepoints of FUSE", -error);
}

FusePrograms::~FusePrograms() = default;

FuseRecords FusePrograms::read() const {
  FuseRecords records;
  // First the requests in flight, then what counts their answers: so the time of a request is never
  // missing from both.
  records.flights = entries_of<std::uint64_t, zc_fuse_flight>(bpf_->maps.flights);
  records.requesters = entries_of<zc_fuse_requester_key, zc_fuse_requester>(bpf_->maps.requesters);
  records.errors = entries_of<zc_fuse_error_key, std::uint64_t>(bpf_->maps.errors);
  records.operations = entries_of<zc_fuse_operation_key, zc_fuse_operation>(bpf_->maps.operations);
  for (const auto& [id, connection] :
       entries_of<std::uint32_t, zc_fuse_connection>(bpf_->maps.connections))
    records.connections.push_back(connection);
  return records;
}

bool FusePrograms::remove_flight(std::uint64_t request, const zc_fuse_flight& flight) {
  const int map = bpf_map__fd(bpf_->maps.flights);
  zc_fuse_flight now = {};
  if (bpf_map_lookup_elem(map, &request, &now) != 0 || now.sent_ns != flight.sent_ns) return false;
  if (bpf_map_delete_elem(map, &request) != 0) return false;
  give_back(bpf_->bss->shares[flight.share].flights);
  return true;
}

void FusePrograms::remove_requester(const zc_fuse_requester_key& key, std::uint32_t share) {
  if (bpf_map_delete_elem(bpf_map__fd(bpf_->maps.requesters), &key) == 0 && key.process != 0)
    give_back(bpf_->bss->shares[share].requesters);
}

void FusePrograms::close_connection(const zc_fuse_connection& connection) {
  const int map = bpf_map__fd(bpf_->maps.connection_ids);
  std::uint32_t id = 0;
  if (bpf_map_lookup_elem(map, &connection.address, &id) == 0 && id == connection.id)
    bpf_map_delete_elem(map, &connection.address);
  ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void FusePrograms::remove_connection(const zc_fuse_connection& connection,
                                     const FuseRecords& records) {
  for (const auto& [key, operation] : records.operations)
    if (key.connection == connection.id)
      bpf_map_delete_elem(bpf_map__fd(bpf_->maps.operations), &key);
  for (const auto& [key, count] : records.errors)
    if (key.connection == connection.id) bpf_map_delete_elem(bpf_map__fd(bpf_->maps.errors), &key);
  for (const auto& [key, requester] : records.requesters)
    if (key.connection == connection.id) remove_requester(key, requester.share);
  if (bpf_map_delete_elem(bpf_map__fd(bpf_->maps.connections), &connection.id) == 0)
    give_back(bpf_->bss->shares[connection.share].connections);
}

std::uint64_t FusePrograms::loss(zc_fuse_loss reason) const {
  return __atomic_load_n(&bpf_->bss->losses[reason], __ATOMIC_RELAXED);
}

std::uint64_t FusePrograms::missed() const { return missed_runs(bpf_->obj); }

}  // namespace zctrace::fusewatch
