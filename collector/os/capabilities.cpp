// SPDX-License-Identifier: MIT
// Capability sets through libcap.
#include "collector/os/capabilities.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "collector/os/error.h"

namespace zctrace {

bool has_capability(int capability) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> own(cap_get_proc(), cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return own && cap_get_flag(own.get(), capability, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
}

void drop_capabilities(Privilege kept) {
  std::vector<cap_value_t> wanted;
  if (includes(kept, Privilege::signal_command)) wanted.push_back(CAP_KILL);
  if (includes(kept, Privilege::find_executables)) wanted.push_back(CAP_SYS_PTRACE);
  if (includes(kept, Privilege::inspect_processes))
    wanted.insert(wanted.end(), {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH});
  if (includes(kept, Privilege::open_mapped_files)) wanted.push_back(CAP_CHECKPOINT_RESTORE);
  if (includes(kept, Privilege::write_files)) wanted.push_back(CAP_DAC_OVERRIDE);
  if (includes(kept, Privilege::unmount)) wanted.push_back(CAP_SYS_ADMIN);
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> current(cap_get_proc(),
                                                                              cap_free);
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> reduced(cap_init(), cap_free);
  if (!current || !reduced) throw system_error("cannot read the capabilities", errno);
  for (const cap_value_t capability : wanted) {
    cap_flag_value_t permitted = CAP_CLEAR;
    cap_get_flag(current.get(), capability, CAP_PERMITTED, &permitted);
    if (permitted != CAP_SET) continue;
    cap_set_flag(reduced.get(), CAP_PERMITTED, 1, &capability, CAP_SET);
    cap_set_flag(reduced.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET);
  }
  if (cap_set_proc(reduced.get()) != 0) throw system_error("cannot drop capabilities", errno);
}

void forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw system_error("cannot set no_new_privs", errno);
}

}  // namespace zctrace
