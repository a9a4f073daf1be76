// SPDX-License-Identifier: MIT
// The HTTP server is prometheus-cpp's.
#include "cli/output/metrics_server.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/views/metrics.h"
#include "cli/views/prometheus_view.h"
#include "collector/observe/owner.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

SelfCost self_cost() {
  SelfCost cost;
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  for (const timeval& time : {usage.ru_utime, usage.ru_stime})
    cost.cpu_seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> size_pages >> resident_pages;
  cost.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return cost;
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

// What the server's threads read. They never wait for the kernel side.
class MetricsServer::Scraped : public prometheus::Collectable {
 public:
  Scraped(std::size_t max_series, bool latency) : metrics_(max_series, latency) {}

  void add(Report standing) {
    owners_.update(standing.processes);
    metrics_.add(std::move(standing), owners_, seconds_since_epoch(), steady_clock::now());
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    return prometheus_view(metrics_, self_cost());
  }

 private:
  OwnerCache owners_;
  Metrics metrics_;
};

MetricsServer::MetricsServer(std::size_t max_series, bool latency)
    : scraped_(std::make_shared<Scraped>(max_series, latency)) {}

void MetricsServer::add(Report standing) { scraped_->add(std::move(standing)); }

ListenAddress MetricsServer::listen(const ListenAddress& address) {
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    // More threads than scrapers, and a short timeout, because a silent client occupies a thread.
    exposer = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", address.text(), "num_threads", "4",
                                 "request_timeout_ms", "5000", "enable_keep_alive", "no"});
  } catch (const std::exception& error) {
    require_free(address);
    throw Error("cannot listen on " + address.text() + ": " +
                (address.is_ipv6
                     ? "the HTTP library here is built without IPv6; give an IPv4 address"
                     : error.what()));
  }
  exposer->RegisterCollectable(scraped_);
  ListenAddress bound = address;
  bound.port = static_cast<std::uint16_t>(exposer->GetListeningPorts().at(0));
  // Closing it takes up to two seconds, because CivetWeb checks only that often whether to stop.
  // Its threads end with the process, and keep what they serve.
  static_cast<void>(exposer.release());
  return bound;
}

}  // namespace zctrace
