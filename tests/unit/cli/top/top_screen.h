// SPDX-License-Identifier: MIT
// `top` with two samples of three processes, and what it draws.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/top/view.h"
#include "tests/unit/builders.h"

namespace zctrace {

using std::chrono::seconds;

inline Process named(std::int64_t pid, std::string name, std::uint64_t calls, Copy copy) {
  Process process;
  process.pid = pid;
  process.name = std::move(name);
  process.argv = {"/usr/bin/" + process.name, "--all"};
  const bool copied = copy == Copy::copied;
  Row row = zctrace::row(copied ? "write" : "sendfile", copied ? Kind::user : Kind::file,
                         Kind::socket, copy, calls, calls * 1024);
  row.wall_ns = calls * 100;
  row.latency.add(12, calls);
  row.max_ns = 4000;
  row.voluntary_switches = calls / 2;
  process.rows = {row};
  return process;
}

inline Report sample(std::uint64_t factor) {
  Report report;
  report.processes = {named(11, "copier", 200 * factor, Copy::copied),
                      named(12, "sender", 100 * factor, Copy::in_kernel),
                      named(13, "idler", 3, Copy::copied)};
  report.processes[0].rows[0].errors = 4 * factor;
  report.completeness.lost_by_reason = {{"rows_full", 0}};
  return report;
}

class Top : public testing::Test {
 protected:
  Top() {
    controls_.show(model_.add(sample(1), seconds(0)));
    controls_.show(model_.add(sample(3), seconds(2)));
  }

  Frame frame(std::size_t width = 80, std::size_t height = 24, bool unicode = false) {
    TopSurroundings around;
    around.size = {width, height};
    around.unicode = unicode;
    around.targets = "process 11";
    around.all_ended = all_ended_;
    Frame frame = top_frame(controls_, around);
    EXPECT_LE(frame.lines.size(), height);
    for (const auto& line : frame.lines) {
      std::string text;
      for (const Span& span : line) text += span.text;
      EXPECT_LE(display_width(text), width) << text;
    }
    return frame;
  }

  static std::vector<std::string> lines_of(const Frame& frame) {
    std::vector<std::string> lines;
    for (const auto& line : frame.lines) {
      lines.emplace_back();
      for (const Span& span : line) lines.back() += span.text;
    }
    return lines;
  }

  std::string text(std::size_t width = 80, std::size_t height = 24, bool unicode = false) {
    std::string all;
    for (const std::string& line : lines_of(frame(width, height, unicode))) all += line + "\n";
    return all;
  }

  // The line that begins with `pid`.
  std::string line_of(const std::string& pid) {
    for (const std::string& line : lines_of(frame()))
      if (line.substr(0, 5) == std::string(5 - pid.size(), ' ') + pid) return line;
    return "";
  }

  bool type(std::string_view letters) {
    bool go_on = true;
    for (const char c : letters)
      go_on = controls_.press({KeyPress::character, static_cast<char32_t>(c)});
    return go_on;
  }
  bool press(KeyPress::Key kind) { return controls_.press({kind}); }

  std::vector<std::int64_t> pids() const {
    std::vector<std::int64_t> found;
    for (const TopProcess* process : controls_.processes()) found.push_back(process->key.pid);
    return found;
  }

  TopModel model_;
  TopControls controls_;
  bool all_ended_ = false;
};

}  // namespace zctrace
