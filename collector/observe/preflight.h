// SPDX-License-Identifier: MIT
// Checks what this machine allows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "collector/observe/machine/network_devices.h"

namespace zctrace {

struct Requirement {
  enum class State { ok, missing, optional_missing, unknown };
  std::string name;
  State state = State::ok;
  std::string detail;  // what was found, or why it is missing
  std::string remedy;  // how to get what is missing
};

struct Preflight {
  std::vector<Requirement> requirements;
  // Whether `run` will work: nothing required is missing.
  bool can_observe() const;
  // Whether `mount` will work.
  bool can_mount() const;
  // Whether `fuse` will work.
  bool can_watch_fuse() const;
  // What is missing, and how to get it, as one line for commands that cannot run.
  std::string reason() const;

 private:
  bool has(const char* name) const;
};

// From files below `root`, which is / except in tests.
Requirement btf_requirement(const std::filesystem::path& root);
Requirement lockdown_requirement(const std::filesystem::path& root);
Requirement tls_requirement(const std::filesystem::path& root);
// Where the kernel has the tracepoints that `zctrace fuse` needs, by its own type information.
enum class FuseTracepoints { built_in, without, in_module };
Requirement fuse_watch_requirement(const std::filesystem::path& root, FuseTracepoints kernel);
// Whether `mount --transport uring` is offered, and switched on.
Requirement fuse_rings_requirement(const std::filesystem::path& root);
// The options of `release`, a kernel's name, that zctrace looks at.
Requirement kernel_config(const std::filesystem::path& root, const std::string& release);
// nullopt: they cannot be asked.
Requirement scatter_gather_requirement(const std::optional<std::vector<NetworkDevice>>& devices);

// Checks the kernel, BTF, capabilities, lockdown, tracepoints and FUSE. With `load`, and if nothing
// else is missing, also loads and attaches the programs once. Does not throw if something is
// missing.
Preflight check_machine(bool load);

// Throws Error (cannot run here) with the reason, when something required is missing. Cheap:
// loads nothing.
void require_observation();
// The same for `zctrace fuse`. Reads BTF.
void require_fuse_watching();

}  // namespace zctrace
