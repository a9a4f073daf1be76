// SPDX-License-Identifier: MIT
// A context of native AIO, by its system calls.
#pragma once

#include <linux/aio_abi.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace zctrace::testing {

inline iocb request(int opcode, int file, void* buffer, std::size_t count, std::size_t offset = 0) {
  iocb one{};
  one.aio_lio_opcode = static_cast<__u16>(opcode);
  one.aio_fildes = static_cast<__u32>(file);
  one.aio_buf = reinterpret_cast<__u64>(buffer);
  one.aio_nbytes = count;
  one.aio_offset = static_cast<__s64>(offset);
  return one;
}

class Context {
 public:
  explicit Context(unsigned requests = 128) {
    if (::syscall(SYS_io_setup, requests, &id_) != 0) ::_exit(90);
  }
  bool submit(iocb& one) {
    iocb* list[] = {&one};
    return ::syscall(SYS_io_submit, id_, 1, list) == 1;
  }
  // The result of the next request to complete.
  long wait() {
    io_event event{};
    if (::syscall(SYS_io_getevents, id_, 1, 1, &event, nullptr) != 1) ::_exit(91);
    return static_cast<long>(event.res);
  }
  long complete(iocb one) { return submit(one) ? wait() : -1000; }
  // The same without a call, from the ring that the process maps.
  long reap() {
    struct MappedRing {
      unsigned id, capacity, head, tail, magic, features[2], header_bytes;
    };
    auto* const ring = reinterpret_cast<volatile MappedRing*>(id_);
    while (ring->head == ring->tail) ::sched_yield();
    const auto* const events = reinterpret_cast<const io_event*>(id_ + ring->header_bytes);
    const long result = static_cast<long>(events[ring->head].res);
    ring->head = (ring->head + 1) % ring->capacity;
    return result;
  }
  aio_context_t id() const { return id_; }

 private:
  aio_context_t id_ = 0;
};

}  // namespace zctrace::testing
