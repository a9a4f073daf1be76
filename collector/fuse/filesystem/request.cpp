// SPDX-License-Identifier: MIT
// Sends replies. The only place where requests are counted.
#include "collector/fuse/filesystem/request.h"

#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/requesters/proc_file.h"
#include "collector/fuse/ring/ring_slot.h"

namespace zctrace::fuse {
namespace {

using std::chrono::steady_clock;

std::uint64_t ns_since(steady_clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start).count());
}

// Out of memory, losing a count is better than losing the file system.
void count(FileSystem& fs, ProcessId process, PathTree::Node file,
           const RequestRecord& record) noexcept {
  try {
    fs.counts.add(process, file, record);
  } catch (...) {
    fs.uncounted++;
  }
}

ProcessId process_of(FileSystem& fs, fuse_req_t request, Operation operation) noexcept {
  if (!fs.options.identify_requesters) return Requesters::kKernel;
  try {
    // A process in execve closes descriptors while reads of its /proc files block.
    return fs.requesters.process_of(fuse_req_ctx(request)->pid, operation != Operation::flush);
  } catch (...) {
    return Requesters::kKernel;
  }
}

}  // namespace

Request::Request(fuse_req_t request, Operation operation)
    : fs_(FileSystem::of(request)),
      request_(request),
      start_(steady_clock::now()),
      process_(process_of(fs_, request, operation)),
      record_{operation} {}

Request::~Request() {
  if (!answered_) error(EIO);
  fs_.proc_calls.fetch_add(take_proc_calls(), std::memory_order_relaxed);
  if (!counted_) return;
  record_.wall_ns = ns_since(start_);
  if (record_.error != 0) record_.bytes = 0;
  count(fs_, process_, file_, record_);
}

bool Request::answer(int error, int reply_result) {
  answered_ = true;
  record_.error = error;
  return reply_result == 0;
}

bool Request::error(int error) { return answer(error, fuse_reply_err(request_, error)); }

bool Request::entry(const fuse_entry_param& entry) {
  return answer(0, fuse_reply_entry(request_, &entry));
}

bool Request::created(const fuse_entry_param& entry, const fuse_file_info& file) {
  return answer(0, fuse_reply_create(request_, &entry, &file));
}

bool Request::opened(const fuse_file_info& file) {
  return answer(0, fuse_reply_open(request_, &file));
}

bool Request::attributes(const struct stat& status, double timeout_s) {
  return answer(0, fuse_reply_attr(request_, &status, timeout_s));
}

bool Request::text(const char* text) { return answer(0, fuse_reply_readlink(request_, text)); }

bool Request::statistics(const struct statvfs& statistics) {
  return answer(0, fuse_reply_statfs(request_, &statistics));
}

bool Request::buffer(const void* buffer, std::size_t size) {
  return answer(0, fuse_reply_buf(request_, static_cast<const char*>(buffer), size));
}

bool Request::spliced(fuse_bufvec& from, const std::function<void()>& before) {
  expect_reply(before);
  // Without FUSE_BUF_SPLICE_MOVE, which would take the pages out of the source's page cache.
  const int result = fuse_reply_data(request_, &from, static_cast<fuse_buf_copy_flags>(0));
  const LastReply reply = last_reply();
  record_.bytes = reply.bytes;
  record_.path = reply.spliced ? BytePath::spliced : BytePath::copied;
  return answer(reply.error, result);
}

bool Request::written(std::size_t bytes) { return answer(0, fuse_reply_write(request_, bytes)); }

bool Request::xattr_size(std::size_t bytes) { return answer(0, fuse_reply_xattr(request_, bytes)); }

bool Request::position(off_t position) { return answer(0, fuse_reply_lseek(request_, position)); }

bool Request::lock(struct flock& lock) { return answer(0, fuse_reply_lock(request_, &lock)); }

void Request::nothing() {
  fuse_reply_none(request_);
  answer(0, 0);
}

Request::Deferred Request::defer() {
  defer_reply();
  answered_ = true;
  counted_ = false;
  return {request_, process_, file_, record_.operation, start_};
}

void Request::Deferred::answer(FileSystem& fs, int error) const {
  fuse_reply_err(request, error);
  RequestRecord record{operation};
  record.error = error;
  record.wall_ns = ns_since(start);
  count(fs, process, file, record);
}

}  // namespace zctrace::fuse
