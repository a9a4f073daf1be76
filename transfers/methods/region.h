// SPDX-License-Identifier: MIT
// A range of mapped memory with one owner.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <utility>

namespace zctrace::transfers {

// Owns one mapping, or none, and unmaps it when destroyed. Do not destroy one inside the
// measured window unless the method's contract counts the munmap.
class Region {
 public:
  Region() = default;
  Region(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {}
  Region(Region&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Region& operator=(Region&& other) noexcept {
    if (this != &other) {
      reset();
      address_ = std::exchange(other.address_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Region() { reset(); }

  std::byte* begin() const { return static_cast<std::byte*>(address_); }
  std::size_t bytes() const { return bytes_; }
  explicit operator bool() const { return address_ != nullptr; }

  void reset() {
    if (address_) ::munmap(std::exchange(address_, nullptr), std::exchange(bytes_, 0));
  }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace zctrace::transfers
