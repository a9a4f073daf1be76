// SPDX-License-Identifier: MIT
// Reads or splices a stream to its end and counts it.
#include "transfers/drain.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "collector/os/exit_status.h"
#include "collector/os/pipe.h"
#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Calls `receive` until the end of file and hands each count to `received`. Returns 0, or
// the errno that ended it.
template <typename Receive, typename Received>
int receive_all(Receive receive, Received received) {
  for (;;) {
    const ssize_t n = receive();
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return 0;
    received(n);
  }
}

class Splicer {
 public:
  Splicer(int in_fd, std::uint64_t bytes) : bytes_(std::max<std::uint64_t>(bytes, 1)) {
    struct stat status {};
    from_pipe_ = ::fstat(in_fd, &status) == 0 && S_ISFIFO(status.st_mode);
    null_ = Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    // Without a pipe the first splice fails, which is reported.
    if (!from_pipe_) open_pipe(pipe_);
  }
  ssize_t receive(int in_fd) {
    if (from_pipe_) return ::splice(in_fd, nullptr, null_.get(), nullptr, bytes_, 0);
    const ssize_t n = ::splice(in_fd, nullptr, pipe_.writer.get(), nullptr, bytes_, 0);
    for (ssize_t left = n; left > 0;) {
      const ssize_t out = ::splice(pipe_.reader.get(), nullptr, null_.get(), nullptr,
                                   static_cast<std::size_t>(left), 0);
      if (out < 0 && errno == EINTR) continue;
      if (out <= 0) return -1;
      left -= out;
    }
    return n;
  }

 private:
  std::uint64_t bytes_;
  bool from_pipe_ = false;
  Descriptor null_;
  Pipe pipe_;
};

// The first connection to `listener`; none if no process can send on `last_call` any more and no
// connection waits. errno says why in other cases.
Descriptor accept_one(int listener, int last_call) {
  pollfd events[] = {{listener, POLLIN, 0}, {last_call, 0, 0}};
  while (::poll(events, 2, -1) < 0)
    if (errno != EINTR) return Descriptor();
  // A connection that was made before the end is in the queue by now.
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  for (;;) {
    Descriptor accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted || (errno != EINTR && errno != ECONNABORTED)) return accepted;
  }
}

}  // namespace

Drain::Drain(const Descriptor& in, const DrainOptions& options, std::uint64_t expected_bytes)
    : last_call_(options.accept ? std::make_optional<Wakeup>() : std::nullopt),
      child_(dependent_child(kept(in, last_call_)), [&] {
        Descriptor connection;
        if (options.accept) {
          connection = accept_one(in.get(), last_call_->wait_fd());
          if (!connection) {
            record_->ended = true;
            record_->error_number = errno == EAGAIN ? 0 : errno;
            return;
          }
        }
        receive(options.accept ? connection.get() : in.get(), options, expected_bytes,
                *record_.get());
      }) {}

std::vector<int> Drain::kept(const Descriptor& in, const std::optional<Wakeup>& last_call) {
  return {in.get(), last_call ? last_call->wait_fd() : -1};
}

void Drain::receive(int in_fd, const DrainOptions& options, std::uint64_t expected_bytes,
                    Record& record) {
  const auto count = [&](ssize_t n) {
    if (record.first_received_ns == 0) record.first_received_ns = monotonic_ns();
    record.bytes += static_cast<std::uint64_t>(n);
    // Taken here because the end of file comes only after the sender's clean-up.
    if (record.bytes >= expected_bytes && record.all_received_ns == 0) {
      record.all_received_ns = monotonic_ns();
    }
  };
  if (options.splice && !options.checksum) {
    Splicer splicer(in_fd, options.read_bytes);
    record.error_number = receive_all([&] { return splicer.receive(in_fd); }, count);
  } else {
    std::vector<unsigned char> buffer(std::max<std::uint64_t>(options.read_bytes, 1));
    uLong crc = ::crc32(0, nullptr, 0);
    record.error_number =
        receive_all([&] { return ::read(in_fd, buffer.data(), buffer.size()); },
                    [&](ssize_t n) {
                      count(n);
                      if (!options.checksum) return;
                      crc = ::crc32_z(crc, buffer.data(), static_cast<std::size_t>(n));
                    });
    record.crc32 = static_cast<std::uint32_t>(crc);
    record.has_crc32 = options.checksum;
  }
  if (record.all_received_ns == 0) record.all_received_ns = monotonic_ns();
  record.ended = true;
}

Drained Drain::wait() {
  last_call_.reset();
  Drained drained;
  drained.failure = ending_text(child_.wait());
  drained.bytes = record_->bytes;
  drained.first_received_ns = record_->first_received_ns;
  drained.all_received_ns = record_->all_received_ns;
  if (!record_->ended) {
    if (drained.failure.empty()) drained.failure = "ended early";
    return drained;
  }
  if (record_->error_number != 0) drained.failure = error_text(record_->error_number, "drain");
  if (record_->has_crc32) drained.crc32 = record_->crc32;
  return drained;
}

}  // namespace zctrace::transfers
