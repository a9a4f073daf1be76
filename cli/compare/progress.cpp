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

}  // namespace

Progress::Progress(std::size_t steps) : shown_(::isatty(STDERR_FILENO) == 1), steps_(steps) {}

Progress::~Progress() {
  if (shown_) tell("\r\x1b[K");
}

void Progress::step(const std::string& what) {
  if (!shown_) return;
  const std::size_t width = table_style_of(STDERR_FILENO).width;
  const std::size_t filled = kBarWidth * std::min(done_, steps_) / std::max<std::size_t>(steps_, 1);
  const std::string line = fmt::format("[{}{}] {}/{} {}", std::string(filled, '#'),
                                       std::string(kBarWidth - filled, '.'), done_, steps_, what);
  tell(fmt::format("\r{}\x1b[K", cut_to_width(line, width > 1 ? width - 1 : 1, false)));
  done_++;
}

}  // namespace zctrace
