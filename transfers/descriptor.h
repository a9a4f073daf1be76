// SPDX-License-Identifier: MIT
// A file descriptor with one owner. Every descriptor of transfers/ is opened O_CLOEXEC.
#pragma once

#include <unistd.h>

#include <utility>

namespace zctrace::transfers {

// Owns one descriptor, or none (-1); closes it when it goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  void reset() {
    // Linux frees the descriptor even when close fails (EINTR, EIO): never repeat it.
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace zctrace::transfers
