// SPDX-License-Identifier: MIT
// Whether the kernel may send a write request next. Threads choose by that how they receive.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>

namespace zctrace::fuse {

// The bytes of a write are spliced only if the request was received by splice(2), which costs five
// microseconds more than read(2). So threads receive by read(2) while no write can come.
//
// Before a write call the kernel asks for the extended attribute `security.capability`
// (file_remove_privs(), Linux 6.1 to 6.18), and so announces the write. It announces neither the
// pages of a mapping, which needs a file that is open for reading and writing, nor writes that
// bypass the page cache (FOPEN_DIRECT_IO): these can come while such a file is open. Any thread may
// call.
class ExpectedWrites {
 public:
  // For how many more requests writes stay expected when the last reason has gone. A program that
  // unpacks an archive writes the next file within that.
  static constexpr std::size_t kCalm = 64;

  // Sets the function that ends the read(2) of every thread that waits in one. Without it, nothing
  // is counted.
  void set_recall(std::function<void()> recall);

  bool expected() const noexcept { return expected_; }
  // The kernel has asked for `security.capability`. When this returns, no thread waits in read(2)
  // if the write that follows can come.
  void announced();
  // A request was received while writes were expected.
  void received() noexcept;

 private:
  friend class WriteAccess;
  void opened(bool announces);
  void closed(bool announces) noexcept;
  void expect();
  bool has_reason() const noexcept { return announced_ || unannounced_ != 0; }

  std::function<void()> recall_;
  std::mutex mutex_;
  std::size_t open_ = 0;         // files through which writes can come
  std::size_t unannounced_ = 0;  // those through which they come without an announcement
  std::atomic<bool> announced_{false};
  std::atomic<bool> expected_{false};
  std::atomic<std::size_t> calm_{0};  // requests until writes are no longer expected; 0: forever
};

// The right of one open file to be written to, until this is destroyed.
class WriteAccess {
 public:
  WriteAccess() = default;
  ~WriteAccess();
  WriteAccess(const WriteAccess&) = delete;
  WriteAccess& operator=(const WriteAccess&) = delete;

  // Call it once, before the reply to the open. `flags`: of open(2). `direct`: the page cache is
  // bypassed.
  void begin(ExpectedWrites& writes, int flags, bool direct);

 private:
  ExpectedWrites* writes_ = nullptr;
  bool announces_ = false;
};

}  // namespace zctrace::fuse
