// SPDX-License-Identifier: MIT
// The terminal of `zctrace top`, through ncurses.
#pragma once

#include <signal.h>

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

  // The signal mask to wait for keys with: it lets changes of size interrupt the wait.
  const sigset_t& waiting_mask() const { return while_waiting_; }
  // Whether poll(2) on standard input says that the terminal is gone.
  static bool is_gone(short events);
  KeyPress take();  // kind none: no more

 private:
  int attributes(int style) const;

  bool unicode_ = false;
  bool colour_ = false;
  sigset_t while_waiting_;
  sigset_t before_;
};

}  // namespace zctrace
