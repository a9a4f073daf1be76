// SPDX-License-Identifier: MIT
// Redrawn in place with a carriage return.
#include "cli/compare/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/views/table_view.h"

namespace zctrace {
namespace {

constexpr std::size_t kBarWidth = 24;

std::string about(std::chrono::nanoseconds left) {
  const auto seconds = std::max<long>(1, std::chrono::round<std::chrono::seconds>(left).count());
  return seconds < 90 ? fmt::format("about {} s left", seconds)
                      : fmt::format("about {} min left", (seconds + 30) / 60);
}

}  // namespace

std::string progress_line(std::size_t done, std::size_t steps, const std::string& what,
                          std::chrono::nanoseconds elapsed, std::size_t width) {
  const std::size_t all = std::max({steps, done, std::size_t{1}});
  const std::size_t filled = kBarWidth * done / all;
  std::string line = fmt::format("[{}{}] {}/{} {}", std::string(filled, '#'),
                                 std::string(kBarWidth - filled, '.'), done, all, what);
  if (done != 0) line += ", " + about(elapsed * (all - done) / done);
  return cut_to_width(line, std::max<std::size_t>(width, 1), false);
}

Progress::Progress(std::size_t steps) : shown_(::isatty(STDERR_FILENO) == 1), steps_(steps) {}

Progress::~Progress() {
  if (shown_) tell("\r\x1b[K");
}

void Progress::step(const std::string& what) {
  if (!shown_) return;
  const std::size_t width = table_style_of(STDERR_FILENO).width;
  const std::string line = progress_line(
      done_, steps_, what, std::chrono::steady_clock::now() - start_, width > 1 ? width - 1 : 1);
  tell("\r" + line + "\x1b[K");
  done_++;
}

}  // namespace zctrace
