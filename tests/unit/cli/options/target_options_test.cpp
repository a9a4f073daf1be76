// SPDX-License-Identifier: MIT
// Targets as they are typed.
#include "cli/options/target_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace zctrace {
namespace {

using PidList = std::vector<pid_t>;

Targets targets_of(std::vector<std::string> words) {
  CLI::App app;
  TargetOptions options;
  add_target_options(app, options);
  app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  return parse_targets(options, true);
}

TEST(TargetOptions, KeepBracketsAndCommas) {
  for (const std::string name : {"[ab]", "[ab]*", "[kworker/0:1]", "[a,b]", "[]", "[[a]]", "a,b"}) {
    EXPECT_EQ(targets_of({"-n", name}).names, std::vector<std::string>{name});
    EXPECT_EQ(targets_of({"-n" + name}).names, std::vector<std::string>{name});
    EXPECT_EQ(targets_of({"--name=" + name}).names, std::vector<std::string>{name});
    EXPECT_EQ(targets_of({"-G", name}).cgroups, std::vector<std::string>{name});
    EXPECT_EQ(targets_of({"--unit", name}).units, std::vector<std::string>{name});
  }
}

TEST(TargetOptions, TakeSeveralValuesAndMayBeRepeated) {
  EXPECT_EQ(targets_of({"-p", "1", "2", "--pid", "3,4", "-p5"}).pids, (PidList{1, 2, 3, 4, 5}));
  EXPECT_EQ(targets_of({"-n", "a", "[b]", "-n", "c"}).names,
            (std::vector<std::string>{"a", "[b]", "c"}));
  const Targets all = targets_of({"-n", "a", "-G", "/b", "/c", "--unit", "d.service", "-a"});
  EXPECT_EQ(all.names, std::vector<std::string>{"a"});
  EXPECT_EQ(all.cgroups, (std::vector<std::string>{"/b", "/c"}));
  EXPECT_EQ(all.units, std::vector<std::string>{"d.service"});
  EXPECT_TRUE(all.all);
}

TEST(TargetOptions, APidInBracketsIsInvalid) { EXPECT_THROW(targets_of({"-p", "[1,2]"}), Error); }

}  // namespace
}  // namespace zctrace
