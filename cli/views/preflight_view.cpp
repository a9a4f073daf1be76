// SPDX-License-Identifier: MIT
// Findings as text and as JSON.
#include "cli/views/preflight_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/text/printable.h"
#include "cli/text/wrap.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using State = Requirement::State;

constexpr const char* kObserving = "run, attach, top, export, compare";

const char* state_name(State state) {
  switch (state) {
    case State::ok: return "ok";
    case State::missing: return "missing";
    case State::unknown: return "unknown";
    case State::optional_missing: break;
  }
  return "absent";
}

}  // namespace

std::string preflight_text(const Preflight& preflight, std::size_t width) {
  constexpr std::size_t kIndent = 11;  // of what a finding needs a second line for
  const auto fitting = [width](const std::string& line, std::size_t indent) {
    return (width == 0 ? line : wrapped(line, width, indent)) + "\n";
  };
  std::size_t names = 0;
  for (const Requirement& requirement : preflight.requirements)
    names = std::max(names, requirement.name.size());
  const auto finding = [&](State state, const std::string& name, const std::string& detail) {
    return fitting(
        fmt::format("{:<8} {:<{}} {}", state == State::missing ? "MISSING" : state_name(state),
                    name, names, detail),
        kIndent);
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
  add(preflight.can_watch_fuse(), "fuse");
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

std::string preflight_json(const Preflight& preflight) {
  nlohmann::ordered_json json;
  json["version"] = version();
  json["can_observe"] = preflight.can_observe();
  json["can_mount"] = preflight.can_mount();
  json["can_watch_fuse"] = preflight.can_watch_fuse();
  json["checks"] = nlohmann::ordered_json::array();
  for (const Requirement& requirement : preflight.requirements) {
    nlohmann::ordered_json check;
    check["name"] = requirement.name;
    check["state"] = state_name(requirement.state);
    check["detail"] = valid_utf8(requirement.detail);
    check["remedy"] = requirement.remedy.empty()
                          ? nlohmann::ordered_json()
                          : nlohmann::ordered_json(valid_utf8(requirement.remedy));
    json["checks"].push_back(std::move(check));
  }
  return json.dump(2) + "\n";
}

}  // namespace zctrace
