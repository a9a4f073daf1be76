// SPDX-License-Identifier: MIT
// Tests that need io_uring, which a container may refuse.
#pragma once

#include <liburing.h>

#include <cerrno>

#include "observed.h"

namespace zctrace::testing {

class OnIoUring : public InBothModes {
 protected:
  void SetUp() override {
    io_uring ring{};
    const int error = ::io_uring_queue_init(1, &ring, 0);
    if (error == -EPERM || error == -ENOSYS) GTEST_SKIP() << "io_uring is not allowed here";
    ASSERT_EQ(error, 0);
    ::io_uring_queue_exit(&ring);
  }
};

}  // namespace zctrace::testing
