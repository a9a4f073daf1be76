// SPDX-License-Identifier: MIT
// Drops the capabilities that are no longer needed once the probes are loaded.
#pragma once

namespace zctrace {

// What zctrace still has to do that needs capabilities. A set: combine members with |.
enum class Privilege : unsigned {
  none = 0,
  inspect_processes = 1,  // read other users' /proc entries: CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
  unmount = 2,            // CAP_SYS_ADMIN
  signal_command = 4,     // pass signals on to another user's command: CAP_KILL
  write_files = 16,       // go on writing below the directories of other users: CAP_DAC_OVERRIDE
  find_executables = 8,   // read other users' /proc/PID/exe, and what hidepid hides: CAP_SYS_PTRACE
  open_mapped_files = 16,  // open what a process has mapped: CAP_CHECKPOINT_RESTORE
};
constexpr Privilege operator|(Privilege a, Privilege b) {
  return static_cast<Privilege>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool includes(Privilege set, Privilege one) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

// Whether the calling thread may use a capability (CAP_BPF …) now.
bool has_capability(int capability);

// Drops every capability of the calling thread, and of threads and children that it will start,
// except those for `kept`. UID 0 stays: under another UID, any process of that user could kill
// zctrace. Throws Error.
void drop_capabilities(Privilege kept = Privilege::none);

// From now on no program that the calling thread executes gains rights by its file, as by a setuid
// bit. Throws Error.
void forbid_new_privileges();

}  // namespace zctrace
