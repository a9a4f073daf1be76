// SPDX-License-Identifier: MIT
// `zctrace doctor`: what this machine allows, a line each.
#include <unistd.h>

#include <memory>
#include <string>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/output/output_file.h"
#include "cli/output/write.h"
#include "cli/text/wrap.h"
#include "cli/views/preflight_view.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

int doctor(const std::string& json) {
  OutputFile file(json);
  const Preflight preflight = check_machine(true);
  if (json.empty())
    write_all(
        STDOUT_FILENO,
        preflight_text(preflight, ::isatty(STDOUT_FILENO) == 1 ? text_width(STDOUT_FILENO) : 0),
        "to standard output");
  else
    file.write(preflight_json(preflight));
  return preflight.can_observe() ? kExitDone : kExitCannotRun;
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& chosen) {
  auto json = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("doctor", "Check what this machine allows, and what is missing");
  command->add_option("--json", *json, "Write the findings as JSON instead; '-' is standard output")
      ->check(file_name())
      ->type_name("FILE")
      ->group("Output");
  set_help(*command,
           {"[OPTIONS]",
            {"Checks the kernel, its type information (BTF), the capabilities of this user, "
             "lockdown, each tracepoint, the kernel's TLS, network devices and FUSE, and loads the "
             "BPF programs once if allowed."},
            {{"Exit status",
              {{"0", "'zctrace run' works here"},
               {"77", "'zctrace run' does not work here; the lines marked MISSING say why"}}}},
            {{"See what an ordinary user may do", "zctrace doctor"},
             {"See what root may do", "sudo zctrace doctor"},
             {"List what is missing, for a script",
              "zctrace doctor --json - | jq '.checks[] | select(.state == \"missing\")'"}}});
  command->callback([json, &chosen] { chosen = [json] { return doctor(*json); }; });
}

}  // namespace zctrace
