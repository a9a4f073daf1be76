// SPDX-License-Identifier: MIT
// The table, from fs/read_write.c; the same from Linux 6.1 to 6.18.
#include "collector/observe/verify/kernel_accounting.h"

#include <algorithm>
#include <string>

namespace zctrace {
namespace {

struct AccountedCall {
  std::string_view name;
  Accounting accounting;
};

// Other calls add to none of the four counters, although they move bytes: recv* and send* of
// sockets (read and write of them do count), splice, tee, vmsplice, FICLONE, and io_uring, whose
// reads and writes call the file's read_iter and write_iter without vfs_read and vfs_write.
constexpr AccountedCall kAccounted[] = {
    // vfs_read and vfs_write: one inc_syscr or inc_syscw for each call that got past the checks of
    // descriptor, mode and address, whatever its result; add_rchar or add_wchar when positive.
    {"read", Accounting::reads},
    {"pread64", Accounting::reads},
    {"write", Accounting::writes},
    {"pwrite64", Accounting::writes},
    // do_readv, do_preadv, do_writev, do_pwritev: the same, with a bad descriptor, too.
    {"readv", Accounting::reads},
    {"preadv", Accounting::reads},
    {"preadv2", Accounting::reads},
    {"writev", Accounting::writes},
    {"pwritev", Accounting::writes},
    {"pwritev2", Accounting::writes},
    // do_sendfile: both sides of all that it moved, once the descriptors are checked.
    {"sendfile", Accounting::moves},
    // vfs_copy_file_range: both sides, but nothing at all when there is nothing to copy (at the
    // end of the source), and all of it twice on overlayfs, which calls it again for the files
    // below.
    {"copy_file_range", Accounting::copies},
};

std::uint64_t add_bound(std::uint64_t bound, std::uint64_t more) {
  return bound == ExpectedCounters::kOpen ? bound : bound + more;
}

std::size_t index_of(KernelCounter counter) { return static_cast<std::size_t>(counter); }

}  // namespace

Accounting accounting_of(std::string_view syscall) {
  if (syscall == kFoldedName) return Accounting::folded;
  for (const AccountedCall& call : kAccounted)
    if (call.name == syscall) return call.accounting;
  return Accounting::none;
}

void ExpectedCounters::add_row(Accounting accounting, const zc_row& row) {
  const auto add = [this](KernelCounter counter, std::uint64_t least, std::uint64_t most) {
    low[index_of(counter)] += least;
    high[index_of(counter)] = add_bound(high[index_of(counter)], most);
  };
  add(KernelCounter::voluntary, row.voluntary, row.voluntary);
  add(KernelCounter::involuntary, row.involuntary, row.involuntary);
  if (accounting == Accounting::none) return;
  const bool folded = accounting == Accounting::folded;
  const bool copies = accounting == Accounting::copies || folded;
  const std::uint64_t least_calls = copies ? 0 : row.calls - std::min(row.errors, row.calls);
  const auto add_side = [&](KernelCounter calls, KernelCounter bytes) {
    add(calls, least_calls, row.calls);
    add(bytes, folded ? 0 : row.bytes, row.bytes);
    if (!copies) return;
    again[index_of(calls)] += row.calls;
    again[index_of(bytes)] += row.bytes;
  };
  if (accounting != Accounting::writes) add_side(KernelCounter::syscr, KernelCounter::rchar);
  if (accounting != Accounting::reads) add_side(KernelCounter::syscw, KernelCounter::wchar);
}

void ExpectedCounters::add_compat_calls(std::uint64_t calls) {
  if (calls == 0) return;
  for (const KernelCounter counter : {KernelCounter::syscr, KernelCounter::syscw})
    high[index_of(counter)] = add_bound(high[index_of(counter)], calls);
  for (const KernelCounter counter : {KernelCounter::rchar, KernelCounter::wchar})
    high[index_of(counter)] = kOpen;
}

}  // namespace zctrace
