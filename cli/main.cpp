// SPDX-License-Identifier: MIT
// Runs the chosen command, and turns every error into one line and a status.
#include <exception>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace {

int fail(const std::string& what, int exit_code, const std::string& usage = "") {
  zctrace::say(zctrace::printable(what, false));
  if (!usage.empty()) zctrace::tell(usage + "\n");
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
