// SPDX-License-Identifier: MIT
// The labels of a series that say what its processes belong to.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using LabelTexts = std::map<std::string, std::string>;

Process process(std::int64_t pid, const char* name) {
  Process process =
      process_of({row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 100)}, pid);
  process.start_ns = static_cast<std::uint64_t>(pid);
  process.name = name;
  return process;
}

// Of the series of bytes, those that are about the owner.
std::set<LabelTexts> owners_in(const Metrics& metrics) {
  std::set<LabelTexts> found;
  for (const auto& family : prometheus_view(metrics, {})) {
    if (family.name != "zctrace_bytes_total") continue;
    for (const auto& metric : family.metric) {
      LabelTexts labels;
      for (const auto& label : metric.label) labels[label.name] = label.value;
      for (const char* of_the_call : {"syscall", "from", "to", "protocol"})
        labels.erase(of_the_call);
      found.insert(labels);
    }
  }
  return found;
}

TEST(OwnerLabels, NameContainersAndPodsWhereTheirFilesTell) {
  const std::string redis = "3f4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80";
  const std::string envoy = "aa4c8a1b5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7fbb";
  Report report = report_of({process(101, "nginx"), process(102, "redis"), process(104, "envoy")});
  OwnerCache owners("tests/fixtures/containers");
  owners.update(report.processes);
  Metrics metrics(2000, true);
  metrics.add(report, owners, 0, Metrics::Clock::time_point());
  EXPECT_EQ(owners_in(metrics),
            (std::set<LabelTexts>{
                {{"name", "nginx"}, {"unit", "nginx.service"}},
                {{"name", "redis"}, {"container_id", redis}, {"container", "redis"}},
                {{"name", "envoy"},
                 {"container_id", envoy},
                 {"pod_uid", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"},
                 {"container", "proxy"},
                 {"pod", "envoy-0"},
                 {"namespace", "mesh"}},
            }));
}

}  // namespace
}  // namespace zctrace
