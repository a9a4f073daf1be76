// SPDX-License-Identifier: MIT
// Owns the BPF object of `zctrace fuse`, and reads its maps. Closing it unloads everything.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bpf/fuse/records.h"

struct fuse_watch_bpf;

namespace zctrace::fusewatch {

struct FuseProgramOptions {
  std::optional<std::uint32_t> device;  // only this one: major << 20 | minor
  std::optional<std::uint32_t> user;    // only what this user mounted
  // For tests of what happens when there is no space: entries of a map by its name.
  std::map<std::string, std::uint32_t> room;
};

// Everything that the kernel side holds at one moment. A request that ends meanwhile may be missing
// from `flights` and from the counts, but never counts twice.
struct FuseRecords {
  std::vector<zc_fuse_connection> connections;
  std::vector<std::pair<zc_fuse_operation_key, zc_fuse_operation>> operations;
  std::vector<std::pair<zc_fuse_error_key, std::uint64_t>> errors;
  std::vector<std::pair<zc_fuse_requester_key, zc_fuse_requester>> requesters;
  std::vector<std::pair<std::uint64_t, zc_fuse_flight>> flights;
};

class FusePrograms {
 public:
  // Loads and attaches. Throws Error (cannot run here) when the kernel refuses.
  explicit FusePrograms(const FuseProgramOptions& options);
  ~FusePrograms();
  FusePrograms(const FusePrograms&) = delete;
  FusePrograms& operator=(const FusePrograms&) = delete;

  FuseRecords read() const;
  // Only the flights of these connections are removed; without a trace, as if they had ended.
  // Returns false if it has ended, or another request has its place.
  bool remove_flight(std::uint64_t request, const zc_fuse_flight& flight);
  void remove_requester(const zc_fuse_requester_key& key, std::uint32_t share);
  // New requests of this connection get another id. Returns after every program that runs now has
  // ended, so that its counts are final.
  void close_connection(const zc_fuse_connection& connection);
  // After close_connection().
  void remove_connection(const zc_fuse_connection& connection, const FuseRecords& records);
  std::uint64_t loss(zc_fuse_loss reason) const;
  std::uint64_t missed() const;  // runs that the kernel left out

 private:
  struct Unload {
    void operator()(fuse_watch_bpf* bpf) const;
  };
  std::unique_ptr<fuse_watch_bpf, Unload> bpf_;
};

}  // namespace zctrace::fusewatch
