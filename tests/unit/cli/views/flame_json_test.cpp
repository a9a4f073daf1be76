// SPDX-License-Identifier: MIT
// The tree of a flame graph.
#include "cli/views/html/flame_json.h"

#include <gtest/gtest.h>

#include <string>

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

std::size_t frames_in(const ordered_json& node) {
  std::size_t frames = 1;
  if (node.contains("children"))
    for (const ordered_json& child : node["children"]) {
      EXPECT_LE(child["samples"], node["samples"]);
      frames += frames_in(child);
    }
  return frames;
}

TEST(FlameJson, CallersHoldWhatTheyCall) {
  StackProfile profile(1000);
  profile.add(kRead, stack({"copy", "main"}), 3);
  profile.add(kRead, stack({"main"}), 1);
  const ordered_json flame = flame_json(profile);
  EXPECT_EQ(flame["samples"], 4);
  EXPECT_EQ(flame["left_out"], 0);
  const ordered_json& cat = flame["root"]["children"][0];
  EXPECT_EQ(cat["name"], "cat");
  EXPECT_EQ(cat["kind"], "process");
  EXPECT_EQ(cat["bytes"], 4000);
  const ordered_json& main = cat["children"][0];
  EXPECT_EQ(main["name"], "main");
  ASSERT_EQ(main["children"].size(), 2u);
  EXPECT_EQ(main["children"][0]["name"], "copy");
  EXPECT_EQ(main["children"][0]["children"][0]["name"], "read (file to user)");
  EXPECT_EQ(main["children"][1]["kind"], "call");
  EXPECT_EQ(main["children"][1]["samples"], 1);
}

TEST(FlameJson, IsBoundedWhateverFunctionsThereAre) {
  StackProfile profile(1000);
  for (int i = 0; i < 6000; ++i)
    profile.add(kRead, stack({std::string(5000, 'f') + std::to_string(i), "main"}),
                i == 9 ? 50 : 1);
  const ordered_json flame = flame_json(profile);
  EXPECT_EQ(frames_in(flame["root"]), kMostFlameFrames);
  EXPECT_EQ(flame["left_out"], 3 + 2 * 6000 - kMostFlameFrames);
  EXPECT_LT(flame.dump().size(), 800'000u);
  EXPECT_NE(flame.dump().find("\"samples\":50"), std::string::npos);
}

TEST(FlameJson, HostileNamesStayInThePage) {
  StackProfile profile(1000);
  profile.add({7, "</script>", "read", Kind::file, Kind::user}, stack({"<img src=x>;\n"}), 1);
  ordered_json report = report_json(make_report());
  report["stacks"] = flame_json(profile);
  const std::string page = html_page(report);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_FALSE(contains(page.substr(page.find("id=\"report\""), 200'000), "</script></"));
}

}  // namespace
}  // namespace zctrace
