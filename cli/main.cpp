// Parses, runs the chosen subcommand, and turns every error into one line and a status.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>

#include "cli/action.h"
#include "cli/json_view.h"
#include "cli/printable.h"
#include "collector/error.h"

namespace {

// One line for what is wrong, one for how it should have been called.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  for (const CLI::App* chosen : app.get_subcommands()) command = chosen;
  std::string usage = command->get_footer();
  usage = usage.substr(0, usage.find('\n'));
  if (usage.empty()) usage = "Usage: zctrace COMMAND [OPTIONS]   (zctrace --help lists the commands)";
  fmt::print(stderr, "zctrace: {}\n{}\n", zctrace::printable(error.what(), false), usage);
  return zctrace::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("See how bytes really move: syscalls, bytes, copies and context switches.", "zctrace");
  app.set_version_flag("-V,--version", "zctrace " + zctrace::version());
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);

  // A command's own words are never ours to parse, whatever they look like.
  char** const end = argv + argc;
  char** const separator = std::find(argv, end, std::string_view("--"));
  zctrace::Separated separated;
  if (separator != end) separated.emplace(separator + 1, end);

  zctrace::Action chosen;
  zctrace::add_run_command(app, separated, chosen);
  zctrace::add_attach_command(app, chosen);
  zctrace::add_compare_command(app, chosen);
  zctrace::add_doctor_command(app, chosen);

  try {
    app.parse(static_cast<int>(separator - argv), argv);
    return chosen();
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  } catch (const zctrace::Error& error) {
    fmt::print(stderr, "zctrace: {}\n", zctrace::printable(error.what(), false));
    return error.exit_code();
  } catch (const std::exception& error) {
    fmt::print(stderr, "zctrace: {}\n", zctrace::printable(error.what(), false));
    return zctrace::kExitFailed;
  }
}
