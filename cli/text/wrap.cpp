// SPDX-License-Identifier: MIT
// Words stay whole; spaces inside a line stay as they are.
#include "cli/text/wrap.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

constexpr std::size_t kPlainWidth = 80;
constexpr std::size_t kLeastWidth = 40;
constexpr std::size_t kMostWidth = 100;  // longer lines are hard to read

}  // namespace

std::size_t text_width(int fd) {
  winsize size = {};
  if (::isatty(fd) != 1 || ::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return kPlainWidth;
  return std::clamp<std::size_t>(size.ws_col, kLeastWidth, kMostWidth);
}

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t column = 0;  // of the line that is being filled
  for (std::size_t begin = 0; begin < text.size();) {
    // A word with the spaces or the line break before it, which keep a column where it is.
    const std::size_t word = std::min(text.find_first_not_of(" \n", begin), text.size());
    const std::size_t end = std::min(text.find_first_of(" \n", word), text.size());
    const std::string before = text.substr(begin, word - begin);
    const std::size_t columns = display_width(std::string_view(text).substr(word, end - word));
    const std::size_t newline = before.rfind('\n');
    const std::size_t start =
        newline == std::string::npos ? column + before.size() : before.size() - newline - 1;
    if (start + columns > width && column > indent && newline == std::string::npos) {
      lines += "\n" + std::string(indent, ' ');
      column = indent + columns;
    } else {
      lines += before;
      column = start + columns;
    }
    lines += text.substr(word, end - word);
    begin = end;
  }
  return lines;
}

}  // namespace zctrace
