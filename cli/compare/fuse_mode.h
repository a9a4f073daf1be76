// SPDX-License-Identifier: MIT
// How bytes get through a FUSE file system whose daemon shows files of its own.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace zctrace {

enum class FuseMode {
  splice,       // the daemon splices them between the file and /dev/fuse
  copy,         // the daemon reads and writes them through its memory
  passthrough,  // the kernel takes them from the file, and the daemon sees only the opening
  uring,        // the daemon copies, and exchanges requests and replies by io_uring
};

inline constexpr std::array kFuseModes = {FuseMode::splice, FuseMode::copy, FuseMode::passthrough,
                                          FuseMode::uring};

constexpr std::string_view fuse_mode_name(FuseMode mode) {
  switch (mode) {
    case FuseMode::splice: return "splice";
    case FuseMode::copy: return "copy";
    case FuseMode::uring: return "uring";
    default: return "passthrough";
  }
}

constexpr std::optional<FuseMode> fuse_mode_named(std::string_view name) {
  for (const FuseMode mode : kFuseModes)
    if (name == fuse_mode_name(mode)) return mode;
  return std::nullopt;
}

// A mode that does not work here, and why.
struct LeftOutMode {
  FuseMode mode;
  std::string reason;
};

// The end of a row's label.
constexpr std::string_view fuse_mode_label(FuseMode mode) {
  switch (mode) {
    case FuseMode::splice: return "splice-on";
    case FuseMode::copy: return "splice-off";
    case FuseMode::uring: return "uring";
    default: return "passthrough";
  }
}

}  // namespace zctrace
