// SPDX-License-Identifier: MIT
#include "collector/fusewatch/fuse_mounts.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "collector/os/descriptor.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace::fusewatch {
namespace {

constexpr unsigned kMinorBits = 20;
constexpr const char* kMountinfo = "/proc/self/mountinfo";

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

FuseMount fuse_mount(const MountEntry& entry) {
  return {entry.target, entry.type, entry.device, device_number(entry.device).value_or(0)};
}

// Which mount an open file is in. /proc says so without asking the file system, unlike statx.
std::string mount_id_of(const Descriptor& file) {
  std::ifstream about("/proc/self/fdinfo/" + std::to_string(file.get()));
  for (std::string word; about >> word;)
    if (word == "mnt_id:" && about >> word) return word;
  return "";
}

std::string choice_of(const std::vector<FuseMount>& mounts) {
  constexpr std::size_t kMost = 5;
  if (mounts.empty()) return "no FUSE or virtiofs file system is mounted here";
  std::string names;
  for (std::size_t i = 0; i < std::min(mounts.size(), kMost); i++)
    names += (i == 0 ? "" : ", ") + mounts[i].target;
  if (mounts.size() > kMost) names += " and " + std::to_string(mounts.size() - kMost) + " more";
  return "these are: " + names;
}

}  // namespace

bool is_fuse(const MountEntry& entry) {
  return entry.type == "fuse" || entry.type.starts_with("fuse.") || entry.type == "fuseblk" ||
         entry.type.starts_with("fuseblk.") || entry.type == "virtiofs";
}

std::vector<FuseMount> fuse_mounts(const std::vector<MountEntry>& mounts) {
  std::vector<FuseMount> found;
  for (const MountEntry& entry : mounts)
    if (is_fuse(entry)) found.push_back(fuse_mount(entry));
  return found;
}

std::optional<std::uint32_t> device_number(const std::string& device) {
  const std::vector<std::string_view> parts = split(device, ':');
  if (parts.size() != 2) return std::nullopt;
  const auto major = number_of(parts[0]);
  const auto minor = number_of(parts[1]);
  if (!major || !minor) return std::nullopt;
  return *major << kMinorBits | *minor;
}

std::string device_text(std::uint32_t number) {
  return std::to_string(number >> kMinorBits) + ":" +
         std::to_string(number & ((1U << kMinorBits) - 1));
}

FuseMount fuse_mount_of(const std::string& path) {
  const std::vector<MountEntry> mounts = read_mounts(kMountinfo);
  const std::string what = "cannot watch '" + path + "'";
  // O_PATH opens nothing: the server is not asked, unless the path leads through its directories.
  const Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) throw system_error(what, errno);
  const std::string id = mount_id_of(file);
  const auto found = std::find_if(mounts.begin(), mounts.end(),
                                  [&](const MountEntry& entry) { return entry.id == id; });
  if (found == mounts.end())
    throw Error(what + ": /proc/self/mountinfo does not list its mount; " +
                choice_of(fuse_mounts(mounts)));
  if (!is_fuse(*found))
    throw Error(what + ": it is on " + found->type + ", neither FUSE nor virtiofs; " +
                choice_of(fuse_mounts(mounts)));
  return fuse_mount(*found);
}

}  // namespace zctrace::fusewatch
