// SPDX-License-Identifier: MIT
// Opens one sink of each kind.
#include "transfers/sink.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "collector/os/pipe.h"
#include "transfers/error.h"
#include "transfers/listener.h"
#include "transfers/source.h"
#include "transfers/unnamed_file.h"

namespace zctrace::transfers {
namespace {

Sink make_unix_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    throw SetupError(errno, "make a pair of Unix sockets");
  }
  return {Descriptor(fds[0]), Descriptor(fds[1])};
}

sockaddr_in address_of(const Descriptor& socket, decltype(::getsockname)* which) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  if (which(socket.get(), reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    throw SetupError(errno, "get the address of a socket");
  }
  return address;
}

Sink make_tcp_pair() {
  const Descriptor listener = listen_on_loopback().socket;
  const sockaddr_in address = address_of(listener, ::getsockname);
  Descriptor out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out ||
      ::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw SetupError(errno, "connect to 127.0.0.1");
  }
  const in_port_t own_port = address_of(out, ::getsockname).sin_port;
  // Any local process may connect before the port is closed: accept only our connection.
  for (;;) {
    Descriptor accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!accepted) throw SetupError(errno, "accept a connection on 127.0.0.1");
    if (address_of(accepted, ::getpeername).sin_port == own_port) {
      return {std::move(out), std::move(accepted)};
    }
  }
}

Sink make_pipe_sink(std::uint64_t bytes) {
  Pipe pipe;
  if (const int number = open_pipe(pipe); number != 0) throw SetupError(number, "make a pipe");
  // EPERM above /proc/sys/fs/pipe-max-size without CAP_SYS_RESOURCE: keep the default.
  if (::fcntl(pipe.writer.get(), F_SETPIPE_SZ, bytes) < 0 && errno != EPERM) {
    throw SetupError(errno, "resize a pipe to " + std::to_string(bytes) + " bytes");
  }
  return {std::move(pipe.writer), std::move(pipe.reader)};
}

Sink make_null() {
  Sink sink{Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC)), Descriptor()};
  if (!sink.out) throw SetupError(errno, "open /dev/null");
  return sink;
}

std::string directory_on_other_fs(const Source& source) {
  for (const char* directory : {kTmpfsDirectory, kDiskDirectory}) {
    struct stat status {};
    if (::stat(directory, &status) == 0 && status.st_dev != source.device()) return directory;
  }
  throw SetupError(EXDEV, "find a file system other than that of the source",
                   "name a directory on one with file:DIR");
}

}  // namespace

std::optional<SinkSpec> parse_sink(std::string_view text) {
  if (text == "unix") return SinkSpec{SinkKind::unix_stream};
  if (text == "tcp") return SinkSpec{SinkKind::tcp};
  if (text.starts_with("tcp:")) {
    const auto address = parse_remote(text.substr(4));
    if (!address) return std::nullopt;
    SinkSpec spec{SinkKind::tcp};
    spec.remote = std::make_shared<RemoteReader>(*address);
    return spec;
  }
  if (text == "null") return SinkSpec{SinkKind::null};
  if (text == "file") return SinkSpec{SinkKind::file};
  if (text == "file:other-fs") return SinkSpec{SinkKind::file_other_fs};
  if (text == "pipe" || text == "pipe:64K") return SinkSpec{SinkKind::pipe};
  if (text == "pipe:1M") return SinkSpec{SinkKind::pipe, "", 1 << 20};
  if (text.starts_with("file:") && text.size() > 5) {
    return SinkSpec{SinkKind::file, std::string(text.substr(5))};
  }
  return std::nullopt;
}

std::string sink_name(const SinkSpec& spec) {
  switch (spec.kind) {
    case SinkKind::unix_stream: return "unix";
    case SinkKind::tcp: return spec.remote ? "tcp:" + spec.remote->address().text() : "tcp";
    case SinkKind::file: return spec.directory.empty() ? "file" : "file:" + spec.directory;
    case SinkKind::file_other_fs: return "file:other-fs";
    case SinkKind::pipe: return spec.pipe_bytes == 1 << 20 ? "pipe:1M" : "pipe";
    case SinkKind::null: return "null";
  }
  return "";
}

Sink make_sink(const SinkSpec& spec, const Source& source) {
  switch (spec.kind) {
    case SinkKind::unix_stream: return make_unix_pair();
    case SinkKind::tcp:
      if (spec.remote) return {connect_to(spec.remote->address()), Descriptor()};
      return make_tcp_pair();
    case SinkKind::pipe: return make_pipe_sink(spec.pipe_bytes);
    case SinkKind::null: return make_null();
    case SinkKind::file:
    case SinkKind::file_other_fs: break;
  }
  std::string directory = spec.directory;
  if (directory.empty()) {
    directory = spec.kind == SinkKind::file ? source.directory() : directory_on_other_fs(source);
  }
  return {make_unnamed_file(directory), Descriptor()};
}

}  // namespace zctrace::transfers
