// SPDX-License-Identifier: MIT
// `zctrace doctor`: what this machine allows, a line each.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

const char* state_name(Requirement::State state) {
  switch (state) {
    case Requirement::State::ok: return "ok";
    case Requirement::State::missing: return "MISSING";
    default: return "absent";
  }
}

int doctor() {
  const Preflight preflight = check_machine(true);
  std::string text;
  for (const Requirement& requirement : preflight.requirements) {
    std::string detail = requirement.detail;
    if (!requirement.remedy.empty()) detail += "; " + requirement.remedy;
    text += fmt::format("{:<8} {:<30} {}\n", state_name(requirement.state), requirement.name,
                        printable(detail, false));
  }
  text += preflight.can_observe()
              ? "\nrun, attach, top, export and compare work here. The smallest set of "
                "capabilities that they need: CAP_BPF and CAP_PERFMON.\n"
              : "\nrun, attach, top, export and compare do not work here; they exit with 77.\n";
  write_all(STDOUT_FILENO, text, "to standard output");
  return preflight.can_observe() ? kExitDone : kExitCannotRun;
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& chosen) {
  CLI::App* command =
      app.add_subcommand("doctor", "Say what this machine allows, and what is missing");
  set_help(*command,
           {"",
            {"Looks at the kernel, its type information (BTF), the capabilities of this user, "
             "lockdown, each tracepoint and FUSE, and loads the BPF programs once if it may."},
            {{"Exit status",
              {{"0", "'zctrace run' works here"},
               {"77", "It does not; the lines marked MISSING say why"}}}},
            {{"See what an ordinary user may do", "zctrace doctor"},
             {"See what root may do", "sudo zctrace doctor"}}});
  command->callback([&chosen] { chosen = doctor; });
}

}  // namespace zctrace
