// SPDX-License-Identifier: MIT
// The rules of docs/methods.md, "What is legal".
#include "cli/advice/in_kernel_way.h"

#include <algorithm>
#include <utility>

#include "transfers/method.h"
#include "transfers/methods/io_loop.h"

namespace zctrace {
namespace {

using transfers::kMaxCallBytes;

constexpr std::uint64_t kPipeBytes = 64ULL << 10;      // of a new pipe
constexpr std::uint64_t kLargestPipe = 1024ULL << 10;  // fs.pipe-max-size, as it is by default

bool is_disk_file(Kind kind) { return kind == Kind::file || kind == Kind::fuse; }

bool is_on_one_file_system(const PassedOn& ends) {
  return ends.from == ends.to && ends.from_channel && ends.to_channel &&
         ends.from_channel.device == ends.to_channel.device;
}

InKernelWay refused(std::string instead, std::string why) {
  InKernelWay way;
  way.instead = std::move(instead);
  way.why = std::move(why);
  way.call_bytes = way.most_bytes = kMaxCallBytes;
  return way;
}

// Copies of each byte on its way into the sink, as model/copies.h counts them.
std::uint64_t copies_into(const PassedOn& ends) {
  if (is_disk_file(ends.to)) return 1;
  if (ends.to != Kind::socket) return 0;
  switch (ends.to_protocol) {
    case Protocol::tls:
    case Protocol::vsock:
    case Protocol::netlink:
    case Protocol::other:
    case Protocol::mixed: return 1;
    default: return 0;
  }
}

InKernelWay between_files(const PassedOn& ends) {
  InKernelWay way;
  way.legal = true;
  way.call_bytes = way.most_bytes = kMaxCallBytes;
  if (is_on_one_file_system(ends)) {
    way.instead = "copy_file_range";
    way.why = "both files are on one file system";
  } else {
    way.instead = "sendfile";
    way.why =
        "sendfile reads any file with a page cache and writes to any other; between file systems "
        "copy_file_range fails with EXDEV";
  }
  return way;
}

InKernelWay from_file(const PassedOn& ends) {
  if (is_disk_file(ends.to)) return between_files(ends);
  InKernelWay way;
  way.legal = true;
  if (ends.to == Kind::pipe) {
    way.instead = "splice";
    way.why = "one end is a pipe, and the other a file with a page cache";
    way.call_bytes = kPipeBytes;
    way.most_bytes = kLargestPipe;
  } else {
    way.instead = "sendfile";
    way.why = "sendfile reads any file with a page cache and writes to a stream socket";
    way.call_bytes = way.most_bytes = kMaxCallBytes;
  }
  return way;
}

InKernelWay from_pipe_or_socket(const PassedOn& ends) {
  InKernelWay way;
  way.legal = true;
  way.instead = "splice";
  way.through_pipe = ends.from != Kind::pipe && ends.to != Kind::pipe;
  // The program makes its own pipe, as large as its buffer.
  way.call_bytes = way.through_pipe ? kLargestPipe : kPipeBytes;
  way.most_bytes = kLargestPipe;
  way.why = way.through_pipe ? "splice needs a pipe at one end, which can be the program's own"
                             : "splice takes a pipe at one end and this at the other";
  return way;
}

bool is_message_socket(Kind kind, Protocol protocol) {
  return kind == Kind::socket && (protocol == Protocol::udp || protocol == Protocol::netlink);
}

bool is_not_spliced_from(Kind kind, Protocol protocol) {
  return kind == Kind::socket &&
         (protocol == Protocol::vsock || protocol == Protocol::alg || protocol == Protocol::other);
}

}  // namespace

InKernelWay in_kernel_way(const PassedOn& ends) {
  const auto has_way = [](Kind kind) {
    return is_disk_file(kind) || kind == Kind::socket || kind == Kind::pipe;
  };
  if (!has_way(ends.from) || !has_way(ends.to)) return {};
  InKernelWay way = is_disk_file(ends.from) ? from_file(ends) : from_pipe_or_socket(ends);
  if (is_message_socket(ends.from, ends.from_protocol) ||
      is_message_socket(ends.to, ends.to_protocol))
    return refused("", "each call on this socket moves one message, whose bounds would be lost");
  if (is_not_spliced_from(ends.from, ends.from_protocol))
    return refused("", "this kind of socket cannot be spliced from");
  way.copies = copies_into(ends);
  if (ends.appends) {
    way.legal = false;
    way.why = "the target is open with O_APPEND, for which " + way.instead + " fails with " +
              (way.instead == "copy_file_range" ? "EBADF" : "EINVAL");
  }
  return way;
}

std::uint64_t calls_with_same_size(const InKernelWay& way, const CallsToday& today) {
  const std::uint64_t least = transfers::divide_up(today.bytes, way.call_bytes);
  const std::uint64_t out = std::max(today.writes, least);
  return way.through_pipe ? std::max(today.reads, least) + out : out;
}

std::uint64_t calls_at_least(const InKernelWay& way, const CallsToday& today) {
  const std::uint64_t least = transfers::divide_up(today.bytes, way.most_bytes);
  return way.through_pipe ? 2 * least : least;
}

}  // namespace zctrace
