// SPDX-License-Identifier: MIT
// What `top` draws on screens of every size.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

constexpr const char* kEvil = "\x1b]2;evil\a\x9b\xE2\x80\xAE\n";

TEST_F(Top, FitsEverySize) {
  for (const char* keys : {"", "t", "h", "\n", "/abc"}) {
    TopControls fresh;
    controls_ = fresh;
    controls_.show(model_.add(sample(9), seconds(1)));
    for (const char* key = keys; *key != 0; key++)
      *key == '\n' ? press(KeyPress::enter) : type({key, 1});
    for (std::size_t width = 0; width < 140; width++)
      for (const std::size_t height : {0, 1, 2, 3, 4, 5, 7, 8, 10, 12, 24, 60})
        frame(width, height);
  }
}

TEST_F(Top, NarrowScreenKeepsWhatMatters) {
  const std::string narrow = text(40, 10);
  for (const char* wanted : {"PID", "NAME", "CALLS", "COPIED", "copier", "sender", "100%"})
    EXPECT_NE(narrow.find(wanted), std::string::npos) << wanted << "\n" << narrow;
}

TEST_F(Top, WideScreenHasTheCommandLine) {
  EXPECT_NE(text(200).find("/usr/bin/copier --all"), std::string::npos) << text(200);
  EXPECT_NE(text(160).find("DELIVERED/s"), std::string::npos);
}

TEST_F(Top, ScrollsToTheSelectedLine) {
  Report report;
  for (int pid = 100; pid < 200; pid++)
    report.processes.push_back(named(pid, "many", 1, Copy::copied));
  controls_.show(model_.add(report, seconds(1)));
  EXPECT_EQ(text().find("  199 many"), std::string::npos);
  press(KeyPress::end);
  EXPECT_NE(text().find("  199 many"), std::string::npos);
  press(KeyPress::page_up);
  EXPECT_NE(text().find("  180 many"), std::string::npos) << text();
  press(KeyPress::home);
  EXPECT_NE(text().find("  100 many"), std::string::npos);
}

TEST_F(Top, NamesDoNotActOnTheTerminal) {
  Report report = sample(4);
  report.processes[0].name = kEvil;
  report.processes[0].argv = {kEvil};
  report.processes[0].rows[0].syscall = kEvil;
  controls_.show(model_.add(report, seconds(1)));
  for (const bool unicode : {false, true}) {
    for (int i = 0; i < 2; i++) {
      for (const std::string& line : lines_of(frame(200, 24, unicode)))
        for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), ' ') << line;
      press(KeyPress::enter);
    }
    press(KeyPress::escape);
  }
}

TEST_F(Top, WithoutUnicodeAllIsAscii) {
  for (const char* keys : {"", "h"}) {
    type(keys);
    for (const char c : text(120, 24, false)) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
    press(KeyPress::escape);
  }
  EXPECT_NE(text(80, 24, true).find("█████ 100%"), std::string::npos) << text(80, 24, true);
}

TEST_F(Top, LostEventsAreAWarning) {
  EXPECT_NE(text().find("lost 0"), std::string::npos);
  Report report = sample(4);
  report.completeness.lost_by_reason["rows_full"] = 17;
  controls_.show(model_.add(report, seconds(1)));
  EXPECT_NE(text().find("EVENTS LOST"), std::string::npos);
  EXPECT_NE(text(40, 10).find("EVENTS LOST"), std::string::npos) << text(40, 10);
  EXPECT_NE(text().find("lost 17"), std::string::npos);
}

TEST_F(Top, AnEmptyListIsStatedInWords) {
  controls_ = TopControls();
  EXPECT_NE(text().find("waiting for process 11"), std::string::npos);
  all_ended_ = true;
  EXPECT_NE(text().find("all observed processes have ended"), std::string::npos);
}

}  // namespace
}  // namespace zctrace
