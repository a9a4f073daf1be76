// SPDX-License-Identifier: MIT
// Serves counts to Prometheus over HTTP.
#pragma once

#include <cstddef>
#include <memory>

#include "cli/options/listen_address.h"
#include "collector/model/report.h"

namespace zctrace {

// Holds the latest counts for the server's threads.
class MetricsServer {
 public:
  MetricsServer(std::size_t max_series, bool latency);

  // A scrape shows the latest `standing`: the counts since the start, in which processes that have
  // ended appear once.
  void add(Report standing);

  // Serves until the process ends. The threads inherit the caller's signal mask and capabilities,
  // so call it when both are final. Returns the address with the port that was chosen. Throws
  // Error.
  ListenAddress listen(const ListenAddress& address);

 private:
  class Scraped;
  std::shared_ptr<Scraped> scraped_;
};

}  // namespace zctrace
