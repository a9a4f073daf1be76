// SPDX-License-Identifier: MIT
// Capability sets through libcap, which changes the calling thread only.
#include "collector/fuse/mount/serving_rights.h"

#include <sys/capability.h>

#include <cerrno>
#include <memory>
#include <type_traits>

#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

constexpr cap_value_t kForEveryone[] = {
    // any file of the source, with what root may do to it
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD,
    CAP_SETFCAP, CAP_LEASE, CAP_LINUX_IMMUTABLE, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE,
    // new files and written blocks belong to the requester
    CAP_SETUID, CAP_SETGID,
    // trusted.* attributes, the mount itself, and larger pipes
    CAP_SYS_ADMIN,
    // which call a requester is in
    CAP_SYS_PTRACE};

using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

}  // namespace

void keep_serving_rights(bool for_everyone) {
  const Capabilities current(cap_get_proc(), cap_free);
  const Capabilities kept(cap_init(), cap_free);
  if (!current || !kept) throw system_error("cannot read the capabilities", errno);
  if (for_everyone) {
    for (const cap_value_t capability : kForEveryone) {
      for (const cap_flag_t set : {CAP_PERMITTED, CAP_EFFECTIVE}) {
        cap_flag_value_t held = CAP_CLEAR;
        cap_get_flag(current.get(), capability, set, &held);
        cap_set_flag(kept.get(), set, 1, &capability, held);
      }
    }
  }
  if (cap_set_proc(kept.get()) != 0) throw system_error("cannot drop capabilities", errno);
}

}  // namespace zctrace::fuse
