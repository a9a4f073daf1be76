// SPDX-License-Identifier: MIT
// Reads /proc and the cgroup hierarchy.
#include "collector/observe/targets.h"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <system_error>

#include "collector/os/error.h"
#include "collector/os/mountinfo.h"
#include "collector/os/proc_status.h"

namespace zctrace {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> pid_of(const fs::path& name) {
  const std::string text = name.string();
  pid_t pid = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return pid;
}

std::string first_line(const std::optional<std::string>& text) {
  return text ? text->substr(0, text->find('\n')) : std::string();
}

bool matches(const std::vector<std::string>& globs, const std::string& name) {
  return !name.empty() && std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  });
}

// The directories with that name, except those inside another one. A directory that is removed
// meanwhile has none. A recursive_directory_iterator would stop there and miss the rest.
void find_directories(const fs::path& below, const std::string& name,
                      std::vector<fs::path>& found) {
  std::error_code ignored;
  for (auto entry = fs::directory_iterator(below, ignored); entry != fs::directory_iterator();
       entry.increment(ignored)) {
    if (!fs::is_directory(entry->symlink_status(ignored))) continue;
    if (entry->path().filename() == name)
      found.push_back(entry->path());
    else
      find_directories(entry->path(), name, found);
  }
}

}  // namespace

std::string description(const Targets& targets) {
  if (targets.all) return "every process";  // whatever else is named is among them
  std::string words;
  const auto add = [&words](const std::string& kind, const std::string& name) {
    words += (words.empty() ? "" : ", ") + kind + name;
  };
  for (const pid_t pid : targets.pids) add("process ", std::to_string(pid));
  for (const std::string& name : targets.names) add("processes named ", name);
  for (const std::string& path : targets.cgroups) add("cgroup ", path);
  for (const std::string& unit : targets.units) add("unit ", unit);
  return words;
}

void TargetFinder::require_own_proc() const {
  std::error_code error;
  const fs::path self = fs::read_symlink(root_ / "proc/self", error);
  if (error)
    throw system_error("cannot read /proc/self (to mount it: mount -t proc proc /proc)",
                       error.value(), kExitCannotRun);
  if (self != std::to_string(::getpid()))
    throw Error(
        "/proc belongs to another PID namespace; mount that of this one: mount -t proc proc /proc",
        kExitCannotRun);
}

bool TargetFinder::proc_hides_processes() const {
  std::ifstream mounts(root_ / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);)
    if (line.find(" - proc ") != std::string::npos && line.find("hidepid=") != std::string::npos)
      return true;
  return false;
}

std::string TargetFinder::status_path(pid_t pid) const {
  return (root_ / "proc" / std::to_string(pid) / "status").string();
}

void TargetFinder::require_process(pid_t pid, std::optional<uid_t> user) const {
  const std::string what = "cannot observe process " + std::to_string(pid) + ": ";
  const std::string path = status_path(pid);
  const std::optional<std::string> status = proc_->read_one(path);
  if (!status && proc_->is_silent(path))
    throw Error(what + path + " does not answer; try again in ten seconds");
  if (!status) throw Error(what + "no such process");
  const std::string_view tgid = status_field(*status, "Tgid");
  if (tgid.empty()) return;
  const long leader = std::strtol(std::string(tgid).c_str(), nullptr, 10);
  if (leader != pid)
    throw Error(what + "it is a thread of process " + std::to_string(leader) + "; give -p " +
                std::to_string(leader));
  const std::string owner(status_field(*status, "Uid"));  // real, effective, saved, file system
  if (user && std::strtoul(owner.c_str(), nullptr, 10) != *user)
    throw Error(what +
                "it belongs to another user, and zctrace may observe only your own "
                "processes; 'zctrace doctor' says why");
}

bool TargetFinder::is_running(pid_t pid) const {
  const std::string path = status_path(pid);
  const std::optional<std::string> status = proc_->read_one(path);
  if (!status && proc_->is_silent(path)) return true;
  const std::string_view state = status ? status_field(*status, "State") : std::string_view();
  return !state.empty() && state.find_first_of("ZX") == std::string_view::npos;
}

std::vector<pid_t> TargetFinder::processes_named(const std::vector<std::string>& globs) const {
  std::vector<pid_t> pids;
  std::vector<ProcRequest> wanted;
  std::error_code ignored;  // processes come and go while the directory is read
  for (auto entry = fs::directory_iterator(root_ / "proc", ignored);
       entry != fs::directory_iterator(); entry.increment(ignored)) {
    const auto pid = pid_of(entry->path().filename());
    if (!pid) continue;
    pids.push_back(*pid);
    wanted.push_back({(entry->path() / "comm").string()});
  }
  // A process can make the read of its executable wait, but not that of its comm. Another user's
  // executable cannot be read without privileges.
  std::vector<pid_t> found;
  std::vector<pid_t> others;
  const std::vector<std::optional<std::string>> comms = proc_->read(wanted);
  wanted.clear();
  for (std::size_t i = 0; i < pids.size(); i++) {
    if (matches(globs, first_line(comms[i]))) {
      found.push_back(pids[i]);
      continue;
    }
    others.push_back(pids[i]);
    wanted.push_back({(root_ / "proc" / std::to_string(pids[i]) / "exe").string(), true});
  }
  const std::vector<std::optional<std::string>> executables = proc_->read(wanted);
  for (std::size_t i = 0; i < others.size(); i++) {
    std::string base = fs::path(executables[i].value_or("")).filename().string();
    if (const auto deleted = base.find(" (deleted)"); deleted != std::string::npos)
      base.resize(deleted);
    if (matches(globs, base)) found.push_back(others[i]);
  }
  std::sort(found.begin(), found.end());
  return found;
}

fs::path TargetFinder::cgroup_mount() const {
  for (const MountEntry& mount : read_mounts(root_ / "proc/self/mountinfo"))
    if (mount.type == "cgroup2") return root_ / fs::path(mount.target).relative_path();
  throw Error(
      "cannot find cgroups: cgroup v2 is not mounted; mount it: mount -t cgroup2 none "
      "/sys/fs/cgroup");
}

fs::path TargetFinder::cgroup_directory(const std::string& path) const {
  const fs::path mount = cgroup_mount();
  // The file system would end the path at the zero byte and check only the part before it.
  if (path.find('\0') != std::string::npos)
    throw Error("invalid cgroup path: it contains a zero byte");
  std::error_code ignored;
  const fs::path canonical_mount = fs::weakly_canonical(mount, ignored);
  for (const fs::path& top : {root_, mount}) {
    fs::path found = fs::weakly_canonical(top / fs::path(path).relative_path(), ignored);
    // ".." must not lead out of the hierarchy, because other directories have numbers, too.
    const auto [rest, _] =
        std::mismatch(canonical_mount.begin(), canonical_mount.end(), found.begin(), found.end());
    if (rest == canonical_mount.end() && fs::is_directory(found, ignored)) return found;
  }
  throw Error("cannot observe cgroup '" + path + "': no such directory below " + mount.string());
}

std::vector<fs::path> TargetFinder::unit_directories(const std::string& unit) const {
  const fs::path mount = cgroup_mount();
  // `nginx` means nginx.service, as for systemctl.
  const std::string name = unit.find('.') == std::string::npos ? unit + ".service" : unit;
  std::vector<fs::path> found;
  find_directories(mount, name, found);
  if (found.empty())
    throw Error("cannot observe unit " + name + ": it has no cgroup below " + mount.string() +
                "; is it running?");
  std::sort(found.begin(), found.end());
  return found;
}

std::uint64_t cgroup_id_if_any(const fs::path& directory) {
  struct stat status = {};
  return ::stat(directory.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::uint64_t cgroup_id(const fs::path& directory) {
  if (const std::uint64_t id = cgroup_id_if_any(directory); id != 0) return id;
  throw system_error("cannot read cgroup " + directory.string(), errno);
}

}  // namespace zctrace
