// SPDX-License-Identifier: MIT
// Requests and answers are packets of a socket pair, in the same order.
#include "collector/os/proc_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "collector/os/capabilities.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;

// Children that may be stuck at once. Beyond that, nothing is read until one of them ends.
constexpr std::size_t kMostStuck = 8;
// Requests that are sent before their answers are received. They fit in a socket's buffer.
constexpr std::size_t kInFlight = 64;
// How long a file that did not answer is left out, and how many such files are remembered.
constexpr std::chrono::seconds kSilence(10);
constexpr std::size_t kMostSilent = 4096;
// How long a child may take that the kernel has yet to schedule.
constexpr std::chrono::seconds kPatienceWhileRunnable(5);
// An answer of several packets may take this many times the patience.
constexpr int kLongestAnswer = 20;

// A packet begins with one character: of a request 'f' or 'l' for a file or a link, of an answer
// '+' or '-' for success or failure, or '*' for a part that another packet follows. The rest is a
// path or the content.
constexpr std::size_t kPartBytes = 4096;
constexpr std::size_t kPacketBytes = 1 + kPartBytes;

// The functions up to serve() run in the child.

bool send_packet(int socket, const char* packet, std::size_t size) noexcept {
  while (::send(socket, packet, size, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return false;
  return true;
}

// Sends all parts but the last, and leaves that one in `packet`. Returns its length, or a negative
// number on failure.
ssize_t read_parts(int socket, int file, char* packet, std::size_t most) noexcept {
  for (std::size_t length = 0;;) {
    const ssize_t n = ::read(file, packet + 1 + length, std::min(kPartBytes - length, most));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return n;
    length += static_cast<std::size_t>(n);
    most -= static_cast<std::size_t>(n);
    if (n == 0 || most == 0) return static_cast<ssize_t>(length);
    if (length < kPartBytes) continue;
    packet[0] = '*';
    if (!send_packet(socket, packet, kPacketBytes)) return -1;
    length = 0;
  }
}

bool answer(int socket, char kind, const char* path, std::size_t most) noexcept {
  char packet[kPacketBytes];
  ssize_t length = -1;
  if (kind == 'l') {
    length = ::readlink(path, packet + 1, kPartBytes);
  } else if (const int file = ::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY); file >= 0) {
    length = read_parts(socket, file, packet, most);
    ::close(file);
  }
  packet[0] = length < 0 ? '-' : '+';
  return send_packet(socket, packet, 1 + static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
}

// Until the parent closes its end of the socket.
void serve(int socket, std::size_t most) noexcept {
  // An open terminal or pipe would keep its reader waiting for as long as the child is stuck.
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (null < 0 || ::dup2(null, fd) < 0) ::close(fd);
  ::prctl(PR_SET_NAME, "zctrace-reader");
  try {
    drop_capabilities(Privilege::find_executables);
    forbid_new_privileges();
  } catch (const Error&) {
    return;
  }
  char request[kPacketBytes + 1];
  for (;;) {
    const ssize_t n = ::recv(socket, request, kPacketBytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    request[n] = '\0';
    if (!answer(socket, request[0], request + 1, most)) return;
  }
}

// Whether the kernel has yet to run it, so that the file is not to blame. Its own child cannot
// make zctrace wait.
bool is_runnable(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[256] = "";
  if (!file || ::read(file.get(), text, sizeof(text) - 1) <= 0) return false;
  const char* const name_end = std::strrchr(text, ')');
  return name_end != nullptr && std::strncmp(name_end, ") R", 3) == 0;
}

ChildOptions worker_options(int socket) {
  ChildOptions options;
  options.dies_with_parent = true;
  options.kept = {socket};
  options.unwaited = ChildOptions::Unwaited::abandon;
  return options;
}

}  // namespace

ProcReader::Worker::Worker(std::size_t most_bytes) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw system_error("cannot read /proc", errno);
  socket.reset(ends[0]);
  const Descriptor other(ends[1]);
  child.emplace(worker_options(other.get()),
                [&other, most_bytes] { serve(other.get(), most_bytes); });
  child->handle();  // throws here rather than in the destructor
}

ProcReader::~ProcReader() {
  if (!worker_) return;
  worker_->child->kill();
  pollfd ended = {worker_->child->handle(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(patience_.count()));
}

bool ProcReader::has_worker() {
  if (worker_) return true;
  stuck_.remove_if([](Child& child) { return child.try_wait(); });
  if (stuck_.size() >= kMostStuck) return false;
  try {
    worker_.emplace(most_bytes_);
    return true;
  } catch (const Error&) {
    return false;  // no process or descriptor left: the answer stays unknown
  }
}

bool ProcReader::is_silent(const std::string& path) {
  const auto file = silent_.find(path);
  if (file == silent_.end()) return false;
  if (Clock::now() < file->second) return true;
  silent_.erase(file);
  return false;
}

void ProcReader::abandon() {
  stuck_.push_back(std::move(*worker_->child));
  stuck_.back().kill();
  worker_.reset();
}

bool ProcReader::await_answer() {
  const Clock::time_point give_up = Clock::now() + kPatienceWhileRunnable;
  for (;;) {
    pollfd event = {worker_->socket.get(), POLLIN, 0};
    const int ready = ::poll(&event, 1, static_cast<int>(patience_.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    if (Clock::now() < give_up && is_runnable(worker_->child->pid())) continue;
    return ::poll(&event, 1, 0) > 0;  // it may have answered since, and waits for the next request
  }
}

// Returns false if the child does not answer.
bool ProcReader::receive(std::optional<std::string>& answer) {
  const auto deadline = Clock::now() + kLongestAnswer * patience_;
  std::string text;
  char packet[kPacketBytes];
  for (;;) {
    const ssize_t n =
        await_answer() ? ::recv(worker_->socket.get(), packet, sizeof(packet), 0) : -1;
    if (n <= 0) return false;
    text.append(packet + 1, static_cast<std::size_t>(n - 1));
    if (packet[0] == '*' && Clock::now() < deadline) continue;
    if (packet[0] == '*') return false;
    if (packet[0] == '+') answer = std::move(text);
    return true;
  }
}

std::vector<std::optional<std::string>> ProcReader::read(const std::vector<ProcRequest>& wanted) {
  std::vector<std::optional<std::string>> answers(wanted.size());
  std::vector<std::size_t> read;  // indices
  for (std::size_t i = 0; i < wanted.size(); i++)
    if (!is_silent(wanted[i].path)) read.push_back(i);
  std::size_t sent = 0;
  std::size_t unanswered = 0;
  for (std::size_t next = 0; next < read.size(); next++) {
    if (unanswered == most_unanswered_ || !has_worker()) break;
    sent = std::max(sent, next);
    for (; sent < read.size() && sent - next < kInFlight; sent++) {
      const ProcRequest& request = wanted[read[sent]];
      const std::string packet = (request.link ? "l" : "f") + request.path;
      const int flags = MSG_NOSIGNAL | (sent == next ? 0 : MSG_DONTWAIT);
      if (::send(worker_->socket.get(), packet.data(), std::min(packet.size(), kPacketBytes),
                 flags) < 0)
        break;
    }
    if (receive(answers[read[next]])) continue;
    unanswered++;
    if (silent_.size() >= kMostSilent) silent_.clear();
    silent_[wanted[read[next]].path] = Clock::now() + kSilence;
    abandon();
    sent = next + 1;
  }
  return answers;
}

}  // namespace zctrace
