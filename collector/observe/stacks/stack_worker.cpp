// SPDX-License-Identifier: MIT
// A request is the sample, then a packet for each of its pages, as the kernel side sent them. The
// answer is one packet of text.
#include "collector/observe/stacks/stack_worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "collector/observe/stacks/unwinder.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

constexpr std::size_t kLongestAnswer = 128 << 10;
constexpr rlim_t kMostMemory = rlim_t{4} << 30;  // mappings of large files count, too
constexpr rlim_t kMostOpenFiles = 4096;
constexpr std::chrono::milliseconds kEndPatience(100);

// Neither can be in a name that passed through clean().
constexpr char kFieldEnd = '\x1f';
constexpr char kFrameEnd = '\x1e';

std::string clean(std::string_view text) {
  std::string result(text.substr(0, 4096));
  for (char& character : result)
    if (static_cast<unsigned char>(character) < ' ' || character == '\x7f') character = '?';
  return result;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

ssize_t receive(int socket, void* packet, std::size_t size) {
  for (;;) {
    const ssize_t n = ::recv(socket, packet, size, 0);
    if (n >= 0 || errno != EINTR) return n;
  }
}

// Whether a whole request came.
bool receive(int socket, RawStack& raw) {
  raw.parts.clear();
  if (receive(socket, &raw.sample, sizeof(raw.sample)) != sizeof(raw.sample)) return false;
  for (std::uint32_t i = 0; i < raw.sample.pages; i++) {
    zc_stack_page page;
    const ssize_t n = receive(socket, &page, sizeof(page));
    if (n < static_cast<ssize_t>(ZC_STACK_PAGE_HEAD)) return false;
    const std::size_t bytes = static_cast<std::size_t>(n) - ZC_STACK_PAGE_HEAD;
    raw.parts.push_back({page.address, {page.memory, bytes}});
  }
  return true;
}

void limit(__rlimit_resource resource, rlim_t most) {
  rlimit limits = {};
  ::getrlimit(resource, &limits);
  limits.rlim_max = std::min(limits.rlim_max, most);
  limits.rlim_cur = limits.rlim_max;
  ::setrlimit(resource, &limits);
}

// In the child, until the parent closes its end of the socket.
void serve(int socket) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (null < 0 || ::dup2(null, fd) < 0) ::close(fd);
  ::prctl(PR_SET_NAME, "zctrace-stacks");
  limit(RLIMIT_AS, kMostMemory);
  limit(RLIMIT_NOFILE, kMostOpenFiles);
  limit(RLIMIT_CORE, 0);
  drop_capabilities(Privilege::inspect_processes | Privilege::open_mapped_files);
  forbid_new_privileges();
  Unwinder unwinder;
  for (RawStack raw; receive(socket, raw);) {
    std::string answer = packed(unwinder.unwind(raw));
    if (answer.size() > kLongestAnswer) answer.resize(answer.rfind(kFrameEnd, kLongestAnswer) + 1);
    while (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
      if (errno != EINTR) return;
  }
}

}  // namespace

std::string packed(const CallStack& stack) {
  std::string text(1, stack.whole ? '+' : '-');
  for (const StackFrame& frame : stack.user) {
    for (const std::string& field :
         {frame.function, frame.module, frame.source, std::to_string(frame.line),
          std::to_string(frame.offset), std::string(frame.own ? "1" : "0")})
      text += clean(field) + kFieldEnd;
    text += kFrameEnd;
  }
  return text;
}

CallStack unpacked(std::string_view answer) {
  CallStack stack;
  stack.whole = answer.starts_with('+');
  if (!answer.empty()) answer.remove_prefix(1);
  for (const std::string_view text : split(answer, kFrameEnd)) {
    const std::vector<std::string_view> fields = split(text, kFieldEnd);
    if (fields.size() < 6 || stack.user.size() == Unwinder::kMostFrames) continue;
    StackFrame frame;
    frame.function = clean(fields[0]);
    frame.module = clean(fields[1]);
    frame.source = clean(fields[2]);
    frame.line = static_cast<unsigned>(number(fields[3]));
    frame.offset = number(fields[4]);
    frame.own = fields[5] == "1";
    stack.user.push_back(std::move(frame));
  }
  return stack;
}

StackWorker::StackWorker() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw system_error("--stacks: cannot make a socket", errno);
  socket_.reset(ends[0]);
  const Descriptor other(ends[1]);
  ChildOptions options;
  options.dies_with_parent = true;
  options.kept = {other.get()};
  options.unwaited = ChildOptions::Unwaited::abandon;
  child_.emplace(options, [&other] {
    try {
      serve(other.get());
    } catch (const std::exception&) {
      ::_exit(kExitFailed);  // as a crash: the parent sees the end of the socket
    }
  });
  child_->handle();
}

StackWorker::~StackWorker() {
  child_->kill();
  pollfd ended = {child_->handle(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(kEndPatience.count()));
}

bool StackWorker::send(const RawStack& raw) {
  const auto send_packet = [this](const void* packet, std::size_t size) {
    return ::send(socket_.get(), packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  };
  zc_stack_sample sample = raw.sample;
  sample.pages = static_cast<std::uint32_t>(raw.parts.size());
  if (!send_packet(&sample, sizeof(sample))) return false;
  for (const RawStack::Part& part : raw.parts) {
    zc_stack_page page;
    page.record = ZC_STACK_PAGE;
    page.bytes = static_cast<std::uint32_t>(part.memory.size());
    page.sample = sample.sample;
    page.address = part.address;
    const std::size_t bytes = std::min(part.memory.size(), sizeof(page.memory));
    std::memcpy(page.memory, part.memory.data(), bytes);
    if (!send_packet(&page, ZC_STACK_PAGE_HEAD + bytes)) return false;
  }
  return true;
}

std::optional<CallStack> StackWorker::unwind(const RawStack& raw, Clock::time_point deadline) {
  if (!send(raw)) return std::nullopt;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd event = {socket_.get(), POLLIN, 0};
    const int ready = ::poll(&event, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    std::string answer(kLongestAnswer, '\0');
    const ssize_t n = receive(socket_.get(), answer.data(), answer.size());
    if (n <= 0) return std::nullopt;
    answer.resize(static_cast<std::size_t>(n));
    return unpacked(answer);
  }
}

}  // namespace zctrace
