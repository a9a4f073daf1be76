// SPDX-License-Identifier: MIT
// Where the bytes go: a fresh pair of sockets, pipe, file or /dev/null for each run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"
#include "transfers/remote.h"

namespace zctrace::transfers {

class Source;

enum class SinkKind : std::uint8_t {
  unix_stream,    // AF_UNIX, SOCK_STREAM
  tcp,            // loopback, IPv4; or a reader on another machine
  file,           // on the source's file system
  file_other_fs,  // on another one
  pipe,
  null,  // /dev/null
};

// A set of kinds: which sinks a method can legally move bytes to.
using SinkSet = std::uint8_t;
constexpr SinkSet sink_bit(SinkKind kind) {
  return static_cast<SinkSet>(1U << static_cast<unsigned>(kind));
}
inline constexpr SinkSet kSocketSinks = sink_bit(SinkKind::unix_stream) | sink_bit(SinkKind::tcp);
inline constexpr SinkSet kFileSinks = sink_bit(SinkKind::file) | sink_bit(SinkKind::file_other_fs);
inline constexpr SinkSet kEverySink =
    kSocketSinks | kFileSinks | sink_bit(SinkKind::pipe) | sink_bit(SinkKind::null);
constexpr bool contains(SinkSet set, SinkKind kind) { return (set & sink_bit(kind)) != 0; }

struct SinkSpec {
  SinkKind kind = SinkKind::unix_stream;
  // For the file kinds; "" chooses: the source's directory for `file`, for
  // `file_other_fs` /dev/shm or /var/tmp, whichever is on another file system.
  std::string directory{};
  // For `pipe`: the capacity to ask for. The kernel rounds it up, and keeps the default
  // if the caller may not have that much (EPERM).
  std::uint64_t pipe_bytes = 64ULL * 1024;
  // For `tcp`: the reader on another machine; nullptr: the loopback, with a drain of our own.
  std::shared_ptr<RemoteReader> remote{};
};

// "unix", "tcp", "tcp:HOST:PORT", "file", "file:other-fs", "file:DIR", "pipe" (64K), "pipe:1M",
// "pipe:64K", "null"; nullopt for anything else. A DIR is a `file` sink, on whichever file system.
std::optional<SinkSpec> parse_sink(std::string_view text);
std::string sink_name(const SinkSpec& spec);  // the inverse

// One open sink. `drain_end` is what the drain reads, none for files and null.
struct Sink {
  Descriptor out;
  Descriptor drain_end;
};

// Throws SetupError.
Sink make_sink(const SinkSpec& spec, const Source& source);

}  // namespace zctrace::transfers
