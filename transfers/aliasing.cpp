// SPDX-License-Identifier: MIT
// Moves marked bytes, changes them, and looks at what arrives.
#include "transfers/aliasing.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/exit_status.h"
#include "transfers/error.h"
#include "transfers/shared_record.h"
#include "transfers/unnamed_file.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// This much fits into every sink while nothing reads it: a pipe has 16 slots, and a chunk may take
// one slot more than it has pages.
constexpr std::uint64_t kMostBytes = 32ULL * 1024;
constexpr std::uint64_t kMostChunks = 8;

// A byte of the source is 1 to 63. These bits are set in the source, and in the method's buffer,
// after the move.
constexpr unsigned char kInSource = 64;
constexpr unsigned char kInBuffer = 128;

// Written by the child, read after it has ended.
struct Experiment {
  bool finished;
  int error_number;
  char error_operation[96];
  std::uint64_t moved_bytes;
  std::uint64_t buffered_bytes;         // of the source, that the buffer held after the move
  std::uint64_t buffered_by_reference;  // those of them that changed with the source
  bool direct;                          // the method reads the source with O_DIRECT
  bool direct_sink;                     // and writes the sink with it
  bool knows_device_bytes;
  std::uint64_t device_bytes;  // that the move read from a device
};

unsigned char byte_at(std::uint64_t offset) { return static_cast<unsigned char>(1 + offset % 63); }

Descriptor make_marked_file(const Source& source, std::uint64_t bytes) {
  Descriptor file = make_unnamed_file(source.directory());
  std::vector<unsigned char> content(bytes);
  for (std::uint64_t i = 0; i < bytes; ++i) content[i] = byte_at(i);
  const ssize_t n = ::pwrite(file.get(), content.data(), bytes, 0);
  if (n < 0 || static_cast<std::uint64_t>(n) != bytes)
    throw SetupError(n < 0 ? errno : ENOSPC, "write a file in " + source.directory());
  return file;
}

// Of this process, from a device; false where the kernel does not account it.
bool read_device_bytes(std::uint64_t& bytes) {
  const Descriptor file(::open("/proc/self/io", O_RDONLY | O_CLOEXEC));
  char text[512] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return false;
  const char* const found = std::strstr(text, "\nread_bytes: ");
  if (found == nullptr) return false;
  bytes = std::strtoull(found + std::strlen("\nread_bytes: "), nullptr, 10);
  return true;
}

Failure change_source(int fd, std::uint64_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return last_error("mmap of the source");
  const Region pages(memory, bytes);
  for (std::uint64_t i = 0; i < bytes; ++i) pages.begin()[i] |= std::byte{kInSource};
  return {};
}

// Looks for the change of the source in the method's buffers, and then changes those. A buffer
// that holds no byte of the source is zero.
void change_buffers(const Method& method, const Transfer& job, const Workspace& workspace,
                    Experiment& experiment) {
  const std::uint64_t looked_at = std::min(job.buffer_bytes, job.length);
  for (unsigned i = 0; i < method.needs.buffers; ++i) {
    std::byte* const buffer = workspace.buffer.begin() + i * job.buffer_bytes;
    for (std::byte* at = buffer; at != buffer + looked_at; ++at) {
      if (*at == std::byte{0}) continue;
      ++experiment.buffered_bytes;
      if ((*at & std::byte{kInSource}) != std::byte{0}) ++experiment.buffered_by_reference;
      *at |= std::byte{kInBuffer};
    }
  }
}

// The child's life: the move, then the changes. Nothing reads the sink meanwhile.
void move_and_change(const Method& method, const Transfer& job, int writable_source_fd,
                     Experiment& experiment) {
  Workspace workspace;
  Failure error = prepare(method, job, workspace);
  experiment.direct = (::fcntl(job.in_fd, F_GETFL) & O_DIRECT) != 0;
  // btrfs reads a range that is still being written back through the page cache, also with
  // O_DIRECT.
  if (!error && experiment.direct && ::fsync(writable_source_fd) != 0)
    error = last_error("fsync of the source");
  if (!error) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    experiment.knows_device_bytes = read_device_bytes(before);
    const Moved moved = method.move(job, workspace);
    experiment.knows_device_bytes = experiment.knows_device_bytes && read_device_bytes(after);
    experiment.device_bytes = after - before;
    experiment.moved_bytes = moved.bytes;
    experiment.direct_sink = (::fcntl(job.out_fd, F_GETFL) & O_DIRECT) != 0;
    error = moved.error;
    if (!error) error = change_source(writable_source_fd, job.length);
    if (!error) change_buffers(method, job, workspace, experiment);
  }
  experiment.error_number = error.number;
  std::snprintf(experiment.error_operation, sizeof experiment.error_operation, "%s",
                error.operation);
  experiment.finished = true;
  ::_exit(0);
}

// "" when the child has ended by itself in time.
std::string wait_for(Child& child, int stop_fd, int most_wait_ms) {
  pollfd events[] = {{child.handle(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
  int ready;
  do {
    ready = ::poll(events, 2, most_wait_ms);
  } while (ready < 0 && errno == EINTR);
  if (events[0].revents != 0) return ending_text(child.wait());
  ::kill(child.pid(), SIGKILL);
  child.wait();
  return ready == 0 ? "the sink does not take the bytes while nothing reads them" : "interrupted";
}

// What came through a socket or a pipe, up to `bytes`.
std::vector<unsigned char> received(const Descriptor& in, std::uint64_t bytes) {
  std::vector<unsigned char> content(bytes);
  std::uint64_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::read(in.get(), &content[done], bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::uint64_t>(n);
  }
  content.resize(done);
  return content;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double unchanged_share(const std::vector<unsigned char>& content) {
  const auto unchanged = std::count_if(content.begin(), content.end(), [](unsigned char byte) {
    return (byte & (kInSource | kInBuffer)) == 0;
  });
  return share(static_cast<std::uint64_t>(unchanged), content.size());
}

bool bypasses_page_cache(const Descriptor& file) {
#ifdef STATX_ATTR_DAX
  struct statx status {};
  return ::statx(file.get(), "", AT_EMPTY_PATH, 0, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_DAX) != 0;
#else
  return false;
#endif
}

// A new file has pages in the page cache only where a CPU put bytes; a reflink leaves none. Reading
// the file would add pages, so this comes before that.
double cached_share(const Descriptor& file, std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  void* const memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) throw SetupError(errno, "map the sink");
  const Region pages(memory, bytes);
  std::vector<unsigned char> in_memory((bytes + page - 1) / page);
  if (::mincore(memory, bytes, in_memory.data()) != 0)
    throw SetupError(errno, "find the sink's pages in the page cache");
  const auto cached = std::count_if(in_memory.begin(), in_memory.end(),
                                    [](unsigned char flags) { return (flags & 1) != 0; });
  return share(static_cast<std::uint64_t>(cached), in_memory.size());
}

void look_at_sink(const Sink& sink, SinkKind kind, const Experiment& experiment,
                  CopiesFound& found) {
  const std::uint64_t bytes = experiment.moved_bytes;
  if (kind == SinkKind::null) return;  // which throws the bytes away: no copy
  double copied = 1;
  std::vector<unsigned char> content;
  if (contains(kFileSinks, kind)) {
    if (bypasses_page_cache(sink.out)) found.unknown = "the sink bypasses the page cache (DAX)";
    copied = cached_share(sink.out, bytes);
    found.sink_unseen |= experiment.direct_sink && copied == 0;
    const Descriptor file = reopen(sink.out, O_RDONLY);
    content = received(file, bytes);
  } else {
    content = received(sink.drain_end, bytes);
  }
  if (content.size() != bytes)
    found.unknown = "only " + std::to_string(content.size()) + " of " + std::to_string(bytes) +
                    " bytes arrived";
  found.into_sink = std::max(found.into_sink, copied * unchanged_share(content));
}

CopiesFound look_at(const Experiment& experiment, const std::vector<Sink>& sinks, SinkKind kind) {
  CopiesFound found;
  found.into_buffer = share(experiment.buffered_bytes - experiment.buffered_by_reference,
                            experiment.buffered_bytes);
  if (experiment.direct) {
    if (!experiment.knows_device_bytes)
      found.unknown = "the kernel does not account the bytes that O_DIRECT reads from a device";
    const std::uint64_t from_device = std::min(experiment.device_bytes, experiment.moved_bytes);
    found.into_buffer *= 1 - share(from_device, experiment.moved_bytes);
  }
  for (const Sink& sink : sinks) look_at_sink(sink, kind, experiment, found);
  return found;
}

}  // namespace

CopiesFound find_copies(const Method& method, BufferSize buffer, const Source& source,
                        const SinkSpec& spec, int stop_fd, int most_wait_ms) {
  const std::uint64_t chunk = resolve_buffer_bytes(method, buffer, kMostBytes);
  const std::uint64_t bytes = chunk < kMostBytes / kMostChunks ? chunk * kMostChunks : kMostBytes;
  std::vector<Sink> sinks;
  sinks.push_back(make_sink(spec, source));
  if (method.needs.second_sink) sinks.push_back(make_sink(spec, source));
  const Descriptor writable = make_marked_file(source, bytes);
  const Descriptor in = reopen(writable, O_RDONLY);
  const Transfer job = {
      .in_fd = in.get(),
      .out_fd = sinks.front().out.get(),
      .second_out_fd = method.needs.second_sink ? sinks.back().out.get() : -1,
      .length = bytes,
      .buffer_bytes = resolve_buffer_bytes(method, buffer, bytes),
  };
  SharedRecord<Experiment> record;
  Child child(dependent_child({job.in_fd, job.out_fd, job.second_out_fd, writable.get()}),
              [&] { move_and_change(method, job, writable.get(), *record.get()); });
  for (Sink& sink : sinks)
    if (sink.drain_end) sink.out.reset();  // or a read would wait for more
  CopiesFound found;
  found.unknown = wait_for(child, stop_fd, most_wait_ms);
  if (!found.unknown.empty()) return found;
  if (record->error_number != 0) {
    found.unknown = error_text(record->error_number, record->error_operation);
    return found;
  }
  if (!record->finished || record->moved_bytes != bytes) {
    found.unknown = "the method moved " + std::to_string(record->moved_bytes) + " of " +
                    std::to_string(bytes) + " bytes";
    return found;
  }
  return look_at(*record.get(), sinks, spec.kind);
}

}  // namespace zctrace::transfers
