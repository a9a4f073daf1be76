// SPDX-License-Identifier: MIT
// Runs the chosen command, and turns every error into one line and a status.
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/options/help_formatter.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace {

int fail(const std::string& what, int exit_code, const std::string& usage = "") {
  std::string text = "zctrace: " + zctrace::printable(what, false);
  // A terminal would break lines inside words; a program that reads a pipe expects one line.
  if (::isatty(STDERR_FILENO) == 1)
    text = zctrace::wrapped(text, zctrace::help_width(STDERR_FILENO), 2);
  text += "\n";
  if (!usage.empty()) text += usage + "\n";
  zctrace::tell(text);
  return exit_code;
}

}  // namespace

// An exception that is thrown here means that there is no memory.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  zctrace::CommandLine command_line(std::vector<std::string>(argv + (argc > 0), argv + argc));
  try {
    return command_line.parse()();
  } catch (const zctrace::ReaderGone& gone) {
    return gone.exit_code();
  } catch (const zctrace::Error& error) {
    return fail(error.what(), error.exit_code(),
                error.exit_code() == zctrace::kExitUsage ? command_line.usage() : "");
  } catch (const std::exception& error) {
    return fail(error.what(), zctrace::kExitFailed);
  }
}
