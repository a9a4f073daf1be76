// SPDX-License-Identifier: MIT
// Each requirement is a function that checks one thing.
#include "collector/observe/preflight.h"

#include <bpf/libbpf.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/machine/kernel_types.h"
#include "collector/observe/profile/sampler.h"
#include "collector/observe/skeleton.h"
#include "collector/os/caller.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/read_file.h"

namespace zctrace {
namespace {

namespace fs = std::filesystem;

using State = Requirement::State;

constexpr const char* kFuse = "FUSE";
constexpr const char* kFuseTracepoints = "FUSE tracepoints";

KernelTypes load_kernel_types() {
  libbpf_set_print(nullptr);  // zctrace reports what is missing
  return KernelTypes();
}

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

// The whole setcap command, because the program may be in any directory.
std::string capability_remedy() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return "use sudo, or: sudo setcap cap_bpf,cap_perfmon=ep " +
         (program.empty() ? "zctrace" : program.string());
}

Requirement capability(cap_value_t wanted, const char* name, const char* purpose) {
  // CAP_SYS_ADMIN includes both (kernel: bpf_capable(), perfmon_capable()).
  if (has_capability(wanted) || has_capability(CAP_SYS_ADMIN))
    return {name, State::ok, purpose, ""};
  return {name, State::missing, std::string("needed to ") + purpose, capability_remedy()};
}

// Those that the BPF programs are attached to, and what each is for.
std::vector<Requirement> tracepoints() {
  struct Wanted {
    std::initializer_list<const char*> names;  // any of them
    bool required;
    const char* purpose;
  };
  const Wanted kWanted[] = {
      {{"sys_enter"}, true, "calls: entry"},
      {{"sys_exit"}, true, "calls: results"},
      {{"sched_switch"}, true, "context switches"},
      {{"task_newtask"}, true, "descendants"},
      {{"sched_process_exec"}, true, "commands"},
      {{"sched_process_exit"}, true, "ended tasks"},
      {{"cgroup_attach_task"}, false, "processes that move into a cgroup (-G, --unit)"},
      {{"sock_send_length"}, false, "true lengths of the messages of sendmmsg"},
      {{"sock_recv_length"}, false, "true lengths of the messages of recvmmsg"},
      {{"io_uring_submit_req", "io_uring_submit_sqe"}, false, "io_uring: multishot requests"},
      {{"io_uring_complete"}, false, "io_uring: operations"},
      {{"io_uring_cqe_overflow"}, false, "io_uring: completions that found no space"},
      {{"skb_copy_datagram_iovec"}, false, "measured copies out of sockets"},
      {{"tcp_sendmsg_locked"}, false, "measured copies, and pages by reference, into TCP"},
      {{"mm_filemap_get_pages"}, false, "kernel functions that read the page cache (--stacks)"},
      {{"writeback_dirty_folio"}, false, "kernel functions that write to files (--stacks)"},
      {{"iomap_dio_rw_begin"}, false, "direct calls told from buffered ones"},
      {{"mm_filemap_map_pages"}, false, "bytes of files mapped around page faults (--by file)"},
      {{"mm_filemap_fault"}, false, "bytes of files mapped by page faults that wait (--by file)"},
      {{"tcp_retransmit_skb"}, false, "segments that TCP sent again (--by peer)"},
  };
  std::vector<Requirement> found;
  const KernelTypes kernel = load_kernel_types();
  if (!kernel) return {{"tracepoints", State::missing, "cannot be found without BTF", ""}};
  const auto exists = [&kernel](const char* name) { return kernel.tracepoint_arguments(name) > 0; };
  for (const Wanted& wanted : kWanted) {
    const auto name = std::find_if(wanted.names.begin(), wanted.names.end(), exists);
    if (name != wanted.names.end())
      found.push_back({std::string("tracepoint ") + *name, State::ok, wanted.purpose, ""});
    else
      found.push_back({std::string("tracepoint ") + *wanted.names.begin(),
                       wanted.required ? State::missing : State::optional_missing,
                       std::string("not in this kernel: no ") + wanted.purpose, ""});
  }
  return found;
}

Requirement fuse() {
  if (::access("/dev/fuse", R_OK | W_OK) == 0) return {kFuse, State::ok, "/dev/fuse", ""};
  const int error = errno;
  return {kFuse, State::optional_missing, std::string("/dev/fuse: ") + std::strerror(error),
          error == ENOENT ? "modprobe fuse" : "sudo chmod 666 /dev/fuse, as most systems have it"};
}

Requirement fuse_tracepoints() {
  const KernelTypes kernel = load_kernel_types();
  if (kernel.tracepoint_arguments("fuse_request_send") > 0)
    return fuse_watch_requirement("/", FuseTracepoints::built_in);
  return fuse_watch_requirement("/", kernel.has_member("fuse_req", "args")
                                         ? FuseTracepoints::without
                                         : FuseTracepoints::in_module);
}

// What --profile needs.
Requirement cpu_profile() {
  const std::string reason = why_no_profile();
  if (reason.empty())
    return {"CPU profile", State::ok, "a clock on each CPU, and the kernel's symbols", ""};
  return {"CPU profile", State::optional_missing, reason, ""};
}

// The programs need the kernel's own BTF. If it is not under /sys, libbpf also looks in the
// kernel's image under /boot, /lib/modules and /usr/lib/debug.
Requirement kernel_btf() {
  Requirement found = btf_requirement("/");
  if (found.state == State::ok || !load_kernel_types()) return found;
  return {found.name, State::ok, "in the kernel's image; not in /sys/kernel/btf", ""};
}

// The checks that do not read BTF, as long as its file exists.
std::vector<Requirement> quick_requirements() {
  return {
      kernel_version(),
      kernel_btf(),
      capability(CAP_BPF, "CAP_BPF", "load BPF programs"),
      capability(CAP_PERFMON, "CAP_PERFMON", "attach them to tracepoints"),
      lockdown_requirement("/"),
  };
}

// Which users' processes can be targets.
Requirement observable_processes() {
  if (!confined_user()) return {"processes", State::ok, "those of every user", ""};
  return {"processes", State::ok,
          "only your own: zctrace has file capabilities, and every user may execute it",
          "to let a group observe every process: chgrp GROUP its file, and chmod 750 it"};
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

Requirement btf_requirement(const fs::path& root) {
  const fs::path path = root / "sys/kernel/btf/vmlinux";
  if (::access(path.c_str(), R_OK) == 0) return {"BTF", State::ok, path.string(), ""};
  const int error = errno;
  const std::string detail = path.string() + ": " + std::strerror(error);
  if (error != ENOENT) return {"BTF", State::missing, detail, "sudo chmod a+r " + path.string()};
  std::error_code ignored;
  if (!fs::exists(root / "sys/kernel", ignored))
    return {"BTF", State::missing, detail,
            "/sys is not mounted here: mount -t sysfs sysfs /sys, or pass it into the container"};
  return {"BTF", State::missing, detail,
          "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y; the kernel itself needs it, so BTF "
          "from another place does not help"};
}

Requirement lockdown_requirement(const fs::path& root) {
  const fs::path directory = root / "sys/kernel/security";
  std::ifstream file(directory / "lockdown");
  std::string modes;
  std::error_code ignored;
  // If the state is unknown, zctrace tries; the kernel refuses if it must.
  if (!std::getline(file, modes) && !fs::exists(directory / "lsm", ignored))
    return {"lockdown", State::unknown, "securityfs is not mounted at " + directory.string(), ""};
  if (modes.find("[confidentiality]") != std::string::npos)
    return {"lockdown", State::missing, "confidentiality: no BPF program may read kernel memory",
            "boot without lockdown=confidentiality; lockdown=integrity is fine"};
  if (modes.find("[integrity]") != std::string::npos)
    return {"lockdown", State::ok, "integrity, which does not affect zctrace", ""};
  return {"lockdown", State::ok, "none", ""};
}

Requirement kernel_config(const fs::path& root, const std::string& release) {
  constexpr std::string_view kOptions[] = {"CONFIG_BPF_SYSCALL", "CONFIG_DEBUG_INFO_BTF",
                                           "CONFIG_TASK_IO_ACCOUNTING", "CONFIG_FUSE_FS"};
  for (const fs::path& path : {root / "proc/config.gz", root / ("boot/config-" + release)}) {
    // gzopen also reads files that are not compressed.
    const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(::gzopen(path.c_str(), "r"), gzclose);
    if (!file) continue;
    std::string found;
    char line[4096];
    while (::gzgets(file.get(), line, sizeof(line)) != nullptr) {
      const std::string_view text(line);
      for (const std::string_view option : kOptions)
        if (text.starts_with(option) && text.substr(option.size(), 1) == "=")
          found += " " + std::string(text.substr(0, text.find('\n')));
    }
    return {"configuration", State::ok, path.string() + ":" + found, ""};
  }
  return {"configuration", State::unknown,
          "neither /proc/config.gz nor /boot/config-" + release + " can be read", ""};
}

Requirement tls_requirement(const fs::path& root) {
  constexpr const char* kName = "kTLS";
  const fs::path path = root / "proc/sys/net/ipv4/tcp_available_ulp";
  std::ifstream file(path);
  std::string one;
  if (!file) return {kName, State::unknown, path.string() + " cannot be read", ""};
  while (file >> one)
    if (one == "tls") return {kName, State::ok, "loaded: devices that encrypt are known", ""};
  return {kName, State::optional_missing,
          "the module tls is not loaded; load it before you observe kTLS, or encryption counts as "
          "work of a CPU, by rule, even where a device does it",
          "sudo modprobe tls"};
}

Requirement fuse_watch_requirement(const fs::path& root, FuseTracepoints kernel) {
  constexpr const char* kFound = "fuse_request_send and fuse_request_end, for 'zctrace fuse'";
  if (kernel == FuseTracepoints::built_in) return {kFuseTracepoints, State::ok, kFound, ""};
  // The module's type information names its tracepoints.
  const std::string module = read_file(root / "sys/kernel/btf/fuse");
  if (module.find("btf_trace_fuse_request_send") != std::string::npos &&
      module.find("btf_trace_fuse_request_end") != std::string::npos)
    return {kFuseTracepoints, State::ok, std::string(kFound) + ", in the module fuse", ""};
  if (module.empty() && kernel == FuseTracepoints::in_module)
    return {kFuseTracepoints, State::optional_missing,
            "the module fuse is not loaded: no 'zctrace fuse'", "sudo modprobe fuse"};
  return {kFuseTracepoints, State::optional_missing, "not in this kernel: no 'zctrace fuse'",
          "boot Linux 6.12 or newer"};
}

Requirement fuse_rings_requirement(const fs::path& root) {
  constexpr const char* kName = "FUSE over io_uring";
  const fs::path path = root / "sys/module/fuse/parameters/enable_uring";
  const std::string value = read_file(path);
  if (value.starts_with('Y'))
    return {kName, State::ok, "switched on, for 'mount --transport uring'", ""};
  if (!value.empty())
    return {kName, State::optional_missing, "switched off: no 'mount --transport uring'",
            "echo Y | sudo tee " + path.string()};
  return {kName, State::optional_missing,
          "neither in this kernel nor in a module that is loaded: no 'mount --transport uring'",
          "sudo modprobe fuse, or boot Linux 6.14 or newer with CONFIG_FUSE_IO_URING"};
}

// Where a device does not gather, the kernel copies what sendfile and splice send over TCP.
Requirement scatter_gather_requirement(const std::optional<std::vector<NetworkDevice>>& devices) {
  constexpr const char* kName = "scatter-gather";
  if (!devices) return {kName, State::unknown, "cannot ask the network devices", ""};
  const auto named = [&devices](std::optional<bool> gathers) {
    std::string names;
    for (const NetworkDevice& device : *devices)
      if (device.gathers == gathers) names += (names.empty() ? "" : ", ") + device.name;
    return names;
  };
  const std::string without = named(false);
  const std::string silent = named(std::nullopt);
  const std::string unknown = silent.empty() ? "" : "; unknown of " + silent;
  if (!without.empty())
    return {kName, State::optional_missing,
            "not in " + without + ": there, sendfile to TCP copies every byte" + unknown,
            "if the device can: sudo ethtool -K DEVICE sg on"};
  const std::string with = named(true);
  if (with.empty())
    return {kName, State::unknown,
            silent.empty() ? "this network namespace has no device" : "unknown of " + silent, ""};
  return {kName, State::ok,
          "in " + with + " of this network namespace: sendfile to TCP copies nothing" + unknown,
          ""};
}

bool Preflight::can_observe() const {
  return std::none_of(requirements.begin(), requirements.end(),
                      [](const Requirement& r) { return r.state == State::missing; });
}

bool Preflight::has(const char* name) const {
  return std::any_of(requirements.begin(), requirements.end(), [name](const Requirement& r) {
    return r.name == name && r.state == State::ok;
  });
}

bool Preflight::can_mount() const { return has(kFuse); }
bool Preflight::can_watch_fuse() const { return can_observe() && has(kFuseTracepoints); }

std::string Preflight::reason() const {
  std::string capabilities;
  std::string reasons;
  std::vector<std::string> remedies;
  for (const Requirement& requirement : requirements) {
    if (requirement.state != State::missing) continue;
    if (requirement.name.starts_with("CAP_"))
      capabilities += (capabilities.empty() ? "no " : " or ") + requirement.name;
    else
      reasons += "; " + requirement.name + ": " + requirement.detail;
    if (!requirement.remedy.empty() &&
        std::find(remedies.begin(), remedies.end(), requirement.remedy) == remedies.end())
      remedies.push_back(requirement.remedy);
  }
  for (const std::string& remedy : remedies) reasons += "; " + remedy;
  return capabilities.empty() ? reasons.substr(2) : capabilities + reasons;
}

Preflight check_machine(bool load) {
  Preflight preflight{quick_requirements()};
  utsname names = {};
  ::uname(&names);
  preflight.requirements.insert(preflight.requirements.begin() + 1,
                                kernel_config("/", names.release));
  for (Requirement& tracepoint : tracepoints())
    preflight.requirements.push_back(std::move(tracepoint));
  preflight.requirements.push_back(tls_requirement("/"));
  preflight.requirements.push_back(scatter_gather_requirement(network_devices()));
  preflight.requirements.push_back(observable_processes());
  preflight.requirements.push_back(fuse());
  preflight.requirements.push_back(fuse_tracepoints());
  preflight.requirements.push_back(fuse_rings_requirement("/"));
  preflight.requirements.push_back(cpu_profile());
  if (load && preflight.can_observe()) preflight.requirements.push_back(trial_load());
  return preflight;
}

void require_observation() {
  rlimit files = {};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < kOpenFiles) throw too_few_files("cannot observe");
  const Preflight preflight{quick_requirements()};
  if (!preflight.can_observe())
    throw Error("cannot observe: " + preflight.reason(), kExitCannotRun);
}

void require_fuse_watching() {
  require_observation();
  const Requirement tracepoints = fuse_tracepoints();
  if (tracepoints.state != State::ok)
    throw Error("cannot watch FUSE: " + tracepoints.name + ": " + tracepoints.detail + "; " +
                    tracepoints.remedy,
                kExitCannotRun);
}

}  // namespace zctrace
