// SPDX-License-Identifier: MIT
// Reads without blocking, so that a program that writes forever cannot hold its reader.
#include "transfers/external/error_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

namespace zctrace::transfers {
namespace {

constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kMostShown = 200;
constexpr int kReadsAtOnce = 16;  // a pipe's capacity

}  // namespace

ErrorOutput::ErrorOutput() : pipe_(make_pipe()) {
  ::fcntl(pipe_.reader.get(), F_SETFL, O_NONBLOCK);
}

void ErrorOutput::take() {
  char block[kMostKept];
  for (int i = 0; i < kReadsAtOnce && pipe_.reader; ++i) {
    const ssize_t n = ::read(pipe_.reader.get(), block, sizeof block);
    if (n < 0) return;
    if (n == 0) pipe_.reader.reset();
    tail_.append(block, static_cast<std::size_t>(n));
    if (tail_.size() > kMostKept) tail_.erase(0, tail_.size() - kMostKept);
  }
}

std::string ErrorOutput::last_line() const {
  const std::size_t last = tail_.find_last_not_of(" \t\r\n");
  if (last == std::string::npos) return "";
  const std::size_t before = tail_.rfind('\n', last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  return tail_.substr(first, last + 1 - first).substr(0, kMostShown);
}

}  // namespace zctrace::transfers
