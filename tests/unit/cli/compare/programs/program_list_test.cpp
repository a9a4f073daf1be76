// SPDX-License-Identifier: MIT
// The list of ready programs.
#include "cli/compare/programs/program_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collector/os/error.h"
#include "transfers/external/program.h"

namespace zctrace {
namespace {

constexpr const char* kList =
    "# a comment\n"
    "c-one c unix,tcp proc/self/stat {file} {source} {sink}\n"
    "\n"
    "java-two java file proc/none/Two.class java -cp {dir} Two {source} {sink}\n";

std::vector<std::string> names(const std::vector<ListedProgram>& programs) {
  std::vector<std::string> all;
  for (const ListedProgram& program : programs) all.push_back(program.name);
  return all;
}

TEST(ProgramList, FillsInItsOwnPlaceholders) {
  const auto programs = parse_program_list(kList, "/");
  ASSERT_EQ(names(programs), (std::vector<std::string>{"c-one", "java-two"}));
  EXPECT_EQ(transfers::split_words(programs[0].command),
            (std::vector<std::string>{"/proc/self/stat", "{source}", "{sink}"}));
  EXPECT_EQ(transfers::split_words(programs[1].command),
            (std::vector<std::string>{"java", "-cp", "/proc/none", "Two", "{source}", "{sink}"}));
  EXPECT_TRUE(programs[0].built);
  EXPECT_FALSE(programs[1].built);
}

TEST(ProgramList, QuotesItsDirectory) {
  const auto programs = parse_program_list("a c file x {file}\n", "/it's a {source}");
  EXPECT_EQ(transfers::split_words(programs[0].command).front(), "/it's a {source}/x");
}

TEST(ProgramList, RefusesALineThatIsNotWhole) {
  EXPECT_THROW(parse_program_list("a c file x\n", "/"), Error);
}

TEST(ProgramList, ChoosesByLanguageNameAndSink) {
  const auto programs = parse_program_list(kList, "/");
  EXPECT_EQ(names(choose_programs(programs, "all", "unix")), std::vector<std::string>{"c-one"});
  EXPECT_EQ(names(choose_programs(programs, "c,c-one", "tcp:host:7")),
            std::vector<std::string>{"c-one"});
  EXPECT_EQ(names(choose_programs(programs, "java,c", "file:/tmp")),
            std::vector<std::string>{"java-two"});
  EXPECT_THROW(choose_programs(programs, "java", "unix"), Error);
  EXPECT_THROW(choose_programs(programs, "c-two", "unix"), Error);
}

TEST(ProgramList, SaysWhatIsMissing) {
  const auto programs = parse_program_list(kList, "/");
  EXPECT_EQ(
      missing_text(programs),
      "java-two is not compared: not built; install a compiler of java and run 'make programs'");
  EXPECT_EQ(missing_text({programs[0]}), "");
}

TEST(ProgramList, SaysWhichPackageIsMissing) {
  const auto programs = parse_program_list(
      "one rust file proc/self/stat {file}\n"
      "two rust:librust-two-dev file proc/none/two {file}\n"
      "three go file proc/none/three {file}\n",
      "/");
  EXPECT_EQ(programs[1].language, "rust");
  EXPECT_EQ(missing_text(programs),
            "two and three are not compared: not built; install a compiler of go and "
            "librust-two-dev and run 'make programs'");
  EXPECT_EQ(missing_text({programs[1]}),
            "two is not compared: not built; install a compiler of rust and librust-two-dev and "
            "run 'make programs'");
}

}  // namespace
}  // namespace zctrace
