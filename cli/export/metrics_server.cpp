// SPDX-License-Identifier: MIT
// The text format is prometheus-cpp's.
#include "cli/export/metrics_server.h"

#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "cli/views/html/html_page.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "collector/observe/machine/host.h"

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

MetricsServer::MetricsServer(std::size_t max_series, bool latency, ChannelsServed channels)
    : metrics_(max_series, latency, channels), by_mount_(channels.mounts) {}

void MetricsServer::add(Report standing) {
  owners_.update(standing.processes);
  live_.add(metrics_.standing(), standing, steady_clock::now(), now_rfc3339());
  metrics_.add(std::move(standing), owners_, seconds_since_epoch(), steady_clock::now(),
               by_mount_ ? read_mounts("/proc/self/mountinfo") : std::vector<MountEntry>());
}

void MetricsServer::serve(Descriptor listener, EventLoop& loop, std::function<void()> read,
                          std::function<void(Report&)> describe) {
  LivePage page = live_page();
  server_.emplace(std::move(listener), loop,
                  Served{std::move(page.html), std::move(page.policy),
                         [this, read] {
                           read();
                           return text();
                         },
                         [this, read, describe = std::move(describe)] {
                           read();
                           return report(describe);
                         }});
}

std::string MetricsServer::report(const std::function<void(Report&)>& describe) const {
  return live_.json(metrics_.standing(), describe)
             .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string MetricsServer::text() const {
  SelfCost self = self_cost();
  self.programs = programs_;
  return prometheus::TextSerializer().Serialize(prometheus_view(metrics_, self));
}

}  // namespace zctrace
