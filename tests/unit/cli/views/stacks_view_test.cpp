// SPDX-License-Identifier: MIT
#include "cli/views/stacks_view.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zctrace {
namespace {

StackFrame named(const std::string& function, const std::string& module) {
  StackFrame frame;
  frame.function = function;
  frame.module = module;
  return frame;
}

const StackSite kSite{4711, "my prog", "read", Kind::file, Kind::user};

StackProfile profile_of(const CallStack& stack, std::uint64_t samples = 3) {
  StackProfile profile(1000);
  profile.add(kSite, stack, samples);
  return profile;
}

TEST(StacksView, FoldedLineGoesFromTheProcessToTheKernel) {
  const CallStack stack{{named("read", "/lib/libc.so.6"), named("main", "/bin/prog")},
                        {named("inner", "[kernel]"), named("outer", "[kernel]")},
                        true};
  EXPECT_EQ(folded_stacks(profile_of(stack)),
            "my prog;main;read;read (file to user);outer_[k];inner_[k] 3000\n");
}

TEST(StacksView, FoldedFramesWithoutNamesAreTheirLibraries) {
  const CallStack stack{
      {named("", "/lib/libx.so.6"), named("", "[vdso]"), named("", "")}, {}, false};
  EXPECT_EQ(folded_stacks(profile_of(stack)),
            "my prog;[incomplete];[unknown];[vdso];[libx.so.6];read (file to user) 3000\n");
}

TEST(StacksView, NamesCannotBreakALine) {
  const CallStack stack{{named("a;b\nc\x1b[31m 7", "/bin/prog")}, {}, true};
  EXPECT_EQ(folded_stacks(profile_of(stack)),
            "my prog;a:b\\nc\\x1b[31m 7;read (file to user) 3000\n");
}

TEST(StacksView, StacksThatLookTheSameAreOneLine) {
  StackProfile profile(10);
  StackFrame frame = named("", "/lib/libx.so");
  for (const std::uint64_t offset : {1, 2, 3}) {
    frame.offset = offset;
    profile.add(kSite, {{frame}, {}, true}, 2);
  }
  EXPECT_EQ(profile.entries().size(), 3u);
  EXPECT_EQ(folded_stacks(profile), "my prog;[libx.so];read (file to user) 60\n");
}

TEST(StacksView, JsonHasTheMarginsAndWhatWasLost) {
  Report report;
  report.command = "run";
  report.host.cpus = 2;
  report.completeness.lost_by_reason["stacks"] = 5;
  StackFrame frame = named("main", "/bin/prog");
  frame.source = "prog.c";
  frame.line = 12;
  frame.own = true;
  const StackProfile profile = profile_of({{frame}, {}, true}, 7);
  const auto json = nlohmann::json::parse(stacks_json(profile, report));
  EXPECT_EQ(json["schema"], "zctrace-stacks/1");
  EXPECT_EQ(json["every_bytes"], 1000);
  EXPECT_EQ(json["samples"], 7);
  EXPECT_EQ(json["bytes"], 7000);
  EXPECT_EQ(json["margin_bytes"], 2000);
  EXPECT_EQ(json["lost"]["stacks"], 5);
  const auto& stack = json["stacks"].at(0);
  EXPECT_EQ(stack["bytes"], 7000);
  EXPECT_EQ(stack["margin_bytes"], profile.margin(7));
  EXPECT_EQ(stack["complete"], true);
  EXPECT_EQ(stack["user"].at(0)["function"], "main");
  EXPECT_EQ(stack["user"].at(0)["source"], "prog.c");
  EXPECT_EQ(stack["user"].at(0)["line"], 12);
  EXPECT_EQ(stack["user"].at(0)["own"], true);
}

TEST(StacksView, JsonIsValidWhateverTheNamesAre) {
  const std::string json = stacks_json(
      profile_of({{named("\xff\xfe\n", "/bin/\x80")}, {named("", "[kernel]")}, true}), {});
  EXPECT_TRUE(nlohmann::json::accept(json));
}

TEST(StacksView, NameOfTheFileChoosesTheFormat) {
  const StackProfile profile = profile_of({});
  EXPECT_TRUE(stacks_view(profile, {}, "/tmp/x.folded").starts_with("my prog;"));
  EXPECT_TRUE(stacks_view(profile, {}, "-").starts_with("{"));
  EXPECT_TRUE(stacks_view(profile, {}, "folded").starts_with("{"));
}

}  // namespace
}  // namespace zctrace
