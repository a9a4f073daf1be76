// SPDX-License-Identifier: MIT
// Connects, and reads the answer of a drain, which may be any program.
#include "transfers/remote.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <thread>

#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kConnectPatience(2000);
constexpr milliseconds kBetweenTries(20);
constexpr std::size_t kMostAnswer = 256;
// A reader that is not a drain may never say anything.
constexpr int kMeetPatienceMs = 3'000;
// A drain may have much to receive before.
constexpr int kTakePatienceMs = 60'000;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const RemoteAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  if (error != 0)
    throw Error("cannot find " + address.text() + ": " + ::gai_strerror(error) +
                "; give HOST:PORT, or an address");
  return {found, &::freeaddrinfo};
}

// The errno of the last attempt.
int try_all(const addrinfo* addresses, Descriptor& socket) {
  int error = ENOENT;
  for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
    socket.reset(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket && ::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return 0;
    error = errno;
  }
  socket.reset();
  return error;
}

// Takes "NAME=" off `rest`, and the number that follows, in `base`.
template <typename Number>
bool take(std::string_view& rest, std::string_view name, Number& number, int base = 10) {
  if (!rest.starts_with(name)) return false;
  rest.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
  if (error != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

}  // namespace

std::string RemoteAddress::text() const {
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + port;
}

std::optional<RemoteAddress> parse_remote(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (host.empty() || bracketed != has_colon || host.find('\0') != std::string_view::npos)
    return std::nullopt;
  return RemoteAddress{std::string(host), std::string(port)};
}

std::string answer_line(const DrainAnswer& answer) {
  char line[kMostAnswer];
  std::snprintf(line, sizeof line,
                "zctrace-drain/1 transfers=%" PRIu64 " bytes=%" PRIu64 " crc32=%08" PRIx32
                " ns=%" PRIu64 "\n",
                answer.transfers, answer.bytes, answer.crc32, answer.ns);
  return line;
}

std::optional<DrainAnswer> parse_answer(std::string_view line) {
  DrainAnswer answer;
  const bool whole = take(line, "zctrace-drain/1 transfers=", answer.transfers) &&
                     take(line, " bytes=", answer.bytes) &&
                     take(line, " crc32=", answer.crc32, 16) && take(line, " ns=", answer.ns) &&
                     line == "\n";
  return whole ? std::make_optional(answer) : std::nullopt;
}

Descriptor connect_to(const RemoteAddress& address) {
  const AddressList addresses = look_up(address);
  const auto deadline = steady_clock::now() + kConnectPatience;
  for (;;) {
    Descriptor socket;
    const int error = try_all(addresses.get(), socket);
    if (error == 0) return socket;
    if (error != ECONNREFUSED || steady_clock::now() >= deadline)
      throw SetupError(
          error, "connect to " + address.text(),
          "start a reader there, such as 'zctrace drain --listen 0.0.0.0:" + address.port + "'");
    std::this_thread::sleep_for(kBetweenTries);
  }
}

std::optional<DrainAnswer> ask_drain(const RemoteAddress& address, int patience_ms, int stop_fd) {
  const Descriptor socket = connect_to(address);
  ::shutdown(socket.get(), SHUT_WR);
  const auto deadline = steady_clock::now() + milliseconds(patience_ms);
  std::string answer;
  while (answer.size() < kMostAnswer && !answer.ends_with('\n')) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd events[] = {{socket.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    const int ready = left > 0 ? ::poll(events, 2, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || events[1].revents != 0) return std::nullopt;
    char part[kMostAnswer];
    const ssize_t n = ::recv(socket.get(), part, sizeof part, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return std::nullopt;
    answer.append(part, static_cast<std::size_t>(n));
  }
  return parse_answer(answer);
}

void RemoteReader::meet(int stop_fd) {
  const auto answer = ask_drain(address_, kMeetPatienceMs, stop_fd);
  drain_ = answer.has_value();
  transfers_ = answer ? answer->transfers : 0;
}

std::optional<DrainAnswer> RemoteReader::take(int stop_fd) {
  std::optional<DrainAnswer> answer;
  try {
    answer = ask_drain(address_, kTakePatienceMs, stop_fd);
  } catch (const Error&) {
    return std::nullopt;  // it has ended
  }
  if (!answer) return std::nullopt;
  DrainAnswer news = *answer;
  news.transfers = answer->transfers - std::min(answer->transfers, transfers_);
  if (news.transfers == 0) news = {};
  transfers_ = answer->transfers;
  return news;
}

}  // namespace zctrace::transfers
