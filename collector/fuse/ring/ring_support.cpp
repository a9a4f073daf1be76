// SPDX-License-Identifier: MIT
// Asks the module for its parameter, and the kernel for a ring.
#include "collector/fuse/ring/ring_support.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "collector/fuse/ring/request_ring.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {
namespace {

constexpr const char* kParameter = "/sys/module/fuse/parameters/enable_uring";

}  // namespace

std::string refusal_of_rings() {
  const Descriptor parameter(::open(kParameter, O_RDONLY | O_CLOEXEC));
  if (!parameter)
    return "this kernel cannot send FUSE requests by io_uring; Linux 6.14 with "
           "CONFIG_FUSE_IO_URING can";
  char value = 'N';
  if (::read(parameter.get(), &value, 1) != 1 || value != 'Y')
    return "FUSE over io_uring is switched off; as root, switch it on: echo Y > " +
           std::string(kParameter);
  io_uring ring = {};
  const int result = ::io_uring_queue_init(1, &ring, kRingSetup);
  if (result != 0)
    return "io_uring is not available: " + std::string(std::strerror(-result)) +
           (result == -EPERM ? "; see kernel.io_uring_disabled and the seccomp filter" : "");
  ::io_uring_queue_exit(&ring);
  return "";
}

}  // namespace zctrace::fuse
