// SPDX-License-Identifier: MIT
// Which call moves bytes from one descriptor to another without the memory of a process, and
// whether the kernel allows it for these two. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "collector/model/report.h"

namespace zctrace {

// The two ends of bytes that a process reads and writes today.
struct PassedOn {
  Kind from{};
  Kind to{};
  Protocol from_protocol = Protocol::none;
  Protocol to_protocol = Protocol::none;
  ChannelId from_channel;  // for their file systems; all zero: not known
  ChannelId to_channel;
  bool appends = false;  // the sink is open with O_APPEND
};

struct InKernelWay {
  std::string instead;  // "sendfile", "splice", "copy_file_range"; "": there is none
  bool legal = false;
  std::string why;               // it is legal or not, as a clause: "both files are on ..."
  std::uint64_t copies = 0;      // CPU copies of each byte that remain
  bool through_pipe = false;     // two calls each time: into a pipe of its own, and out of it
  std::uint64_t call_bytes = 0;  // the most that one call moves by default
  std::uint64_t most_bytes = 0;  // the most that one call moves after its pipe was enlarged
};

// Ends that are neither files, sockets nor pipes have no way.
InKernelWay in_kernel_way(const PassedOn& ends);

// The calls that move the bytes today, without those that failed or moved nothing.
struct CallsToday {
  std::uint64_t bytes = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;

  std::uint64_t total() const { return reads + writes; }
};

// How many calls move these bytes in this way, if each moves as much as one of today.
std::uint64_t calls_with_same_size(const InKernelWay& way, const CallsToday& today);
// The same if each moves as much as the kernel allows.
std::uint64_t calls_at_least(const InKernelWay& way, const CallsToday& today);

}  // namespace zctrace
