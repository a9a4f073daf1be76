// SPDX-License-Identifier: MIT
// From where to where `compare` moves bytes, and the FUSE daemon if one is on the way.
#pragma once

#include <list>
#include <string>

#include "cli/compare/fuse_daemon.h"
#include "cli/compare/plan.h"
#include "collector/os/descriptor.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace {

struct Route {
  const transfers::Source* source;
  transfers::SinkSpec sink;
  FuseDaemon* daemon;  // nullptr: none is on the way
};

// Owns sources and daemons. There are two routes where one daemon splices and another copies; both
// show the same file.
// Leaves a way through FUSE that does not work here out of a plan of all of them. Throws Error
// (cannot run here) if it was asked for by name.
void require_fuse_modes(ComparePlan& plan);

class Routes {
 public:
  // Throws Error.
  explicit Routes(const RoutePlan& plan);

  const std::list<Route>& all() const { return routes_; }
  const transfers::Source& source() const { return *routes_.front().source; }

 private:
  Descriptor backing_;  // what the daemons show: a tmpfs of their own
  std::list<FuseDaemon> daemons_;
  std::list<transfers::Source> sources_;  // closed before their daemons end
  std::list<Route> routes_;
};

// What reads the sink, in words, once the routes exist.
std::string reader_text(const ComparePlan& plan);

}  // namespace zctrace
