// SPDX-License-Identifier: MIT
// The rows of programs and commands.
#include "cli/compare/programs/program_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/cli/compare/planning.h"

namespace zctrace {
namespace {

TEST(ProgramPlan, HasARowForEachBufferOnlyIfTheCommandUsesIt) {
  CompareOptions options;
  options.methods = "sendfile/whole";
  options.buffers = "4K,whole";
  options.programs = {"one=cat {source} {sink}", "more=dd bs={buffer} of={sink}"};
  const ComparePlan plan = plan_compare(options);
  EXPECT_EQ(labels(plan.rows),
            (std::vector<std::string>{"sendfile/whole", "one", "more/4K", "more/whole"}));
  EXPECT_EQ(plan.rows[2].buffer.bytes, 4096U);
  EXPECT_EQ(plan.rows[3].buffer_bytes, std::nullopt);
  EXPECT_TRUE(plan.has_programs());
}

TEST(ProgramPlan, CanBeTheBaseline) {
  CompareOptions options;
  options.programs = {"mine=mine {sink}"};
  options.baseline = "mine";
  EXPECT_EQ(plan_compare(options).baseline, "mine");
}

TEST(ProgramPlan, NeedsAtLeastOneRow) {
  CompareOptions options;
  options.methods = "none";
  EXPECT_EQ(usage_error(options), "--methods none: there is nothing to compare without --program");
  options.programs = {"mine=mine {sink}"};
  EXPECT_EQ(labels(plan_compare(options).rows), std::vector<std::string>{"mine"});
}

TEST(ProgramPlan, GivesPortsOnlyToTcp) {
  CompareOptions options;
  options.programs = {"mine=mine {host} {port}"};
  EXPECT_EQ(usage_error(options), "--program mine: {host} needs --to tcp");
  options.route.to = "tcp";
  EXPECT_EQ(usage_error(options), "");
}

TEST(CommandPlan, SplitsAtItsSeparator) {
  CompareOptions options;
  options.commands = {"cp", "a b", "c", ":::", "true", ":::", "cp", "a b", "c"};
  const ComparePlan plan = plan_compare(options);
  EXPECT_TRUE(plan.commands);
  EXPECT_EQ(labels(plan.rows), (std::vector<std::string>{"cp 'a b' c", "true", "cp 'a b' c (2)"}));
  EXPECT_EQ(plan.rows[0].program->words, (std::vector<std::string>{"cp", "a b", "c"}));
  EXPECT_FALSE(plan.rows[0].program->has_placeholders);
}

TEST(CommandPlan, CutsLongNames) {
  const auto rows = plan_commands({"echo", std::string(1000, 'x'), ":::", "true"});
  EXPECT_LE(rows[0].label.size(), 50U);
  EXPECT_EQ(rows[0].program->words[1].size(), 1000U);
}

}  // namespace
}  // namespace zctrace
