// SPDX-License-Identifier: MIT
// Uses a signalfd, so that no code runs in a signal handler.
#include "collector/os/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "collector/os/error.h"

namespace zctrace {

void ignore_file_size_signal() noexcept { ::signal(SIGXFSZ, SIG_IGN); }

void restore(const SignalState& signals) noexcept {
  ::sigaction(SIGPIPE, &signals.pipe, nullptr);
  ::sigaction(SIGXFSZ, &signals.file_size, nullptr);
  ::sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
}

Signals::Signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&wanted, signal);
  ::sigprocmask(SIG_BLOCK, &wanted, &before_.mask);
  events_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!events_) throw system_error("cannot wait for signals", errno);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before_.pipe);
  ::sigaction(SIGXFSZ, &ignore, &before_.file_size);
}

Signals::Event Signals::take() {
  signalfd_siginfo event = {};
  if (::read(events_.get(), &event, sizeof(event)) != sizeof(event)) return {};
  // SI_USER and the other codes of signals that a process sends are not positive.
  return {static_cast<int>(event.ssi_signo), event.ssi_code <= 0};
}

}  // namespace zctrace
