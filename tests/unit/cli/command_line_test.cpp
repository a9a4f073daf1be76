// SPDX-License-Identifier: MIT
// What zctrace makes of the words that a user types: nothing is run here.
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using Words = std::vector<std::string>;

// The message of the usage error that these words end in; "" when there is none.
std::string usage_error(const Words& words) {
  CommandLine line(words);
  try {
    line.parse();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage) << error.what();
    return error.what();
  }
  return "";
}

std::string usage_after(const Words& words) {
  CommandLine line(words);
  try {
    line.parse();
  } catch (const Error&) {
  }
  return line.usage();
}

std::string help(const std::string& command, std::size_t width = 80) {
  return CommandLine({}).help(command, width);
}

const Words kCommands = {"run",    "attach", "top",  "export", "compare", "drain",  "mount",
                         "report", "diff",   "fuse", "doctor", "help",    "version"};

TEST(CommandLine, SuggestsTheCommandThatWasMeant) {
  EXPECT_EQ(usage_error({"rnu"}), "unknown command 'rnu'; did you mean 'run'?");
  EXPECT_EQ(usage_error({"atach", "-p", "1"}), "unknown command 'atach'; did you mean 'attach'?");
  EXPECT_EQ(usage_error({"help", "docter"}), "unknown command 'docter'; did you mean 'doctor'?");
  EXPECT_EQ(usage_error({"frobnicate"}),
            "unknown command 'frobnicate'; 'zctrace help' lists the commands");
}

TEST(CommandLine, SuggestsTheOptionThatWasMeant) {
  EXPECT_EQ(usage_error({"run", "--hlep"}), "unknown option '--hlep'; did you mean '--help'?");
  EXPECT_EQ(usage_error({"attach", "-a", "--durration=5"}),
            "unknown option '--durration'; did you mean '--duration'?");
  EXPECT_EQ(usage_error({"--verzion"}), "unknown option '--verzion'; did you mean '--version'?");
  EXPECT_EQ(usage_error({"run", "-x", "--", "true"}), "unknown option '-x'");
  // Hidden options are not suggested.
  EXPECT_EQ(usage_error({"run", "--rooms", "--", "true"}), "unknown option '--rooms'");
}

TEST(CommandLine, NamesTheFirstWordThatHasNoMeaning) {
  EXPECT_EQ(usage_error({"compare", "--xml", "x"}), "unknown option '--xml'");
  EXPECT_EQ(usage_error({"doctor", "a", "b"}), "unexpected argument 'a'");
  EXPECT_EQ(usage_error({"run", "true", "--", "true"}), "unexpected argument 'true'");
  EXPECT_EQ(usage_error({"-q", "run", "--", "true"}), "unknown option '-q'");
}

TEST(CommandLine, HintsAtTheOptionForATarget) {
  EXPECT_EQ(usage_error({"attach", "nginx"}),
            "unexpected argument 'nginx'; processes are chosen by name with -n nginx");
  EXPECT_EQ(usage_error({"top", "4711"}),
            "unexpected argument '4711'; a process is chosen with -p 4711");
  EXPECT_EQ(usage_error({"export", "nginx.service"}),
            "unexpected argument 'nginx.service'; a unit is chosen with --unit nginx.service");
}

TEST(CommandLine, SaysWhatIsMissing) {
  EXPECT_EQ(usage_error({"run"}), "no command given");
  EXPECT_EQ(usage_error({"run", "--"}), "no command given");
  EXPECT_EQ(usage_error({"run", "--json"}), "option '--json' needs a value: --json FILE");
  EXPECT_EQ(usage_error({"attach", "-p"}), "option '-p' needs a value: -p PID[,PID...]");
  EXPECT_EQ(usage_error({"attach"}),
            "no target: give -p PID, -n GLOB, -G CGROUP, --unit NAME or -a");
  EXPECT_EQ(usage_error({"mount"}), "missing SOURCE");
  EXPECT_EQ(usage_error({"mount", "/tmp"}), "missing MOUNTPOINT");
}

TEST(CommandLine, NamesAnOptionAsItWasTyped) {
  EXPECT_EQ(usage_error({"top", "--interval", "1ms"}), "--interval: must be at least 100 ms");
  EXPECT_EQ(usage_error({"top", "-i", "1ms"}), "-i: must be at least 100 ms");
  EXPECT_EQ(usage_error({"top", "-i1ms"}), "-i: must be at least 100 ms");
  EXPECT_EQ(usage_error({"top", "--interval=1ms"}), "--interval: must be at least 100 ms");
}

TEST(CommandLine, SaysAValueOnce) {
  EXPECT_EQ(usage_error({"attach", "-a", "-d", "0"}), "-d: must be greater than 0");
  EXPECT_EQ(usage_error({"attach", "-a", "-d", "10x"}),
            "-d: invalid duration '10x': unknown unit 'x'; give seconds (10, 0.5) or a unit "
            "(500ms, 10s, 5m, 1h)");
  EXPECT_EQ(usage_error({"attach", "-p", "abc"}), "invalid PID 'abc'");
  EXPECT_EQ(usage_error({"attach", "-p", "1,,2"}), "invalid PID ''");
  EXPECT_EQ(usage_error({"run", "--by", "treads", "--", "true"}),
            "--by: 'treads' is not one of process, thread, syscall, flow, file, peer, port; "
            "did you mean 'thread'?");
  EXPECT_EQ(usage_error({"compare", "--runs", "0"}), "--runs: '0' is not a number from 1 to 10000");
  EXPECT_EQ(usage_error({"compare", "--runs", "many"}),
            "--runs: 'many' is not a number from 1 to 10000");
  EXPECT_EQ(usage_error({"compare", "--size", "1X"}),
            "--size: invalid size '1X': unknown unit 'X'; give bytes, or powers of 1024 such as "
            "4K, 64M, 1G");
  EXPECT_EQ(usage_error({"compare", "--size", "0"}), "--size: must be greater than 0");
}

TEST(CommandLine, TakesPlainSeconds) {
  EXPECT_EQ(usage_error({"attach", "-a", "-d", "10"}), "");
  EXPECT_EQ(usage_error({"top", "-d", "0.5", "-i", "0.1"}), "");
  EXPECT_EQ(usage_error({"mount", "-i", "1", "/tmp", "/mnt"}), "");
}

TEST(CommandLine, ListsSyscallsWithoutATarget) {
  EXPECT_EQ(usage_error({"attach", "-e", "list"}), "");
  EXPECT_EQ(usage_error({"run", "-e", "list"}), "");
}

TEST(CommandLine, LeavesTheWordsOfACommandAlone) {
  EXPECT_EQ(usage_error({"run", "--", "ls", "--nosuchoption"}), "");
  EXPECT_EQ(usage_error({"run", "-q", "ls", "--nosuchoption"}), "");
  EXPECT_EQ(usage_error({"run", "help"}), "");
}

TEST(CommandLine, SaysHowACommandIsCalled) {
  EXPECT_EQ(usage_after({"run"}), "Usage: zctrace run [OPTIONS] -- COMMAND [ARGUMENT...]");
  EXPECT_EQ(usage_after({"rnu"}), "Usage: zctrace COMMAND [OPTIONS]");
  EXPECT_EQ(usage_after({"mount"}), "Usage: zctrace mount [OPTIONS] SOURCE MOUNTPOINT");
}

TEST(Help, HasOneUsageLine) {
  for (const std::string& command : kCommands) {
    const std::string text = help(command);
    EXPECT_EQ(text.find("Usage: "), text.rfind("Usage: ")) << text;
    EXPECT_NE(text.find("Usage: zctrace " + command), std::string::npos) << text;
  }
}

TEST(Help, FitsTheWidth) {
  Words commands = kCommands;
  commands.emplace_back();
  for (const std::size_t width : {60U, 80U, 100U})
    for (const std::string& command : commands) {
      std::istringstream lines(help(command, width));
      bool examples = false;  // they are for copying and are not broken
      for (std::string line; std::getline(lines, line);) {
        examples = examples || line == "Examples:";
        EXPECT_LE(display_width(line), examples ? 80 : width) << command << ": " << line;
        EXPECT_FALSE(line.ends_with(' ')) << command << ": " << line;
      }
    }
}

TEST(Help, ShowsNoTypesOfTheParser) {
  for (const std::string& command : kCommands) {
    const std::string text = help(command);
    for (const char* noise : {"UINT", "TEXT", "FLOAT", " in [", ":{", "REQUIRED", "Positionals"})
      EXPECT_EQ(text.find(noise), std::string::npos) << noise << " in " << text;
  }
}

TEST(Help, HasThreeExamplesAndExitStatuses) {
  for (const char* command : {"", "run", "attach", "top", "export", "compare", "mount", "fuse"}) {
    const std::string text = help(command);
    std::size_t examples = 0;
    for (std::size_t at = text.find("\n  # "); at != std::string::npos;
         at = text.find("\n  # ", at + 1))
      ++examples;
    EXPECT_GE(examples, 3U) << text;
    EXPECT_NE(text.find("\nExit status:\n"), std::string::npos) << text;
  }
}

TEST(Help, HasAnExampleForEveryCommand) {
  for (const std::string& command : kCommands)
    EXPECT_NE(help(command).find("\nExamples:\n  # "), std::string::npos) << help(command);
}

TEST(Help, ShowsDefaults) {
  EXPECT_NE(help("run").find("(default: %io)"), std::string::npos);
  EXPECT_NE(help("top", 100).find("(default: 1s)"), std::string::npos);
  EXPECT_NE(help("compare").find("(default: 5)"), std::string::npos);
}

}  // namespace
}  // namespace zctrace
