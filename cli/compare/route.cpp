// SPDX-License-Identifier: MIT
// Makes the source, tries the sink, and starts the FUSE daemons between them.
#include "cli/compare/route.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "cli/text/units.h"
#include "collector/fuse/filesystem/backing_files.h"
#include "collector/fuse/ring/ring_support.h"
#include "collector/os/error.h"
#include "transfers/error.h"
#include "transfers/unnamed_file.h"

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

// Makes one sink and drops it: what cannot be made is one error here, not one in every row.
void try_sink(const RoutePlan& plan, const transfers::Source& source) {
  if (plan.sink.remote) return;
  try {
    transfers::make_sink(plan.sink, source);
  } catch (const transfers::SetupError& error) {
    throw Error(fmt::format("--to {}: {}", plan.sink_kind, error.what()));
  }
}

// Before the source is made, which takes longer.
void require_sink_directory(const RoutePlan& plan) {
  if (plan.sink.directory.empty()) return;
  try {
    transfers::make_unnamed_file(plan.sink.directory);
  } catch (const transfers::SetupError& error) {
    throw Error(fmt::format("--to {}: {}", plan.sink_kind, error.what()));
  }
}

// Gives an unnamed file a name in a file system that no other process sees.
void give_name(const transfers::Source& source, const Descriptor& directory) {
  const Descriptor file = source.open();
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, path.c_str(), directory.get(), kName, AT_SYMLINK_FOLLOW) != 0)
    throw system_error("cannot name the source of the FUSE daemon", errno);
}

}  // namespace

void require_fuse_modes(ComparePlan& plan) {
  const auto require = [&plan](FuseMode mode, std::string (*refusal_of)()) {
    if (std::ranges::find(plan.route.fuse_modes, mode) == plan.route.fuse_modes.end()) return;
    const std::string refusal = refusal_of();
    if (refusal.empty()) return;
    if (!plan.route.all_fuse_modes)
      throw Error(fmt::format("--fuse-mode {}: {}", fuse_mode_name(mode), refusal), kExitCannotRun);
    leave_out(plan, mode, refusal);
  };
  require(FuseMode::passthrough, fuse::refusal_of_backing_files);
  require(FuseMode::uring, fuse::refusal_of_rings);
}

std::string reader_text(const ComparePlan& plan) {
  if (!plan.route.sink.remote) return plan.drain;
  return plan.route.sink.remote->is_drain()
             ? "zctrace drain there, which compares checksums"
             : "a reader there that is not zctrace drain, so bytes are not verified";
}

Routes::Routes(const RoutePlan& plan) {
  require_sink_directory(plan);
  if (plan.sink.remote) plan.sink.remote->meet(-1);
  if (!plan.fuse_modes.empty()) backing_ = fuse::mount_detached_tmpfs();
  // All daemons start before any file of a mount is open: a fork would inherit a copy, and closing
  // that would make the daemon flush.
  for (const FuseMode mode : plan.fuse_modes) daemons_.emplace_back(backing_, mode);
  const transfers::Source& source = sources_.emplace_back(make_source(plan, backing_));
  if (plan.fuse_modes.empty()) {
    try_sink(plan, source);
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
