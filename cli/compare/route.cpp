// SPDX-License-Identifier: MIT
// Parses both ends, then makes what lies between them.
#include "cli/compare/route.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "cli/text/units.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

constexpr const char* kName = "source";

std::string path_of(const Descriptor& directory) {
  return "/proc/self/fd/" + std::to_string(directory.get());
}

transfers::Source make_backing(const Descriptor& directory, std::uint64_t bytes) {
  try {
    return transfers::Source::make(path_of(directory), bytes);
  } catch (const transfers::SetupError& error) {
    throw Error(
        fmt::format("--from fuse: the daemon cannot keep {} in memory: {}; choose a smaller "
                    "--size",
                    format_bytes(bytes), error.code().message()));
  }
}

transfers::Source make_source(const RoutePlan& plan, const Descriptor& backing) {
  if (plan.source_kind == "file") return transfers::Source::open_path(plan.source_path);
  if (plan.source_kind == "fuse") return make_backing(backing, plan.source_bytes);
  return transfers::Source::make(
      plan.source_kind == "disk" ? transfers::kDiskDirectory : transfers::kTmpfsDirectory,
      plan.source_bytes);
}

// An unnamed file gets a name, in a file system that no other process sees.
void give_name(const transfers::Source& source, const Descriptor& directory) {
  const Descriptor file = source.open();
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, path.c_str(), directory.get(), kName, AT_SYMLINK_FOLLOW) != 0)
    throw system_error("cannot name the source of the FUSE daemon", errno);
}

}  // namespace

Routes::Routes(const RoutePlan& plan) {
  if (!plan.splice.empty()) backing_ = fuse::mount_detached_tmpfs();
  // All daemons before any file of a mount is open: a fork's copy would be flushed when it closes.
  for (const bool splice : plan.splice) daemons_.emplace_back(backing_, splice);
  const transfers::Source& source = sources_.emplace_back(make_source(plan, backing_));
  if (plan.splice.empty()) {
    routes_.push_back({&source, plan.sink, nullptr});
    return;
  }
  const bool from_fuse = plan.source_kind == "fuse";
  if (from_fuse) give_name(source, backing_);
  for (FuseDaemon& daemon : daemons_) {
    transfers::SinkSpec sink = plan.sink;
    if (plan.sink_kind == "fuse") sink.directory = daemon.directory();
    if (from_fuse) sources_.push_back(source.shown_at(daemon.directory() + "/" + kName));
    routes_.push_back({&sources_.back(), sink, &daemon});
  }
}

}  // namespace zctrace
