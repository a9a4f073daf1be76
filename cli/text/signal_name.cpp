// SPDX-License-Identifier: MIT
// Names of signals, from the C library.
#include "cli/text/signal_name.h"

#include <cstring>

namespace zctrace {

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

}  // namespace zctrace
