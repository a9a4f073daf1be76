// SPDX-License-Identifier: MIT
// Serves counts over HTTP: to Prometheus, and as a page.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/export/http_server.h"
#include "cli/export/live_report.h"
#include "cli/views/prometheus/metrics.h"
#include "collector/model/report.h"
#include "collector/model/timing/observer_cost.h"
#include "collector/observe/owner.h"
#include "collector/os/descriptor.h"
#include "collector/os/event_loop.h"

namespace zctrace {

// Owns the counts by owner, and the HTTP server. One thread.
class MetricsServer {
 public:
  MetricsServer(std::size_t max_series, bool latency, ChannelsServed channels = {});

  // Adds the counts since the start, in which processes that have ended appear once.
  void add(Report standing);
  // What is served of the programs' run times from now on.
  void show_programs(std::vector<BpfRunTime> programs) { programs_ = std::move(programs); }
  // Serves while `loop` runs. `read` must add the current counts; it is called for each scrape, but
  // only once for those that arrive together. `describe` completes the report of a page, as
  // AttachSession::describe does. Throws Error.
  void serve(Descriptor listener, EventLoop& loop, std::function<void()> read,
             std::function<void(Report&)> describe);

 private:
  std::string text() const;
  std::string report(const std::function<void(Report&)>& describe) const;

  OwnerCache owners_;
  Metrics metrics_;
  LiveReport live_;
  std::vector<BpfRunTime> programs_;
  bool by_mount_;
  std::optional<HttpServer> server_;
};

}  // namespace zctrace
