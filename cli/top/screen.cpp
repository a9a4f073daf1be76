// SPDX-License-Identifier: MIT
// The only file that uses ncurses.
#include "cli/top/screen.h"

#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// Its macros have common names.
#define NCURSES_NOMACROS 1
#include <ncurses.h>

#include "collector/os/error.h"

namespace zctrace {
namespace {

enum ColourPair : short { kGood = 1, kWarning = 2 };

// What a lone Esc waits for: the rest of a key's sequence.
constexpr int kEscapeDelayMs = 25;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::string terminal_type() {
  const char* type = std::getenv("TERM");
  return type == nullptr ? "" : type;
}

}  // namespace

void TopScreen::require_terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1)
    throw Error("top needs a terminal; 'zctrace attach -i 1s' prints text instead");
}

TopScreen::TopScreen() {
  require_terminal();
  std::setlocale(LC_CTYPE, "");
  unicode_ = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  // A resize is only delivered while waiting, or it could be missed just before.
  sigset_t resize;
  sigemptyset(&resize);
  sigaddset(&resize, SIGWINCH);
  ::sigprocmask(SIG_BLOCK, &resize, &before_);
  while_waiting_ = before_;
  sigdelset(&while_waiting_, SIGWINCH);

  // Not initscr: that exits where it fails.
  SCREEN* const screen = ::newterm(nullptr, stdout, stdin);
  const char* const place = screen == nullptr ? nullptr : ::tigetstr("cup");
  if (place == nullptr) {
    if (screen != nullptr) ::endwin();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    throw Error("top cannot use a terminal of type '" + terminal_type() +
                "'; set TERM, or use 'zctrace attach -i 1s'");
  }
  ::set_escdelay(kEscapeDelayMs);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  colour_ = !is_set("NO_COLOR") && ::has_colors() && ::start_color() == OK;
  if (colour_) {
    const short background = ::use_default_colors() == OK ? -1 : COLOR_BLACK;
    ::init_pair(kGood, COLOR_GREEN, background);
    ::init_pair(kWarning, COLOR_RED, background);
  }
}

TopScreen::~TopScreen() {
  // A terminal without an alternate screen keeps what was drawn, so clear it.
  ::werase(stdscr);
  ::wrefresh(stdscr);
  ::curs_set(1);
  ::endwin();
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

FrameSize TopScreen::size() const {
  return {static_cast<std::size_t>(::getmaxx(stdscr)), static_cast<std::size_t>(::getmaxy(stdscr))};
}

int TopScreen::attributes(int style) const {
  switch (static_cast<Style>(style)) {
    case Style::plain: break;
    case Style::dim: return static_cast<int>(A_DIM);
    case Style::bold: return static_cast<int>(A_BOLD);
    case Style::good: return colour_ ? COLOR_PAIR(kGood) : static_cast<int>(A_BOLD);
    case Style::warning: return static_cast<int>(A_BOLD) | (colour_ ? COLOR_PAIR(kWarning) : 0);
    case Style::reverse: return static_cast<int>(A_REVERSE);
  }
  return static_cast<int>(A_NORMAL);
}

void TopScreen::draw(const Frame& frame) {
  ::werase(stdscr);
  for (std::size_t y = 0; y < frame.lines.size(); ++y) {
    ::wmove(stdscr, static_cast<int>(y), 0);
    for (const Span& span : frame.lines[y]) {
      ::wattrset(stdscr, attributes(static_cast<int>(span.style)));
      ::waddnstr(stdscr, span.text.c_str(), static_cast<int>(span.text.size()));
    }
  }
  ::wattrset(stdscr, static_cast<int>(A_NORMAL));
  ::curs_set(frame.cursor ? 1 : 0);
  if (frame.cursor) ::wmove(stdscr, getmaxy(stdscr) - 1, static_cast<int>(*frame.cursor));
  ::wrefresh(stdscr);
}

// Its window was closed; SIGHUP may be ignored.
bool TopScreen::is_gone(short events) { return (events & (POLLHUP | POLLERR | POLLNVAL)) != 0; }

KeyPress TopScreen::take() {
  wint_t code = 0;
  const int kind = ::wget_wch(stdscr, &code);
  if (kind == ERR) return {};
  if (kind == KEY_CODE_YES) {
    switch (code) {
      case KEY_UP: return {KeyPress::up};
      case KEY_DOWN: return {KeyPress::down};
      case KEY_PPAGE: return {KeyPress::page_up};
      case KEY_NPAGE: return {KeyPress::page_down};
      case KEY_HOME: return {KeyPress::home};
      case KEY_END: return {KeyPress::end};
      case KEY_LEFT: return {KeyPress::left};
      case KEY_RIGHT: return {KeyPress::right};
      case KEY_ENTER: return {KeyPress::enter};
      case KEY_BACKSPACE: return {KeyPress::backspace};
      default: return {KeyPress::resized};  // KEY_RESIZE, and keys of no meaning here
    }
  }
  switch (code) {
    case '\r':
    case '\n': return {KeyPress::enter};
    case 27: return {KeyPress::escape};
    case '\b':
    case 127: return {KeyPress::backspace};
    case 12: ::clearok(stdscr, TRUE); return {KeyPress::resized};  // Ctrl-L: draw all anew
    default: return {KeyPress::character, static_cast<char32_t>(code)};
  }
}

}  // namespace zctrace
