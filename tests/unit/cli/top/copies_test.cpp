// SPDX-License-Identifier: MIT
// What `top` says of CPU copies: of rows, of processes, and where a share is only a bound.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

class TopCopies : public Top {
 protected:
  // Two samples of processes with these rows, the counts of the second three times as large.
  void show(std::vector<Row> rows) {
    controls_ = TopControls();
    model_ = TopModel();
    for (const std::uint64_t factor : {1, 3}) {
      Report report = sample(factor);
      report.processes.resize(1);
      report.processes[0].rows.clear();
      for (Row row : rows) {
        for (const auto& field : kRowFields) row.*field.member *= factor;
        report.processes[0].rows.push_back(row);
      }
      controls_.show(model_.add(report, seconds(factor - 1)));
    }
  }

  static Row moved(const std::string& syscall, Kind from, Kind to, Copy copy, Verdict verdict,
                   std::uint64_t copied) {
    Row row = zctrace::row(syscall, from, to, copy, 10, 10240);
    row.cpu_copied_bytes = copied;
    row.verdict = verdict;
    return row;
  }
  static Row sendfile() {
    return moved("sendfile", Kind::file, Kind::socket, Copy::in_kernel, Verdict::by_reference, 0);
  }
  static Row fallback() {
    return moved("write", Kind::user, Kind::file, Copy::copied, Verdict::buffered, 10240);
  }
};

TEST_F(TopCopies, OfARowAreShownAt80Columns) {
  show({sendfile(), fallback()});
  press(KeyPress::enter);
  const std::string narrow = text(80);
  EXPECT_NE(narrow.find("BYTES/s COPY"), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("sendfile         file>sock          10   10.0K    0"), std::string::npos)
      << narrow;
  EXPECT_NE(narrow.find("write            user>file          10   10.0K    1"), std::string::npos)
      << narrow;
  EXPECT_EQ(narrow.find("HOW"), std::string::npos) << narrow;
}

TEST_F(TopCopies, OfARowHaveAVerdictWhereThereIsSpace) {
  show({sendfile(), fallback()});
  press(KeyPress::enter);
  EXPECT_NE(text(100).find("sent by reference"), std::string::npos) << text(100);
  EXPECT_NE(text(160).find("asked for direct, got buffered"), std::string::npos) << text(160);
}

TEST_F(TopCopies, OfAProcessHaveTheVerdictThatItDidNotAskForFirst) {
  show({sendfile(), sendfile(), fallback()});
  EXPECT_EQ(text(120).find("HOW"), std::string::npos) << text(120);
  EXPECT_NE(text(160).find("HOW"), std::string::npos) << text(160);
  EXPECT_NE(text(160).find("asked for direct, got buffered"), std::string::npos) << text(160);
  EXPECT_NE(text(200).find("asked for direct, got buffered"), std::string::npos) << text(200);
  show({sendfile()});
  EXPECT_NE(text(160).find("sent by reference"), std::string::npos) << text(160);
  show({moved("write", Kind::user, Kind::file, Copy::copied, Verdict::none, 10240)});
  EXPECT_NE(text(160).find("HOW"), std::string::npos) << "columns stay";
}

TEST_F(TopCopies, MakeTheZeroCopyShareOfLentMemoryALowerBound) {
  const Row read = moved("read", Kind::file, Kind::user, Copy::copied, Verdict::none, 10240);
  const Row lent = moved("sendto", Kind::user, Kind::socket, Copy::copied, Verdict::zerocopy, 0);
  show({read, lent, lent, lent, lent});
  EXPECT_NE(text(80).find("zero-copy ###. >=75%"), std::string::npos) << text(80);
  EXPECT_NE(text(80).find(" ###. >=75% "), std::string::npos) << text(80);
  EXPECT_NE(text(80, 24, true).find("  ≥75% "), std::string::npos) << text(80, 24, true);
  EXPECT_NE(text(50, 10).find(" >=75%"), std::string::npos) << text(50, 10);
  show({lent});
  EXPECT_EQ(text(80).find(">="), std::string::npos) << text(80);
}

}  // namespace
}  // namespace zctrace
