// SPDX-License-Identifier: MIT
// `zctrace doctor`: what this machine allows, a line each.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/output/output_file.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/text/wrap.h"
#include "cli/views/json_view.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using State = Requirement::State;

constexpr const char* kObserving = "run, attach, top, export, compare";

// `width`: of the terminal; 0: each finding is one line.
std::string text_of(const Preflight& preflight, std::size_t width) {
  constexpr std::size_t kIndent = 11;  // of what a finding needs a second line for
  const auto fitting = [width](const std::string& line, std::size_t indent) {
    return (width == 0 ? line : wrapped(line, width, indent)) + "\n";
  };
  const auto label = [](State state) {
    switch (state) {
      case State::ok: return "ok";
      case State::missing: return "MISSING";
      case State::unknown: return "unknown";
      default: return "absent";
    }
  };
  std::size_t names = 0;
  for (const Requirement& requirement : preflight.requirements)
    names = std::max(names, requirement.name.size());
  const auto finding = [&](State state, const std::string& name, const std::string& detail) {
    return fitting(fmt::format("{:<8} {:<{}} {}", label(state), name, names, detail), kIndent);
  };
  std::string text = finding(State::ok, "zctrace", version());
  std::set<std::string> remedies;  // each is printed once
  for (const Requirement& requirement : preflight.requirements) {
    std::string detail = requirement.detail;
    if (!requirement.remedy.empty() && remedies.insert(requirement.remedy).second)
      detail += "; " + requirement.remedy;
    text += finding(requirement.state, requirement.name, printable(detail, false));
  }
  std::string works;
  std::string fails;
  const auto add = [&](bool can, const std::string& commands) {
    std::string& list = can ? works : fails;
    list += (list.empty() ? "" : ", ") + commands;
  };
  add(preflight.can_observe(), kObserving);
  add(preflight.can_mount(), "mount");
  add(preflight.can_observe() && preflight.can_mount(), "mount --observe");
  text += "\n";
  if (!works.empty()) text += fitting("Works here: " + works + ".", 0);
  if (!fails.empty()) text += fitting("Does not work here: " + fails + ".", 0);
  text += fitting(preflight.can_observe()
                      ? "Observing needs the capabilities CAP_BPF and "
                        "CAP_PERFMON, until the programs are loaded. Then 'run' keeps "
                        "CAP_KILL, and 'attach', 'top' and 'export' keep none, or "
                        "CAP_SYS_PTRACE with -n."
                      : "Commands that cannot observe exit with status 77.",
                  0);
  return text;
}

std::string json_of(const Preflight& preflight) {
  const auto label = [](State state) {
    switch (state) {
      case State::ok: return "ok";
      case State::missing: return "missing";
      case State::unknown: return "unknown";
      default: return "absent";
    }
  };
  nlohmann::ordered_json json;
  json["version"] = version();
  json["can_observe"] = preflight.can_observe();
  json["can_mount"] = preflight.can_mount();
  json["checks"] = nlohmann::ordered_json::array();
  for (const Requirement& requirement : preflight.requirements) {
    nlohmann::ordered_json check;
    check["name"] = requirement.name;
    check["state"] = label(requirement.state);
    check["detail"] = valid_utf8(requirement.detail);
    check["remedy"] = requirement.remedy.empty()
                          ? nlohmann::ordered_json()
                          : nlohmann::ordered_json(valid_utf8(requirement.remedy));
    json["checks"].push_back(std::move(check));
  }
  return json.dump(2) + "\n";
}

int doctor(const std::string& json) {
  OutputFile file(json);
  const Preflight preflight = check_machine(true);
  if (json.empty())
    write_all(STDOUT_FILENO,
              text_of(preflight, ::isatty(STDOUT_FILENO) == 1 ? text_width(STDOUT_FILENO) : 0),
              "to standard output");
  else
    file.write(json_of(preflight));
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
