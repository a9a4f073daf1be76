// SPDX-License-Identifier: MIT
// The files, peers and ports of a process in `top`: keys, sorting, filter, and what is drawn.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

constexpr ChannelId kLog = {1, 8, 0};
constexpr ChannelId kDeep = {2, 8, 0};
constexpr ChannelId kLibrary = {3, 8, 0};
constexpr ChannelId kClient = {4, 9, 0};

ChannelName file(std::string path) {
  ChannelName name;
  name.kind = Kind::file;
  name.path = std::move(path);
  return name;
}

const std::string kDeepPath =
    "/srv/www/a/very/long/way/down/into/the/tree/of/directories/where/the/picture.jpeg";

// `factor` times: writes a log, sends a file that lies deep, and maps a library.
Report with_channels(std::uint64_t factor) {
  Report report;
  report.channels = report.mapped = true;
  for (const std::int64_t pid : {11, 12}) {
    const Row write =
        row("write", Kind::user, Kind::file, Copy::copied, 10 * factor, 1024 * factor);
    const Row sendfile =
        row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, factor, 1024 * 1024 * factor);
    Process process = process_of({write, sendfile});
    process.pid = pid;
    process.name = "server";
    process.flows = {{{}, kLog, write}, {kDeep, kClient, sendfile}};
    process.mapped_files = {{kLibrary, 8192 * factor, factor}};
    report.processes.push_back(process);
  }
  ChannelName client;
  client.kind = Kind::socket;
  client.protocol = Protocol::tcp;
  client.local = {"127.0.0.1:80", 80};
  client.remote = {"127.0.0.1:51234", 51234};
  client.bound = true;
  report.channel_names = {{kLog, file("/var/log/\x1b[31mred.log")},
                          {kDeep, file(kDeepPath)},
                          {kLibrary, file("/usr/lib/libc.so.6")},
                          {kClient, client}};
  report.retransmits = {{kClient, 2 * factor}};
  report.completeness.lost_by_reason = {{"rows_full", 0}};
  return report;
}

class TopChannels : public Top {
 protected:
  TopChannels() {
    controls_ = TopControls();
    model_ = TopModel();
    controls_.show(model_.add(with_channels(1), seconds(0)));
    controls_.show(model_.add(with_channels(3), seconds(2)));
  }

  // The first words of the lines below the header of the table.
  std::vector<std::string> listed() {
    std::vector<std::string> words;
    for (const std::string& line : lines_of(frame()))
      if (line.starts_with("/usr") || line.starts_with("/srv") || line.starts_with("/var"))
        words.push_back(line.substr(0, line.find(' ')));
    return words;
  }
};

TEST_F(TopChannels, FListsTheFilesOfTheSelectedProcess) {
  type("f");
  const std::string screen = text();
  EXPECT_NE(screen.find("server 11, files"), std::string::npos) << screen;
  EXPECT_NE(screen.find("MAPPED"), std::string::npos) << screen;
  // The most bytes first: sent, mapped, written. 2 MiB in two seconds.
  ASSERT_EQ(listed().size(), 3u) << screen;
  EXPECT_NE(screen.find(" 1.0M "), std::string::npos) << screen;
  EXPECT_EQ(listed()[1], "/usr/lib/libc.so.6");
  type("t");
  EXPECT_NE(text().find(" 3.0M "), std::string::npos) << text();
}

TEST_F(TopChannels, ALongPathIsCutInTheMiddleAndAHostileNameIsPrintable) {
  type("f");
  const std::string screen = text(80, 24, true);
  EXPECT_NE(screen.find("/picture.jpeg "), std::string::npos) << screen;
  EXPECT_NE(screen.find("/srv/www"), std::string::npos) << screen;
  EXPECT_NE(screen.find("…"), std::string::npos) << screen;
  EXPECT_EQ(screen.find('\x1b'), std::string::npos);
  EXPECT_NE(screen.find("\\x1b[31m"), std::string::npos) << screen;
  EXPECT_NE(text(200, 24, true).find(kDeepPath), std::string::npos);
}

TEST_F(TopChannels, LettersSortFiles) {
  type("fn");
  EXPECT_EQ(listed()[1], "/usr/lib/libc.so.6");
  type("n");
  EXPECT_EQ(listed()[0].substr(0, 5), "/var/");
  type("m");
  EXPECT_EQ(listed()[0], "/usr/lib/libc.so.6");
  type("o");
  EXPECT_EQ(listed()[0].substr(0, 5), "/var/");
  EXPECT_NE(text().find("by bytes written"), std::string::npos);
  type(">");
  EXPECT_NE(text().find("by bytes mapped"), std::string::npos) << text();
}

TEST_F(TopChannels, AFilterKeepsWhatHasItInItsName) {
  type("f/LIBC");
  EXPECT_TRUE(controls_.editing_filter());
  EXPECT_EQ(listed(), (std::vector<std::string>{"/usr/lib/libc.so.6"}));
  press(KeyPress::enter);
  EXPECT_NE(text().find("filter: LIBC"), std::string::npos);
  press(KeyPress::escape);  // clears it first
  EXPECT_EQ(listed().size(), 3u);
  type("/nowhere");
  press(KeyPress::enter);
  EXPECT_NE(text().find("no file matches the filter"), std::string::npos) << text();
  press(KeyPress::escape);
  press(KeyPress::escape);
  EXPECT_EQ(controls_.opened(), nullptr);
  EXPECT_EQ(pids().size(), 2u);  // the filter of the processes is another one
}

TEST_F(TopChannels, PListsPeersAndThenPorts) {
  type("p");
  EXPECT_NE(text().find("server 11, peers"), std::string::npos) << text();
  EXPECT_NE(text().find("127.0.0.1:80 - 127.0.0.1:51234"), std::string::npos) << text();
  type("x");
  EXPECT_NE(text().find("by segments resent"), std::string::npos);
  type("p");
  EXPECT_NE(text().find("server 11, ports"), std::string::npos) << text();
  EXPECT_NE(text().find("tcp 80"), std::string::npos) << text();
  EXPECT_NE(text().find("server"), std::string::npos);
  type("f");
  EXPECT_NE(text().find("server 11, files"), std::string::npos);
  press(KeyPress::enter);
  EXPECT_NE(text().find("sendfile"), std::string::npos);
  press(KeyPress::backspace);
  EXPECT_EQ(controls_.opened(), nullptr);
}

TEST_F(TopChannels, AGroupHasTheFilesOfItsMembers) {
  type("gf");  // by name
  ASSERT_EQ(listed().size(), 3u) << text();
  EXPECT_NE(text().find(" 2.0M "), std::string::npos) << text();  // both processes
}

TEST_F(TopChannels, TheFootLineSaysWhatTheKeysDo) {
  EXPECT_NE(text().find("f files  p peers"), std::string::npos) << text();
  type("p");
  EXPECT_NE(text().find("p ports"), std::string::npos) << text();
  EXPECT_NE(text().find("Esc back"), std::string::npos);
  type("h");
  EXPECT_NE(text(80, 60).find("Sort its files by"), std::string::npos);
}

TEST_F(TopChannels, WhatIsOpenStaysAsLastSeenWhenItsProcessEnds) {
  type("f");
  Report gone = with_channels(4);
  gone.processes.erase(gone.processes.begin());
  controls_.show(model_.add(gone, seconds(2)));
  EXPECT_EQ(listed().size(), 3u) << text();
}

TEST_F(TopChannels, WithoutChannelsItSaysWhy) {
  controls_ = TopControls();
  Report report = sample(1);
  controls_.show(model_.add(report, seconds(0)));
  type("f");
  EXPECT_NE(text().find("--no-files"), std::string::npos) << text();
}

}  // namespace
}  // namespace zctrace
