// SPDX-License-Identifier: MIT
// Drops the capabilities that are no longer needed once the probes are loaded.
#pragma once

namespace zctrace {

// What zctrace still has to do that needs capabilities. A set: combine members with |.
enum class Privilege : unsigned {
  none = 0,
  inspect_processes = 1,  // read other users' /proc entries: CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
  unmount = 2,            // CAP_SYS_ADMIN
};
constexpr Privilege operator|(Privilege a, Privilege b) {
  return static_cast<Privilege>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool includes(Privilege set, Privilege one) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

// Drops every capability of the calling thread, and of threads that it will start, except those for
// `kept` and CAP_KILL, which is needed to pass signals on to another user's command. UID 0 stays.
// Throws Error.
void drop_capabilities(Privilege kept = Privilege::none);

}  // namespace zctrace
