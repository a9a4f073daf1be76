// SPDX-License-Identifier: MIT
// The daemon's own traffic with /dev/fuse, counted where it happens.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <cstdint>
#include <functional>

namespace zctrace::fuse {

// How the last reply of the calling thread went to the kernel.
struct LastReply {
  bool spliced = false;
  int error = 0;            // the errno that it carried, positive
  std::uint64_t bytes = 0;  // without the header
};

// In init(): flags of fuse_init_out for the reply that this thread sends next. libfuse 3.14 takes
// FUSE_CAP_HANDLE_KILLPRIV, and does not pass it on to the kernel.
void negotiate_also(std::uint32_t flags) noexcept;

// Before a reply whose way is to be known. `before` runs when its bytes are at hand and the
// reply is about to go; it must outlive the reply and not throw.
void expect_reply(const std::function<void()>& before) noexcept;
LastReply last_reply() noexcept;

// For fuse_session_custom_io(): plain read, writev and splice, noting what they did. libfuse
// decides by itself whether a reply can be spliced, and does not tell.
const fuse_custom_io& device_io() noexcept;

// Calls on /dev/fuse since the program began, of all threads.
struct DeviceCalls {
  std::uint64_t requests = 0;  // taken from the device, by read or splice
  std::uint64_t writes = 0;    // replies written
  std::uint64_t splices = 0;   // replies spliced
};
DeviceCalls device_calls() noexcept;

}  // namespace zctrace::fuse
