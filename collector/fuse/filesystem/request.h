// SPDX-License-Identifier: MIT
// One FUSE request. It is answered exactly once, and counted as answered.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <new>

#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {

class Request {
 public:
  Request(fuse_req_t request, Operation operation);
  // Counts the request. If it was not answered, answers with EIO: otherwise the kernel would wait
  // forever.
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  FileSystem& fs() const { return fs_; }
  fuse_req_t raw() const { return request_; }
  const fuse_ctx& context() const { return *fuse_req_ctx(request_); }
  ProcessId process() const { return process_; }
  bool answered() const { return answered_; }

  // Sets the file to count the request for. A request about a name is counted for its directory.
  void on(const Inode& inode) { file_ = inode.node; }
  void is(Operation operation) { record_.operation = operation; }
  // The kernel does not name the requester of a release, so it is counted for the process that
  // opened the file.
  void charge_to(ProcessId process) { process_ = process; }
  void moved(BytePath how, std::uint64_t bytes) {
    record_.path = how;
    record_.bytes = bytes;
  }

  // Each of these answers, and returns true when the kernel accepted the answer. `error` is a
  // positive errno, 0 means success.
  bool error(int error);
  bool done() { return error(0); }
  bool result(int result) { return error(result < 0 ? errno : 0); }  // the result of a system call
  bool entry(const fuse_entry_param& entry);
  bool created(const fuse_entry_param& entry, const fuse_file_info& file);
  bool opened(const fuse_file_info& file);
  bool attributes(const struct stat& status, double timeout_s);
  bool text(const char* text);
  bool statistics(const struct statvfs& statistics);
  bool buffer(const void* buffer, std::size_t size);
  // Replies with bytes of a file; notes the error, or how many bytes went and how. For `before` see
  // device_io.h.
  bool spliced(fuse_bufvec& from, const std::function<void()>& before);
  bool written(std::size_t bytes);
  bool xattr_size(std::size_t bytes);
  bool position(off_t position);
  bool lock(struct flock& lock);
  void nothing();  // for forget, which has no answer

  // For an answer that is given later, by another thread: everything that is needed to answer and
  // to count.
  struct Deferred {
    fuse_req_t request;
    ProcessId process;
    PathTree::Node file;
    Operation operation;
    std::chrono::steady_clock::time_point start;
    void answer(FileSystem& fs, int error) const;
  };
  Deferred defer();  // throws std::bad_alloc; then the request is still to be answered

 private:
  bool answer(int error, int reply_result);

  FileSystem& fs_;
  fuse_req_t request_;
  std::chrono::steady_clock::time_point start_;
  ProcessId process_;
  PathTree::Node file_ = PathTree::kOther;
  RequestRecord record_;
  bool answered_ = false;
  bool counted_ = true;
};

// Runs body(request, inode) inside a C callback: it lets no exception out, and answers ESTALE for
// an inode that is not in the table.
template <typename Body>
void serve(fuse_req_t raw, Operation operation, fuse_ino_t id, Body body) noexcept {
  Request request(raw, operation);
  int error = EIO;
  try {
    const InodePtr inode = request.fs().inodes.find(id);
    if (inode) {
      request.on(*inode);
      body(request, *inode);
      return;
    }
    error = ESTALE;
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  } catch (...) {
    error = EIO;
  }
  if (!request.answered()) request.error(error);
}

}  // namespace zctrace::fuse
