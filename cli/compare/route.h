// SPDX-License-Identifier: MIT
// From where to where `compare` moves bytes, and the FUSE daemon if one is on the way.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "cli/compare/fuse_daemon.h"
#include "collector/os/descriptor.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace {

struct RouteOptions {
  std::string from = "disk";
  std::string to = "unix";
  std::string size = "256M";
  std::string fuse_splice;  // on, off, both; "" is both where FUSE is on the way
};

// The options, understood.
struct RoutePlan {
  std::string source_kind;     // "disk", "tmpfs", "fuse", "file"
  std::string source_path;     // of a file that is there
  std::uint64_t source_bytes;  // of one that is made
  std::string sink_kind;       // "fuse", or as transfers::sink_name()
  transfers::SinkSpec sink;
  std::vector<bool> splice;  // by daemon; empty: none is on the way

  bool has_reader() const;  // whether a drain empties the sink
};

// Throws Error (usage).
RoutePlan plan_route(const RouteOptions& options);

struct Route {
  const transfers::Source* source;
  transfers::SinkSpec sink;
  FuseDaemon* daemon;  // nullptr: none is on the way
};

// Owns sources and daemons. There are two routes where one daemon splices and another copies; both
// show the same file.
class Routes {
 public:
  // Throws Error (cannot run here) and transfers::SetupError.
  explicit Routes(const RoutePlan& plan);

  const std::list<Route>& all() const { return routes_; }
  const transfers::Source& source() const { return *routes_.front().source; }

 private:
  Descriptor backing_;  // what the daemons show: a tmpfs that nobody else sees
  std::list<FuseDaemon> daemons_;
  std::list<transfers::Source> sources_;  // closed before their daemons end
  std::list<Route> routes_;
};

// The bytes of an option's value, at least 1. Throws Error (usage).
std::uint64_t size_option(const char* option, const std::string& text);

}  // namespace zctrace
