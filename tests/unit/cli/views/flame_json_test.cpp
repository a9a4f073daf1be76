// SPDX-License-Identifier: MIT
// The tree of a flame graph.
#include "cli/views/html/flame_json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/views/html/html_page.h"
#include "cli/views/json_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

StackFrame frame(std::string function) {
  StackFrame frame;
  frame.function = std::move(function);
  return frame;
}

// The innermost comes first.
CallStack stack(std::vector<std::string> functions) {
  CallStack stack;
  for (std::string& function : functions) stack.user.push_back(frame(std::move(function)));
  stack.whole = true;
  return stack;
}

const StackSite kRead{7, "cat", "read", Kind::file, Kind::user};

// Those that `frame` called.
std::vector<ordered_json> called_by(const ordered_json& flame, std::size_t frame) {
  std::vector<ordered_json> called;
  for (const ordered_json& one : flame["frames"])
    if (one["parent"] == frame) called.push_back(one);
  return called;
}

std::size_t place_of(const ordered_json& flame, const std::string& name) {
  std::size_t place = 0;
  while (flame["frames"].at(place)["name"] != name) ++place;
  return place;
}

TEST(FlameJson, CallersComeBeforeWhatTheyCall) {
  StackProfile profile(1000);
  profile.add(kRead, stack({"copy", "main"}), 3);
  profile.add(kRead, stack({"main"}), 1);
  const ordered_json flame = flame_json(profile);
  EXPECT_EQ(flame["samples"], 4);
  EXPECT_EQ(flame["left_out"], 0);
  EXPECT_EQ(flame["frames"][0]["parent"], nullptr);
  EXPECT_EQ(flame["frames"][0]["kind"], "all");
  const ordered_json cat = called_by(flame, 0).at(0);
  EXPECT_EQ(cat["name"], "cat");
  EXPECT_EQ(cat["kind"], "process");
  EXPECT_EQ(cat["bytes"], 4000);
  EXPECT_EQ(called_by(flame, place_of(flame, "cat")).at(0)["name"], "main");
  const auto of_main = called_by(flame, place_of(flame, "main"));
  ASSERT_EQ(of_main.size(), 2u);
  EXPECT_EQ(of_main[0]["name"], "copy");
  EXPECT_EQ(called_by(flame, place_of(flame, "copy")).at(0)["name"], "read (file to user)");
  EXPECT_EQ(of_main[1]["kind"], "call");
  EXPECT_EQ(of_main[1]["samples"], 1);
}

TEST(FlameJson, IsBoundedWhateverFunctionsThereAre) {
  StackProfile profile(1000);
  for (int i = 0; i < 6000; ++i)
    profile.add(kRead, stack({std::string(5000, 'f') + std::to_string(i), "main"}),
                i == 9 ? 50 : 1);
  const ordered_json flame = flame_json(profile);
  EXPECT_EQ(flame["frames"].size(), kMostFlameFrames);
  EXPECT_EQ(flame["left_out"], 3 + 2 * 6000 - kMostFlameFrames);
  EXPECT_LT(flame.dump().size(), 800'000u);
  EXPECT_NE(flame.dump().find("\"samples\":50"), std::string::npos);
  for (std::size_t i = 1; i < kMostFlameFrames; ++i) {
    const ordered_json& parent = flame["frames"][i]["parent"];
    ASSERT_LT(parent, i);
    EXPECT_LE(flame["frames"][i]["samples"], flame["frames"][parent.get<std::size_t>()]["samples"]);
  }
}

TEST(FlameJson, HostileNamesStayInThePage) {
  StackProfile profile(1000);
  profile.add({7, "</script>", "read", Kind::file, Kind::user}, stack({"<img src=x>;\n"}), 1);
  ordered_json report = report_json(make_report());
  add_stacks_json(report, &profile);
  const std::string page = html_page(report);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_FALSE(contains(page.substr(page.find("id=\"report\""), 200'000), "</script></"));
}

}  // namespace
}  // namespace zctrace
