// SPDX-License-Identifier: MIT
// A program finds unnamed files, and the socket of a Unix sink, under the numbers of descriptors
// that it inherits: they leave nothing behind, however the run ends.
#include "transfers/external/program_ends.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "transfers/listener.h"
#include "transfers/unnamed_file.h"

namespace zctrace::transfers {
namespace {

// Above what shells and their scripts use.
constexpr int kSourceFd = 100;
constexpr int kSinkFd = 101;
constexpr int kDirectoryFd = 102;

constexpr char kSocketName[] = "sink";
constexpr char kLoopback[] = "127.0.0.1";

std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// A program that runs as another user opens it again.
void open_to_every_user(const Descriptor& file, mode_t mode) { ::fchmod(file.get(), mode); }

}  // namespace

std::vector<std::string> known_placeholders(SinkKind sink) {
  std::vector<std::string> known{"source", "sink", "size", "buffer"};
  if (sink == SinkKind::tcp) known.insert(known.end(), {"host", "port"});
  return known;
}

ProgramEnds::ProgramEnds(const Program& program, const ProgramJob& job,
                         const TransferOptions& options, int directory)
    : job_(job), directory_(directory) {
  if (job.source == nullptr) return;
  values_["size"] = std::to_string(job.source->bytes());
  values_["buffer"] = std::to_string(job.buffer_bytes);
  if (job.sink != nullptr) open_sink(program, options);
  // After the drain is forked, as in run_once().
  in_ = job.source->open();
  if (job.source->path().empty()) {
    open_to_every_user(in_, 0444);
    values_["source"] = path_of(kSourceFd);
  } else {
    values_["source"] = std::filesystem::absolute(job.source->path());
  }
}

ProgramEnds::~ProgramEnds() {
  if (!socket_path_.empty()) ::unlink(socket_path_.c_str());
}

void ProgramEnds::start_drain(const Descriptor& in, bool accept, const TransferOptions& options) {
  DrainOptions draining{options.drain_read_bytes, options.drain_splice, options.verify};
  draining.accept = accept;
  drain_ = std::make_unique<Drain>(in, draining, job_.source->bytes());
}

void ProgramEnds::open_sink(const Program& program, const TransferOptions& options) {
  const SinkKind kind = job_.sink->kind;
  if (job_.sink->remote) {
    const RemoteAddress& address = job_.sink->remote->address();
    values_["host"] = address.host;
    values_["port"] = address.port;
    values_["sink"] = address.text();
    return;
  }
  if (kind == SinkKind::tcp) {
    const TcpListener listener = listen_on_loopback();
    values_["host"] = kLoopback;
    values_["port"] = std::to_string(listener.port);
    values_["sink"] = values_["host"] + ":" + values_["port"];
    start_drain(listener.socket, true, options);
    return;
  }
  if (kind == SinkKind::unix_stream) {
    const std::string path = path_of(directory_) + "/" + kSocketName;
    const Descriptor listener = listen_at(path);
    socket_path_ = path;
    values_["sink"] = path_of(kDirectoryFd) + "/" + kSocketName;
    start_drain(listener, true, options);
    return;
  }
  Sink sink = make_sink(*job_.sink, *job_.source);
  if (sink.drain_end) start_drain(sink.drain_end, false, options);
  out_ = std::move(sink.out);
  is_output_ = !program.uses("sink") || kind == SinkKind::pipe || kind == SinkKind::null;
  if (kind == SinkKind::null) {
    values_["sink"] = "/dev/null";
    return;
  }
  open_to_every_user(out_, 0666);
  values_["sink"] = kind == SinkKind::pipe ? "/dev/stdout" : path_of(kSinkFd);
}

int ProgramEnds::enter(int error_output) const noexcept {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto give = [](int fd, int number) { return fd < 0 || ::dup2(fd, number) >= 0; };
  const bool given = give(in_ ? in_.get() : nothing, STDIN_FILENO) &&
                     give(is_output_ ? out_.get() : nothing, STDOUT_FILENO) &&
                     give(error_output, STDERR_FILENO) && give(in_.get(), kSourceFd) &&
                     give(is_output_ ? -1 : out_.get(), kSinkFd) && give(directory_, kDirectoryFd);
  return given ? 0 : errno;
}

void ProgramEnds::close_own_ends() {
  if (drain_) out_.reset();  // or the drain would not see the end
}

void ProgramEnds::take_result(std::uint64_t exec_ns, const TransferOptions& options,
                              TransferResult& outcome) {
  if (job_.sink == nullptr || job_.sink->kind == SinkKind::null) return;
  const Source& source = *job_.source;
  const bool verify = options.verify;
  if (job_.sink->remote) {
    take_remote_result(*job_.sink->remote, source, verify, options.stop_fd, outcome);
    outcome.moved_bytes = outcome.drained_bytes;
    return;
  }
  if (!drain_) {
    outcome.moved_bytes =
        static_cast<std::uint64_t>(std::max<off_t>(::lseek(out_.get(), 0, SEEK_END), 0));
    if (verify && outcome.moved_bytes == source.bytes())
      outcome.checksum_ok = file_crc32(reopen(out_, O_RDONLY), source.bytes()) == source.crc32();
    return;
  }
  const Drained drained = drain_->wait();
  outcome.moved_bytes = outcome.drained_bytes = drained.bytes;
  if (!drained.failure.empty()) {
    if (!outcome.error)
      outcome.error = RunFailure{ECANCELED, "ECANCELED: the drain was " + drained.failure};
    return;
  }
  if (drained.first_received_ns > exec_ns) {
    outcome.startup_ns = drained.first_received_ns - exec_ns;
    outcome.transfer_ns =
        drained.all_received_ns - std::min(drained.all_received_ns, drained.first_received_ns);
  }
  if (verify && drained.bytes == source.bytes())
    outcome.checksum_ok = drained.crc32 == source.crc32();
}

}  // namespace zctrace::transfers
