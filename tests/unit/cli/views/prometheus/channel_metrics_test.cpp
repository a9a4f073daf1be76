// SPDX-License-Identifier: MIT
// The series of `export --by-port` and `--by-mount`: sums that only grow, in a limited number.
#include "cli/views/prometheus/channel_metrics.h"

#include <gtest/gtest.h>

#include <numeric>

#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr std::uint32_t kDisk = 8U << 20 | 1;
constexpr std::uint32_t kSockets = 9;

ChannelName tcp(std::uint32_t local, std::uint32_t remote, bool bound) {
  ChannelName name;
  name.kind = Kind::socket;
  name.protocol = Protocol::tcp;
  name.local = {"10.0.0.1:" + std::to_string(local), local};
  name.remote = {"10.0.0.2:" + std::to_string(remote), remote};
  name.bound = bound;
  return name;
}

// Sends `bytes` through a socket of each port.
Report senders(const std::vector<std::uint32_t>& ports, std::uint64_t bytes, bool bound = true) {
  Report report;
  Process process;
  process.pid = 7;
  for (const std::uint32_t port : ports) {
    const Row row = zctrace::row("write", Kind::user, Kind::socket, Copy::copied, 1, bytes);
    const ChannelId socket = {port, kSockets, 0};
    report.channel_names[socket] = bound ? tcp(port, 50000, true) : tcp(50000, port, false);
    process.flows.push_back({{}, socket, row});
  }
  report.processes = {process};
  report.channels = true;
  return report;
}

Report reader(std::uint32_t device, std::uint64_t bytes, std::uint64_t mapped) {
  Report report;
  Process process;
  process.pid = 7;
  Row row = zctrace::row("read", Kind::file, Kind::user, Copy::copied, 1, bytes);
  row.disk_read_bytes = bytes / 2;
  process.flows.push_back({{11, device, 0}, {}, row});
  process.mapped_files = {{{12, device, 0}, mapped, 1}, {{}, 4096, 1}};
  report.processes = {process};
  report.channels = report.mapped = true;
  return report;
}

const std::vector<MountEntry> kMounts = {{"1", "8:1", "/", "ext4", "rw"},
                                         {"2", "8:1", "/var/bind", "ext4", "rw"},
                                         {"3", "0:40", "/tmp/odd\x1b name", "tmpfs", "rw"}};

class ChannelMetricsTest : public testing::Test {
 protected:
  void add(const Report& between) { metrics_.add(between, kMounts, now_); }
  std::uint64_t sent_by_all() const {
    std::uint64_t sum = 0;
    for (const auto& [labels, entry] : metrics_.ports().entries()) sum += entry.sums.sent_bytes;
    return sum;
  }

  static constexpr std::size_t kRoom = 40;
  ChannelMetrics metrics_{{kRoom, kRoom}};
  ChannelMetrics::Clock::time_point now_;
};

TEST_F(ChannelMetricsTest, AddsUpPortsByRole) {
  add(senders({80}, 100));
  add(senders({80}, 23));
  add(senders({80}, 7, false));
  const auto& ports = metrics_.ports().entries();
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports.at({"tcp", "80", "server"}).sums.sent_bytes, 123u);
  EXPECT_EQ(ports.at({"tcp", "80", "client"}).sums.sent_bytes, 7u);
}

TEST_F(ChannelMetricsTest, MorePortsThanThereIsSpaceForAreOneSum) {
  std::vector<std::uint32_t> ports(10007);
  std::iota(ports.begin(), ports.end(), 1);
  add(senders(ports, 13));
  EXPECT_EQ(metrics_.ports().entries().size() * kPortSeries, kRoom);
  EXPECT_EQ(sent_by_all(), 10007u * 13);
  EXPECT_GT(metrics_.ports().entries().at({"other", "", ""}).sums.sent_bytes, 9000u * 13);
  EXPECT_EQ(metrics_.folded_series(), (10007 - kRoom / kPortSeries + 1) * kPortSeries);
  EXPECT_EQ(metrics_.retired_series(), 0u);
}

TEST_F(ChannelMetricsTest, TheLargestGetTheSpace) {
  Report report = senders({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, 10);
  report.processes[0].flows.back().row.bytes = 1000;
  add(report);
  EXPECT_TRUE(metrics_.ports().entries().contains({"tcp", "13", "server"}));
}

TEST_F(ChannelMetricsTest, NoSeriesDecreasesWhileOthersCome) {
  std::map<PortLabels, std::uint64_t> before;
  for (std::uint32_t port = 1; port < 200; port++) {
    add(senders({port, port % 7 + 1}, port));
    for (const auto& [labels, bytes] : before)
      ASSERT_GE(metrics_.ports().entries().at(labels).sums.sent_bytes, bytes);
    for (const auto& [labels, entry] : metrics_.ports().entries())
      before[labels] = entry.sums.sent_bytes;
  }
}

TEST_F(ChannelMetricsTest, IdleSeriesMakeSpace) {
  add(senders({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 10));
  now_ += LimitedSums<PortLabels, PortSums>::kIdle + std::chrono::seconds(1);
  add(senders({443}, 10));
  EXPECT_TRUE(metrics_.ports().entries().contains({"tcp", "443", "server"}));
  EXPECT_GT(metrics_.retired_series(), 0u);
}

TEST_F(ChannelMetricsTest, AddsUpFilesByWhereTheirFileSystemIsMounted) {
  add(reader(kDisk, 1000, 8192));
  add(reader(kDisk, 10, 0));
  add(reader(40, 7, 4096));
  add(reader(41, 3, 0));
  const auto& mounts = metrics_.mounts().entries();
  const MountSums& disk = mounts.at({"/", "ext4", "8:1"}).sums;
  EXPECT_EQ(disk.read_bytes, 1010u);
  EXPECT_EQ(disk.cpu_copied_bytes, 1010u);
  EXPECT_EQ(disk.disk_read_bytes, 505u);
  EXPECT_EQ(disk.mapped_bytes, 8192u);
  EXPECT_EQ(mounts.at({"/tmp/odd\\x1b name", "tmpfs", "0:40"}).sums.read_bytes, 7u);
  EXPECT_EQ(mounts.at({"", "", "0:41"}).sums.read_bytes, 3u);
}

TEST(ChannelSeries, AllSeriesTogetherStayWithinTheLimit) {
  constexpr ChannelsServed kBoth = {true, true};
  const std::size_t least = Metrics::least_series(kBoth);
  EXPECT_GE(least, Metrics::kLeastSeries);
  EXPECT_LE(least, 400u);
  for (const std::size_t limit : {least, std::size_t{2000}}) {
    Metrics metrics(limit, true, kBoth);
    std::vector<std::uint32_t> ports(5003);
    std::iota(ports.begin(), ports.end(), 1);
    Report report = senders(ports, 11);
    Process& process = report.processes[0];
    for (std::uint32_t device = 1; device <= 1009; device++) {
      const Row read = row("read", Kind::file, Kind::user, Copy::copied, 1, 3);
      process.flows.push_back({{device, device, 0}, {}, read});
    }
    for (const char* reason : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"})
      report.completeness.lost_by_reason[reason] = 0;
    for (int n = 0; n < 1000; n++) {
      Process more = process_of({row("write", Kind::user, Kind::file, Copy::copied, 1, 10)});
      more.pid = 100 + n;
      more.start_ns = 1;
      more.name = "name" + std::to_string(n);
      report.processes.push_back(more);
    }
    metrics.add(report, OwnerCache(), 0, Metrics::Clock::time_point());
    std::size_t samples = 0;
    double sent = 0;
    double read = 0;
    for (const prometheus::MetricFamily& family : prometheus_view(metrics, {}))
      for (const prometheus::ClientMetric& metric : family.metric) {
        samples += family.type == prometheus::MetricType::Histogram
                       ? metric.histogram.bucket.size() + 3
                       : 1;
        if (family.name == "zctrace_port_sent_bytes_total") sent += metric.counter.value;
        if (family.name == "zctrace_mount_read_bytes_total") read += metric.counter.value;
      }
    EXPECT_LE(samples, limit);
    EXPECT_EQ(sent, 5003.0 * 11);
    EXPECT_EQ(read, 1009.0 * 3);
  }
}

TEST(ChannelSeries, AreNotThereUnlessAskedFor) {
  Metrics metrics(2000, true);
  metrics.add(senders({80}, 100), OwnerCache(), 0, Metrics::Clock::time_point());
  for (const prometheus::MetricFamily& family : prometheus_view(metrics, {})) {
    EXPECT_FALSE(family.name.starts_with("zctrace_port_")) << family.name;
    EXPECT_FALSE(family.name.starts_with("zctrace_mount_")) << family.name;
  }
}

}  // namespace
}  // namespace zctrace
