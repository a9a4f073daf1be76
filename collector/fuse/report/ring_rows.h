// SPDX-License-Identifier: MIT
// What the daemon exchanged with the kernel by io_uring, as rows beside those of its calls.
#pragma once

#include "collector/fuse/filesystem/device_io.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

// Adds a row for the requests and one for the replies, each of which the kernel copied once. BPF
// sees the commands of io_uring without their bytes, so the daemon counts these itself. Adds
// nothing if there was no traffic.
void add_ring_rows(Process& daemon, const RingTraffic& traffic);

}  // namespace zctrace::fuse
