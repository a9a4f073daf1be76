// SPDX-License-Identifier: MIT
// The definition that man pages and completions are made from: all that --help shows, and what a
// shell offers for a value.
#include "cli/options/definition.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"

namespace zctrace {
namespace {

using Definition = nlohmann::json;

// An app "tool" with one command "copy", and options of every kind.
class CommandDefinition : public ::testing::Test {
 protected:
  CommandDefinition() : app_("A tool", "tool") {
    CLI::App* const copy = app_.add_subcommand("copy", "Copy a file");
    copy->add_option("source", text_, "What to copy")->type_name("FILE")->group("Arguments");
    copy->add_option("--how", text_, "Choose a way")
        ->check(one_of({"fast", "slow"}))
        ->type_name("WAY")
        ->group("Output");
    copy->add_option("-u,--unit", many_, "Choose units")
        ->expected(1, 10)
        ->check(not_empty())
        ->check(offers({",", "none", "@unit"}))
        ->type_name("UNIT")
        ->group("Output");
    copy->add_option("--log", text_, "Write a log")->check(file_name())->type_name("LOG");
    copy->add_option("--seed", text_, "For tests")->group("");
    copy->add_flag("-q,--quiet", quiet_, "Say nothing")->group("Output");
    set_help(*copy, {"[OPTIONS] FILE", {"Copies."}, {{"Exit status", {{"0", "Success"}}}}, {}});
    CLI::App* const hidden = app_.add_subcommand("hidden", "For tests")->group("");
    set_help(*hidden, {});
    set_help(app_, {"COMMAND", {}, {}, {{"Copy", "tool copy a"}}});
  }

  Definition command(std::size_t index) {
    return Definition::parse(definition_json(app_)).at("commands").at(index);
  }

  Definition option(const std::string& name) {
    const Definition copy = command(1);
    for (const Definition& group : copy.at("groups"))
      for (const Definition& option : group.at("options"))
        for (const Definition& each : option.at("names"))
          if (each == name) return option;
    return nullptr;
  }

  CLI::App app_;
  std::string text_;
  std::vector<std::string> many_;
  bool quiet_ = false;
};

TEST_F(CommandDefinition, HasTheProgramThenItsCommandsWithoutHiddenOnes) {
  const Definition commands = Definition::parse(definition_json(app_)).at("commands");
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands.at(0).at("name"), "tool");
  EXPECT_EQ(commands.at(0).at("examples").at(0).at("command"), "tool copy a");
  EXPECT_EQ(commands.at(1).at("name"), "copy");
  EXPECT_EQ(commands.at(1).at("summary"), "Copy a file");
  EXPECT_EQ(commands.at(1).at("usage"), "[OPTIONS] FILE");
  EXPECT_EQ(commands.at(1).at("lists").at(0).at("entries"),
            Definition::parse(R"([["0", "Success"]])"));
}

TEST_F(CommandDefinition, LeavesHiddenOptionsOut) {
  EXPECT_EQ(option("--seed"), nullptr);
  EXPECT_NE(option("--how"), nullptr);
}

TEST_F(CommandDefinition, KnowsTheValuesOfAnOption) {
  EXPECT_EQ(option("--how").at("offers"), Definition({"fast", "slow"}));
  EXPECT_EQ(option("-u").at("offers"), Definition({",", "none", "@unit"}));
  EXPECT_EQ(option("--log").at("offers"), Definition({"@file"}));
  EXPECT_EQ(option("--log").at("value"), "LOG");
  EXPECT_TRUE(option("-u").at("repeatable"));
  EXPECT_FALSE(option("--how").at("repeatable"));
}

TEST_F(CommandDefinition, TakesAValueCalledFileForAFile) {
  const Definition argument = command(1).at("groups").at(0).at("options").at(0);
  EXPECT_EQ(argument.at("value"), "FILE");
  EXPECT_EQ(argument.at("names"), Definition::array());
  EXPECT_EQ(argument.at("offers"), Definition({"@file"}));
}

TEST_F(CommandDefinition, GivesAFlagNoValue) {
  EXPECT_EQ(option("--quiet").at("names"), Definition({"-q", "--quiet"}));
  EXPECT_TRUE(option("--quiet").at("value").is_null());
  EXPECT_TRUE(option("--quiet").at("offers").empty());
}

TEST_F(CommandDefinition, OffersRefuseNothing) {
  EXPECT_EQ(offers({"a"})("b"), "");
  EXPECT_NE(one_of({"a"})("b"), "");
}

}  // namespace
}  // namespace zctrace
