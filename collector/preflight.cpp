// Each requirement is one function that looks at one thing.
#include "collector/preflight.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "collector/error.h"
#include "collector/skeleton.h"

namespace zctrace {
namespace {

using State = Requirement::State;

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

Requirement kernel_version() {
  utsname names = {};
  ::uname(&names);
  int major = 0;
  int minor = 0;
  std::sscanf(names.release, "%d.%d", &major, &minor);
  const std::string found = std::string(names.release) + " " + names.machine;
  if (major > 6 || (major == 6 && minor >= 1)) return {"kernel", State::ok, found, ""};
  return {"kernel", State::missing, found + " is older than 6.1, the first that zctrace supports",
          "boot a newer kernel"};
}

Requirement kernel_btf() {
  if (::access(kBtf, R_OK) == 0) return {"BTF", State::ok, kBtf, ""};
  return {"BTF", State::missing, std::string(kBtf) + ": " + std::strerror(errno),
          "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"};
}

bool has_capability(cap_value_t capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> own(cap_get_proc(), cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return own && cap_get_flag(own.get(), capability, CAP_EFFECTIVE, &value) == 0 &&
         value == CAP_SET;
}

Requirement capability(cap_value_t wanted, const char* name, const char* purpose) {
  // CAP_SYS_ADMIN includes both (kernel: bpf_capable(), perfmon_capable()).
  if (has_capability(wanted) || has_capability(CAP_SYS_ADMIN))
    return {name, State::ok, purpose, ""};
  return {name, State::missing, std::string("not held, needed to ") + purpose,
          "run as root or with sudo, or: setcap cap_bpf,cap_perfmon=ep zctrace"};
}

Requirement lockdown() {
  std::ifstream file("/sys/kernel/security/lockdown");
  std::string modes;
  if (!std::getline(file, modes)) return {"lockdown", State::ok, "none", ""};
  if (modes.find("[confidentiality]") == std::string::npos)
    return {"lockdown", State::ok, modes, ""};
  return {"lockdown", State::missing, modes + ": no BPF program may read kernel memory",
          "boot without lockdown=confidentiality"};
}

// Tracepoints are functions in BTF; tracefs is not needed, and often not mounted.
std::vector<Requirement> tracepoints() {
  struct Wanted {
    const char* name;
    bool required;
    const char* purpose;
  };
  constexpr Wanted kWanted[] = {
      {"sys_enter", true, "calls: entry"},
      {"sys_exit", true, "calls: results"},
      {"sched_switch", true, "context switches"},
      {"task_newtask", true, "descendants"},
      {"sched_process_exec", true, "commands"},
      {"sched_process_exit", true, "ended tasks"},
      {"io_uring_complete", false, "io_uring operations"},
  };
  std::vector<Requirement> found;
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  for (const Wanted& wanted : kWanted) {
    const std::string type = std::string("btf_trace_") + wanted.name;
    const std::string name = std::string("tracepoint ") + wanted.name;
    if (kernel && btf__find_by_name_kind(kernel.get(), type.c_str(), BTF_KIND_TYPEDEF) >= 0)
      found.push_back({name, State::ok, wanted.purpose, ""});
    else
      found.push_back({name, wanted.required ? State::missing : State::optional_missing,
                       std::string("not in this kernel: no ") + wanted.purpose, ""});
  }
  return found;
}

Requirement fuse() {
  if (::access("/dev/fuse", R_OK | W_OK) == 0) return {"FUSE", State::ok, "/dev/fuse", ""};
  const int error = errno;
  return {"FUSE", State::optional_missing,
          std::string("/dev/fuse: ") + std::strerror(error) + "; `mount` will not work",
          error == ENOENT ? "modprobe fuse" : "let this user read and write it"};
}

// What can be known without reading BTF.
std::vector<Requirement> quick_requirements() {
  return {
      kernel_version(),
      kernel_btf(),
      capability(CAP_BPF, "CAP_BPF", "load BPF programs"),
      capability(CAP_PERFMON, "CAP_PERFMON", "attach them to tracepoints"),
      lockdown(),
  };
}

Requirement trial_load() {
  try {
    const SyscallTable table;
    const Skeleton skeleton(ProbeOptions{}, table);
    return {"BPF programs", State::ok, "loaded, attached and removed again", ""};
  } catch (const Error& error) {
    return {"BPF programs", State::missing, error.what(), ""};
  }
}

}  // namespace

bool Preflight::can_observe() const {
  return std::none_of(requirements.begin(), requirements.end(),
                      [](const Requirement& r) { return r.state == State::missing; });
}

std::string Preflight::reason() const {
  std::string reasons;
  std::vector<std::string> remedies;
  for (const Requirement& requirement : requirements) {
    if (requirement.state != State::missing) continue;
    reasons += (reasons.empty() ? "" : "; ") + requirement.name + " " + requirement.detail;
    if (!requirement.remedy.empty() &&
        std::find(remedies.begin(), remedies.end(), requirement.remedy) == remedies.end())
      remedies.push_back(requirement.remedy);
  }
  for (const std::string& remedy : remedies) reasons += "; " + remedy;
  return reasons;
}

Preflight check_machine(bool load) {
  libbpf_set_print(nullptr);
  Preflight preflight{quick_requirements()};
  for (Requirement& tracepoint : tracepoints())
    preflight.requirements.push_back(std::move(tracepoint));
  preflight.requirements.push_back(fuse());
  if (load && preflight.can_observe()) preflight.requirements.push_back(trial_load());
  return preflight;
}

void require_observation() {
  const Preflight preflight{quick_requirements()};
  if (!preflight.can_observe())
    throw Error("cannot observe here: " + preflight.reason(), kExitCannotRun);
}

}  // namespace zctrace
