// SPDX-License-Identifier: MIT
// Whether requests can come by io_uring: FUSE over io_uring, from Linux 6.14 on.
#pragma once

#include <string>

namespace zctrace::fuse {

// Why not, and what would help; "" if nothing speaks against it.
std::string refusal_of_rings();

}  // namespace zctrace::fuse
