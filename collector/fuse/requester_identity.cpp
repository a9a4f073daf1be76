// Raw system calls: glibc's setfsuid and capset wrappers are per thread as well, but do not
// promise it.
#include "collector/fuse/requester_identity.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace zctrace::fuse {
namespace {

// Of the calling thread. All of these are in the first word.
void change_effective(std::uint32_t raise, std::uint32_t drop) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return;
  sets[0].effective |= sets[0].permitted & raise;
  sets[0].effective &= ~drop;
  ::syscall(SYS_capset, &header, sets);
}

constexpr std::uint32_t kFsetid = 1U << CAP_FSETID;
constexpr std::uint32_t kOverride = (1U << CAP_DAC_OVERRIDE) | (1U << CAP_MKNOD);

}  // namespace

RequesterIdentity::RequesterIdentity(const fuse_ctx& requester,
                                     const FileSystemOptions& options) noexcept
    : switched_(options.for_everyone && (requester.uid != 0 || requester.gid != 0)),
      masked_(options.thread_umask) {
  if (masked_) umask_ = ::umask(requester.umask);
  if (!switched_) return;
  ::syscall(SYS_setfsgid, requester.gid);
  if (requester.uid == 0) return;
  ::syscall(SYS_setfsuid, requester.uid);
  // Leaving uid 0 cleared the file capabilities from the effective set; they stay permitted.
  change_effective(kOverride, 0);
}

RequesterIdentity::~RequesterIdentity() {
  if (masked_) ::umask(umask_);
  if (!switched_) return;
  // Becoming 0 again makes the file capabilities effective again.
  ::syscall(SYS_setfsuid, 0);
  ::syscall(SYS_setfsgid, 0);
}

DropSetIds::DropSetIds(bool wanted) noexcept : wanted_(wanted) {
  if (wanted_) change_effective(0, kFsetid);
}

DropSetIds::~DropSetIds() {
  if (wanted_) change_effective(kFsetid, 0);
}

}  // namespace zctrace::fuse
