// SPDX-License-Identifier: MIT
// Names of targets in a fake /proc and cgroup hierarchy: globs, cgroup paths, units, and the files
// that they are looked up in. The first letter of an input selects the kind of the rest.
#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "collector/observe/targets.h"
#include "collector/os/error.h"
#include "tests/fuzz/require.h"

namespace {

using namespace zctrace;
namespace fs = std::filesystem;

constexpr std::string_view kMounts =
    "24 1 0:21 / /proc rw - proc proc rw\n"
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr std::string_view kUnit = "sys/fs/cgroup/system.slice/nginx.service";

class Tree {
 public:
  Tree() {
    std::string name = (fs::temp_directory_path() / "zctrace-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "there is space for a tree");
    root_ = fs::canonical(name);
    fs::create_directories(root_ / "proc/self");
    fs::create_directories(root_ / "proc/7");
    fs::create_directories(root_ / kUnit);
    fs::create_directories(root_ / "outside");
    restore();
  }

  const fs::path& root() const { return root_; }

  void write(const char* name, std::string_view text) const { std::ofstream(root_ / name) << text; }

  void restore() const {
    write("proc/self/mountinfo", kMounts);
    write("proc/7/comm", "nginx\n");
    write("proc/7/status", "Name:\tnginx\nTgid:\t7\n");
  }

 private:
  fs::path root_;
};

bool is_below(const fs::path& path, const fs::path& directory) {
  const fs::path relative = fs::canonical(path).lexically_relative(fs::canonical(directory));
  return !relative.empty() && *relative.begin() != "..";
}

void check_cgroup(const Tree& tree, const TargetFinder& finder, const std::string& path) {
  try {
    const fs::path found = finder.cgroup_directory(path);
    require(fs::is_directory(found), "a cgroup is a directory");
    require(is_below(found, tree.root() / "sys/fs/cgroup"), "a cgroup is in the hierarchy");
  } catch (const Error&) {
  }
}

void check_unit(const Tree& tree, const TargetFinder& finder, const std::string& unit) {
  try {
    for (const fs::path& found : finder.unit_directories(unit)) {
      require(is_below(found, tree.root() / "sys/fs/cgroup"), "a unit is in the hierarchy");
      require(found.filename().string().starts_with(unit), "a unit has its name");
    }
  } catch (const Error&) {
  }
}

void check_mounts(const Tree& tree, const TargetFinder& finder, std::string_view text) {
  tree.write("proc/self/mountinfo", text);
  try {
    static_cast<void>(finder.cgroup_directory("/"));
    require(text.find(" cgroup2") != std::string_view::npos, "only a cgroup2 mount is taken");
  } catch (const Error&) {
  }
  tree.restore();
}

// The glob up to the first newline, then the name.
void check_name(const Tree& tree, const TargetFinder& finder, std::string_view text) {
  const std::size_t newline = std::min(text.find('\n'), text.size());
  const std::string glob(text.substr(0, newline).substr(0, text.find('\0')));
  tree.write("proc/7/comm", text.substr(std::min(newline + 1, text.size())));
  std::string comm(text.substr(std::min(newline + 1, text.size())));
  comm.resize(std::min(comm.find('\n'), comm.size()));
  const bool found = finder.processes_named({glob}).size() == 1;
  const bool is_plain = glob.find_first_of("*?[\\") == std::string::npos;
  if (is_plain && comm.find('\0') == std::string::npos)
    require(found == (!comm.empty() && glob == comm), "a name without wildcards is itself");
  if (glob == "*") require(found == !comm.empty(), "a star matches every process");
  tree.restore();
}

void check_status(const Tree& tree, const TargetFinder& finder, std::string_view text) {
  tree.write("proc/7/status", text);
  try {
    finder.require_process(7);
  } catch (const Error& error) {
    require(text.find("Tgid:") != std::string_view::npos, "only another leader is an error");
  }
  tree.restore();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Tree tree;
  if (size == 0) return 0;
  const TargetFinder finder(tree.root());
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0]) {
    case 'c': check_cgroup(tree, finder, text); break;
    case 'u': check_unit(tree, finder, text); break;
    case 'm': check_mounts(tree, finder, text); break;
    case 'n': check_name(tree, finder, text); break;
    case 's': check_status(tree, finder, text); break;
    default: break;
  }
  return 0;
}
