// SPDX-License-Identifier: MIT
#include "cli/views/flow_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr ChannelId kFile{11, 1, 0};
constexpr ChannelId kSocket{12, 2, 0};

Report report_with_flows() {
  Process process = process_of({row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 300),
                                row("read", Kind::file, Kind::user, Copy::copied, 5, 500)});
  process.flows = {
      {kFile, kSocket, row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 300)},
      {kFile, {}, row("read", Kind::file, Kind::user, Copy::copied, 5, 500)},
      {kFile, {}, row("read", Kind::file, Kind::user, Copy::copied, 1, 0)}};
  Report report = report_of({process});
  report.channels = true;
  ChannelName file;
  file.kind = Kind::file;
  file.path = "/srv/\xff";
  report.channel_names[kFile] = file;
  ChannelName socket;
  socket.kind = Kind::socket;
  socket.protocol = Protocol::tcp;
  socket.local.text = "127.0.0.1:80";
  socket.remote.text = "127.0.0.1:5000";
  report.channel_names[kSocket] = socket;
  return report;
}

TEST(FlowJson, NamesBothEndsAndListsTheMostBytesFirst) {
  ordered_json object;
  add_flows_json(object, report_with_flows(), 10);
  ASSERT_EQ(object["flows"].size(), 2u);  // a flow without bytes is not one
  EXPECT_EQ(object["flows"][0]["syscall"], "read");
  EXPECT_EQ(object["flows"][0]["to"],
            ordered_json({{"kind", "user"}, {"name", nullptr}, {"inode", nullptr}}));
  EXPECT_EQ(object["flows"][1]["from"]["name"], "/srv/\xEF\xBF\xBD");
  EXPECT_EQ(object["flows"][1]["from"]["inode"], 11);
  EXPECT_EQ(object["flows"][1]["to"]["name"], "127.0.0.1:80 - 127.0.0.1:5000");
  EXPECT_EQ(object["flows"][1]["pid"], 7);
  EXPECT_EQ(object["other_flows"]["count"], 0);
}

TEST(FlowJson, AddsUpWhatIsNotListed) {
  ordered_json object;
  add_flows_json(object, report_with_flows(), 1);
  EXPECT_EQ(object["flows"].size(), 1u);
  EXPECT_EQ(object["other_flows"],
            ordered_json({{"count", 1}, {"bytes", 300}, {"cpu_copied_bytes", 0}}));
}

TEST(FlowJson, TimesAreNullWhereTheyWereNotMeasured) {
  Report report = report_with_flows();
  report.latency = false;
  ordered_json object;
  add_flows_json(object, report, 10);
  EXPECT_TRUE(object["flows"][0]["wall_ns"].is_null());
}

}  // namespace
}  // namespace zctrace
