// SPDX-License-Identifier: MIT
// How one thread receives requests from the device.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include "collector/fuse/receiving/expected_writes.h"
#include "collector/fuse/receiving/reading_threads.h"

namespace zctrace::fuse {

// Owns the memory for a request. Used by one thread.
class Receiver {
 public:
  // `thread`: the calling thread, where it may receive by read(2) while no writes are expected; or
  // null, where libfuse decides. Both other objects outlive this.
  Receiver(fuse_session* session, ExpectedWrites& writes, ReadingThread* thread) noexcept;
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Waits for a request. Returns what fuse_session_receive_buf() does: its size, 0 after an
  // unmount, or a negative errno.
  int receive() noexcept;
  // Serves the request.
  void process() noexcept { ::fuse_session_process_buf(session_, &buffer_); }

 private:
  int read() noexcept;

  fuse_session* const session_;
  ExpectedWrites& writes_;
  ReadingThread* thread_;
  fuse_buf buffer_ = {};
  bool negotiated_ = false;
};

}  // namespace zctrace::fuse
