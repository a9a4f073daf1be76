// SPDX-License-Identifier: MIT
#include "collector/observe/machine/bpf_loading.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace zctrace {
namespace {

// libbpf reports through a C callback without context. Only one object is loaded at a time.
thread_local std::string last_warning;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) noexcept {
  if (level != LIBBPF_WARN) return 0;
  if (wants_verifier_log()) {  // the verifier's log, in full
    va_list copy;
    va_copy(copy, arguments);
    std::vfprintf(stderr, format, copy);
    va_end(copy);
  }
  char line[512];
  std::vsnprintf(line, sizeof(line), format, arguments);
  // The log of a refused program is long. Its first line names the program; the rest is for
  // developers.
  if (std::strncmp(line, "libbpf: prog", 12) == 0 && last_warning.empty()) {
    last_warning = line + std::strlen("libbpf: ");
    last_warning.resize(std::min(last_warning.find('\n'), last_warning.size()));
  }
  return 0;
}

}  // namespace

void keep_bpf_warnings() {
  last_warning.clear();
  libbpf_set_print(keep_warning);
}

void keep_bpf_warning(const std::string& warning) {
  if (last_warning.empty()) last_warning = warning;
}

bool wants_verifier_log() { return std::getenv("ZCTRACE_DEBUG") != nullptr; }

Error bpf_load_error(const std::string& what, int error) {
  if (error == EMFILE) return too_few_files(what);
  const std::string advice = error == ENOMEM ? "the kernel has not enough memory for the maps"
                                             : "'zctrace doctor' says what is missing";
  return Error(what + (last_warning.empty() ? "" : " (" + last_warning + ")") + ": " +
                   std::generic_category().message(error) + "; " + advice,
               kExitCannotRun);
}

Error too_few_files(const std::string& what) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return Error(what + ": this process may open only " + std::to_string(limit.rlim_cur) +
                   " files; raise the limit: ulimit -n 256",
               kExitCannotRun);
}

std::uint32_t own_pid_namespace() {
  struct stat status = {};
  if (::stat("/proc/self/ns/pid", &status) != 0)
    throw system_error("cannot read /proc/self/ns/pid (to mount it: mount -t proc proc /proc)",
                       errno, kExitCannotRun);
  return static_cast<std::uint32_t>(status.st_ino);
}

void for_each_loaded(
    const bpf_object* object,
    const std::function<void(const bpf_program* program, const bpf_prog_info& info)>& use) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (!bpf_program__autoload(program)) continue;
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) use(program, info);
  }
}

std::uint64_t missed_runs(const bpf_object* object) {
  std::uint64_t missed = 0;
  for_each_loaded(object, [&missed](const bpf_program*, const bpf_prog_info& info) {
    missed += info.recursion_misses;
  });
  return missed;
}

}  // namespace zctrace
