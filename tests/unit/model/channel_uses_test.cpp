// SPDX-License-Identifier: MIT
// A report by file, peer and port.
#include "collector/model/channel_uses.h"

#include <gtest/gtest.h>

#include "collector/model/whole_flows.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr ChannelId kSource = {11, 1, 0};
constexpr ChannelId kCopy = {12, 1, 0};
constexpr ChannelId kClient = {13, 9, 0};
constexpr ChannelId kOtherClient = {14, 9, 0};
constexpr ChannelId kUpstream = {15, 9, 0};

ChannelName named(const char* path) {
  ChannelName name;
  name.kind = Kind::file;
  name.path = path;
  return name;
}

ChannelName tcp(std::uint32_t local, std::uint32_t remote, bool bound) {
  ChannelName name;
  name.kind = Kind::socket;
  name.protocol = Protocol::tcp;
  name.local = {"127.0.0.1:" + std::to_string(local), local};
  name.remote = {"127.0.0.1:" + std::to_string(remote), remote};
  name.bound = bound;
  return name;
}

Flow flow(ChannelId from, ChannelId to, Row row) { return {from, to, std::move(row)}; }

// Reads 100 bytes of a file, and sends 60 by sendfile to one client and 40 by write to another.
Report server() {
  const Row read = row("read", Kind::file, Kind::user, Copy::copied, 2, 100);
  const Row sendfile = row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 60);
  const Row write = row("write", Kind::user, Kind::socket, Copy::copied, 1, 40);
  Process process = process_of({read, sendfile, write});
  process.flows = {flow(kSource, {}, read), flow(kSource, kClient, sendfile),
                   flow({}, kOtherClient, write)};
  Report report = report_of({process});
  report.channels = true;
  report.channel_names = {{kSource, named("/srv/file")},
                          {kClient, tcp(80, 51234, true)},
                          {kOtherClient, tcp(80, 51235, true)}};
  return report;
}

TEST(FilesOf, AddsUpWhatWasReadAndWritten) {
  const FileUses files = files_of(server(), 10);
  ASSERT_EQ(files.listed.size(), 1u);
  EXPECT_EQ(file_text(files.listed[0]), "/srv/file");
  EXPECT_EQ(files.listed[0].read_bytes, 160u);
  EXPECT_EQ(files.listed[0].written_bytes, 0u);
  EXPECT_EQ(files.listed[0].cpu_copied_bytes, 100u);
  EXPECT_EQ(files.listed[0].processes, std::set<std::int64_t>{7});
  EXPECT_EQ(files.listed[0].rows.size(), 2u);
  EXPECT_EQ(files.other.read_bytes, 0u);
}

TEST(FilesOf, ACallFromFileToFileCountsForBoth) {
  const Row copied = row("copy_file_range", Kind::file, Kind::file, Copy::in_kernel, 1, 50);
  Process process = process_of({copied});
  process.flows = {flow(kSource, kCopy, copied)};
  const FileUses files = files_of(report_of({process}), 10);
  ASSERT_EQ(files.listed.size(), 2u);
  EXPECT_EQ(files.listed[0].read_bytes + files.listed[1].read_bytes, 50u);
  EXPECT_EQ(files.listed[0].written_bytes + files.listed[1].written_bytes, 50u);
}

TEST(FilesOf, WhatIsNotListedIsInTheOthers) {
  Report report = server();
  Process& process = report.processes[0];
  const Row more = row("read", Kind::file, Kind::user, Copy::copied, 1, 7);
  process.rows[0].bytes += 7 + 5;  // 5 of them are of no known file
  process.flows.push_back(flow(kCopy, {}, more));
  const FileUses files = files_of(report, 1);
  ASSERT_EQ(files.listed.size(), 1u);
  EXPECT_EQ(files.listed[0].read_bytes, 160u);
  EXPECT_EQ(files.others, 1u);
  EXPECT_EQ(files.other.read_bytes, 12u);
}

TEST(FilesOf, WithoutANameShowsTheInode) {
  FileUse use;
  use.file = {4711, 8 << 20 | 1, 0};
  EXPECT_EQ(file_text(use), "inode 4711 of device 8:1");
  ChannelName name = named("/srv/file");
  name.deleted = name.cut = true;
  use.name = &name;
  EXPECT_EQ(file_text(use), ".../srv/file (deleted)");
}

TEST(FilesOf, WhatWasMappedCountsAsAWayOfReading) {
  Report report = server();
  report.processes[0].mapped_files = {{kSource, 4096, 1}, {kCopy, 8192, 2}, {{}, 12288, 3}};
  EXPECT_EQ(files_of(report, 10).listed[0].mapped_bytes, std::nullopt);  // was not counted
  EXPECT_EQ(files_of(report, 10).listed.size(), 1u);
  report.mapped = true;
  report.channel_names[kCopy] = named("/srv/library");
  const FileUses files = files_of(report, 10);
  ASSERT_EQ(files.listed.size(), 2u);
  EXPECT_EQ(file_text(files.listed[0]), "/srv/library");  // by calls and mappings together
  EXPECT_EQ(files.listed[0].mapped_bytes, 8192u);
  EXPECT_EQ(files.listed[0].read_bytes, 0u);
  EXPECT_EQ(files.listed[0].processes, std::set<std::int64_t>{7});
  EXPECT_EQ(files.listed[1].mapped_bytes, 4096u);
  EXPECT_EQ(files.listed[1].read_bytes, 160u);
  EXPECT_EQ(files.other.mapped_bytes, 12288u);
  EXPECT_EQ(files_of(report, 1).other.mapped_bytes, 12288u + 4096u);
}

TEST(PeersOf, RetransmitsAreOfTcpOnly) {
  Report report = server();
  report.retransmits[kClient] = 5;
  PeerUses peers = peers_of(report, 10);
  EXPECT_EQ(peers.listed[0].retransmits, 5u);
  EXPECT_EQ(peers.listed[1].retransmits, 0u);
  EXPECT_EQ(peers.other.retransmits, 0u);
  EXPECT_EQ(ports_of(peers)[0].sum.retransmits, 5u);
  EXPECT_EQ(peers_of(report, 0).other.retransmits, 5u);
  report.channel_names[kClient].protocol = Protocol::udp;
  EXPECT_EQ(peers_of(report, 10).listed[0].retransmits, std::nullopt);
  report.unknown["retransmits"] = "why";
  peers = peers_of(report, 10);
  EXPECT_EQ(peers.listed[1].retransmits, std::nullopt);
  EXPECT_EQ(peers.other.retransmits, std::nullopt);
}

TEST(PeersOf, AddsUpWhatWasSentAndReceived) {
  const PeerUses peers = peers_of(server(), 10);
  ASSERT_EQ(peers.listed.size(), 2u);
  EXPECT_EQ(peer_text(peers.listed[0]), "127.0.0.1:80 - 127.0.0.1:51234");
  EXPECT_EQ(peers.listed[0].sent_bytes, 60u);
  EXPECT_EQ(peers.listed[0].cpu_copied_bytes, 0u);
  EXPECT_EQ(peers.listed[1].sent_bytes, 40u);
  EXPECT_EQ(peers.other.sent_bytes, 0u);
}

TEST(PeersOf, OfOneProcess) {
  const Report report = server();
  EXPECT_EQ(peers_of(report, report.processes[0], 10).listed.size(), 2u);
  EXPECT_EQ(peers_of(report, process_of({}), 10).listed.size(), 0u);
}

TEST(PeersOf, APipeHasItsNumberAsName) {
  PeerUse use;
  use.peer = {4711, 13, 0};
  EXPECT_EQ(peer_text(use), "pipe:[4711]");
  use.protocol = Protocol::unix_socket;
  EXPECT_EQ(peer_text(use), "socket:[4711]");
}

TEST(PortsOf, AddsUpTheConnectionsOfAServer) {
  const std::vector<PortUse> ports = ports_of(peers_of(server(), 10));
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_EQ(ports[0].port, 80u);
  EXPECT_TRUE(ports[0].serves);
  EXPECT_EQ(ports[0].peers, 2u);
  EXPECT_EQ(ports[0].sum.sent_bytes, 100u);
}

TEST(PortsOf, AClientHasThePortOfTheOtherEnd) {
  Report report = server();
  const Row received = row("recvfrom", Kind::socket, Kind::user, Copy::copied, 1, 30);
  report.processes[0].flows.push_back(flow(kUpstream, {}, received));
  report.channel_names.emplace(kUpstream, tcp(40000, 8080, false));
  const std::vector<PortUse> ports = ports_of(peers_of(report, 10));
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports[1].port, 8080u);
  EXPECT_FALSE(ports[1].serves);
}

TEST(FlowsOfReports, OfAnIntervalAreDifferences) {
  const Report earlier = server();
  Report later = server();
  later.processes[0].rows[0].bytes += 23;
  later.processes[0].flows[0].row.bytes += 23;
  const Report between = difference(later, earlier);
  const FileUses files = files_of(between, 10);
  ASSERT_EQ(files.listed.size(), 1u);
  EXPECT_EQ(files.listed[0].read_bytes, 23u);
  EXPECT_EQ(peers_of(between, 10).listed.size(), 0u);
}

TEST(FlowsOfReports, OfAnIntervalHaveWhatItMappedAndSentAgain) {
  Report earlier = server();
  earlier.mapped = true;
  earlier.processes[0].mapped_files = {{kSource, 4096, 1}, {kCopy, 8192, 2}};
  earlier.retransmits = {{kClient, 5}, {kOtherClient, 1}};
  Report later = earlier;
  later.processes[0].mapped_files[0].bytes += 12288;
  later.retransmits[kClient] += 2;
  const Report between = difference(later, earlier);
  const FileUses files = files_of(between, 10);
  ASSERT_EQ(files.listed.size(), 1u);  // although no call was made
  EXPECT_EQ(files.listed[0].mapped_bytes, 12288u);
  EXPECT_EQ(between.retransmits, (std::map<ChannelId, std::uint64_t>{{kClient, 2}}));
}

TEST(FlowsOfReports, WithTheSameRowAndChannelsAreAddedUp) {
  const Report report = server();
  std::vector<Flow> sum = report.processes[0].flows;
  merge_flows(sum, report.processes[0].flows);
  ASSERT_EQ(sum.size(), 3u);
  EXPECT_EQ(sum[0].row.bytes, 200u);
}

// A process that ended while a snapshot was read: its row is one snapshot later than its flow.
TEST(FilesOfAnInterval, HaveNoMoreBytesThanItsRows) {
  const Row earlier_row = row("read", Kind::file, Kind::user, Copy::copied, 3, 300);
  const Row later_row = row("read", Kind::file, Kind::user, Copy::copied, 5, 500);
  const auto standing = [](const Row& of_row, const Row& of_flow) {
    Process process = process_of({of_row});
    process.flows = {flow(kSource, {}, of_flow)};
    Report report = report_of({process});
    report.channels = true;
    return report;
  };
  const Report start = standing(row("read", Kind::file, Kind::user, Copy::copied, 1, 100),
                                row("read", Kind::file, Kind::user, Copy::copied, 1, 100));
  const Report early = standing(earlier_row, later_row);
  const Report late = standing(later_row, later_row);
  const FileUses first = files_of(difference(early, start), 10);
  ASSERT_EQ(first.listed.size(), 1u);
  EXPECT_EQ(first.listed[0].read_bytes, 200u);
  EXPECT_EQ(first.other.read_bytes, 0u);
  const FileUses second = files_of(difference(late, early), 10);
  EXPECT_EQ(second.listed.size(), 0u);
  EXPECT_EQ(second.other.read_bytes, 200u);
  // Whoever adds up intervals needs each byte once.
  EXPECT_EQ(files_of(difference_with_whole_flows(early, start), 10).listed[0].read_bytes, 400u);
  EXPECT_TRUE(difference_with_whole_flows(late, early).processes[0].flows.empty());
}

TEST(FilesOfAnInterval, ShareWhatTheRowHas) {
  const Row read = row("read", Kind::file, Kind::user, Copy::copied, 3, 300);
  Process process = process_of({read});
  process.flows = {flow(kSource, {}, row("read", Kind::file, Kind::user, Copy::copied, 2, 250)),
                   flow(kCopy, {}, row("read", Kind::file, Kind::user, Copy::copied, 2, 250))};
  Report report = report_of({process});
  report.channels = true;
  const FileUses files = files_of(difference(report, Report()), 10);
  ASSERT_EQ(files.listed.size(), 2u);
  EXPECT_EQ(files.listed[0].read_bytes + files.listed[1].read_bytes, 300u);
  EXPECT_EQ(files.other.read_bytes, 0u);
}

}  // namespace
}  // namespace zctrace
