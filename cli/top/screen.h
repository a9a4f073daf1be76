// SPDX-License-Identifier: MIT
// The terminal of `zctrace top`, through ncurses.
#pragma once

#include <signal.h>

#include <chrono>

#include "cli/top/controls.h"
#include "cli/top/view.h"

namespace zctrace {

// Owns the terminal: full-screen from the constructor to the destructor, which puts it back as
// it was. One at a time; one thread.
class TopScreen {
 public:
  // Throws Error: not a terminal, or one that cannot place text.
  static void require_terminal();

  TopScreen();  // throws Error
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  FrameSize size() const;
  bool unicode() const { return unicode_; }
  void draw(const Frame& frame);

  // Until a key, a change of size, or something to read from `fd`. False: the terminal is gone.
  bool wait(int fd, std::chrono::nanoseconds timeout);
  KeyPress take();  // kind none: no more

 private:
  int attributes(int style) const;

  bool unicode_ = false;
  bool colour_ = false;
  sigset_t while_waiting_;
  sigset_t before_;
};

}  // namespace zctrace
