// SPDX-License-Identifier: MIT
// Parses, runs the chosen subcommand, and turns every error into one line and a status.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

#include "cli/commands/action.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/views/json_view.h"
#include "collector/os/error.h"

namespace {

// How the command that was chosen should have been called.
std::string usage_line(const CLI::App& app) {
  const CLI::App* command = &app;
  for (const CLI::App* chosen : app.get_subcommands()) command = chosen;
  std::string usage = command->get_footer();
  usage.resize(std::min(usage.find('\n'), usage.size()));
  return usage.empty() ? "Usage: zctrace COMMAND [OPTIONS]   (zctrace --help lists the commands)"
                       : usage;
}

int fail(const CLI::App& app, const std::string& what, int exit_code) {
  std::string text = "zctrace: " + zctrace::printable(what, false) + "\n";
  if (exit_code == zctrace::kExitUsage) text += usage_line(app) + "\n";
  zctrace::tell(text);
  return exit_code;
}

}  // namespace

// What may still be thrown says that there is no memory.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app("See how bytes really move: syscalls, bytes, copies and context switches.",
               "zctrace");
  app.set_version_flag("-V,--version", "zctrace " + zctrace::version());
  app.require_subcommand(0, 1);
  app.failure_message(CLI::FailureMessage::simple);

  // A command's own words are never ours to parse, whatever they look like.
  char** const end = argv + argc;
  char** const separator = std::find(argv, end, std::string_view("--"));
  zctrace::Separated separated;
  if (separator != end) separated.emplace(separator + 1, end);

  zctrace::Action chosen;
  zctrace::add_run_command(app, separated, chosen);
  zctrace::add_attach_command(app, chosen);
  zctrace::add_top_command(app, chosen);
  zctrace::add_export_command(app, chosen);
  zctrace::add_compare_command(app, chosen);
  zctrace::add_mount_command(app, chosen);
  zctrace::add_doctor_command(app, chosen);

  try {
    app.parse(static_cast<int>(separator - argv), argv);
    if (!chosen) throw CLI::ValidationError("zctrace", "no command given");
    return chosen();
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail(app, error.what(), zctrace::kExitUsage);
  } catch (const zctrace::ReaderGone& gone) {
    return gone.exit_code();
  } catch (const zctrace::Error& error) {
    return fail(app, error.what(), error.exit_code());
  } catch (const std::exception& error) {
    return fail(app, error.what(), zctrace::kExitFailed);
  }
}
