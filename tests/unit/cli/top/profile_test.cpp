// SPDX-License-Identifier: MIT
// The column of `top --profile`.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "cli/top/view.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

TEST(TopProfile, RowsSayWhatTheirCpuTimeWasSpentOnWhereThereIsAProfile) {
  TopModel model;
  TopControls controls;
  Process writer = process_of({row("write", Kind::user, Kind::socket, Copy::copied, 9, 9000)}, 11);
  unsigned at = 0;
  const auto text = [&] {
    controls.show(model.add(report_of({writer}), std::chrono::seconds(at++)));
    TopSurroundings around;
    around.size = {120, 24};
    std::string all;
    for (const auto& line : top_frame(controls, around).lines)
      for (const Span& span : line) all += span.text;
    return all;
  };
  text();
  controls.press({KeyPress::enter});
  controls.press({KeyPress::character, U't'});
  EXPECT_EQ(text().find("MOST CPU IN"), std::string::npos);
  CpuProfile& profile = writer.rows[0].cpu;
  profile.hz = 997;
  EXPECT_NE(text().find("MOST CPU IN"), std::string::npos);
  profile.of(CpuClass::copy) = 1;  // which says nothing
  EXPECT_EQ(text().find("100% copy"), std::string::npos) << text();
  profile.of(CpuClass::copy) = 300;
  profile.of(CpuClass::network) = 100;
  EXPECT_NE(text().find("75% copy"), std::string::npos) << text();
}

}  // namespace
}  // namespace zctrace
