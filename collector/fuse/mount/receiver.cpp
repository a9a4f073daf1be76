// SPDX-License-Identifier: MIT
// libfuse receives either by splice or by read, for as long as the session lasts. So this reads
// itself.
#include "collector/fuse/mount/receiver.h"

#include <linux/fuse.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "collector/fuse/filesystem/device_io.h"

namespace zctrace::fuse {
namespace {

// What libfuse 3.14 needs at most (FUSE_MAX_MAX_PAGES and FUSE_BUFFER_HEADER_SIZE), because it uses
// the same memory when it receives. After FUSE_INIT it would allocate less, and many forgets at
// once fill what there is.
std::size_t buffer_bytes() noexcept {
  static const std::size_t bytes = 256 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + 0x1000;
  return bytes;
}

}  // namespace

Receiver::Receiver(fuse_session* session, ExpectedWrites& writes, ReadingThread* thread) noexcept
    : session_(session), writes_(writes), thread_(thread) {
  if (thread_ == nullptr) return;
  buffer_.mem = std::malloc(buffer_bytes());
  if (buffer_.mem == nullptr) thread_ = nullptr;
}

Receiver::~Receiver() { std::free(buffer_.mem); }

int Receiver::receive() noexcept {
  // The first request may be FUSE_INIT, after which libfuse changes how it receives.
  if (negotiated_ && thread_ != nullptr && thread_->begin(writes_)) {
    const int size = read();
    thread_->end();
    return size;
  }
  buffer_.flags = static_cast<fuse_buf_flags>(0);  // libfuse does not when it cannot splice
  const int size = ::fuse_session_receive_buf(session_, &buffer_);
  if (size > 0) negotiated_ = true;
  writes_.received();
  return size;
}

int Receiver::read() noexcept {
  const ssize_t size =
      device_io().read(::fuse_session_fd(session_), buffer_.mem, buffer_bytes(), nullptr);
  if (::fuse_session_exited(session_) != 0) return 0;
  if (size < 0) {
    if (errno == ENOENT) return -EINTR;  // the request was interrupted before it was received
    if (errno != ENODEV) return -errno;
    ::fuse_session_exit(session_);
    return 0;
  }
  if (static_cast<std::size_t>(size) < sizeof(fuse_in_header)) return -EIO;
  buffer_.size = static_cast<std::size_t>(size);
  buffer_.flags = static_cast<fuse_buf_flags>(0);
  return static_cast<int>(size);
}

}  // namespace zctrace::fuse
