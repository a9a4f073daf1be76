// SPDX-License-Identifier: MIT
// Recognizes them by their magic numbers, linux/magic.h.
#include "collector/fuse/filesystem/kernel_views.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cstdint>

namespace zctrace::fuse {
namespace {

struct KernelView {
  std::uint32_t magic;
  std::string_view type;
};

constexpr KernelView kViews[] = {
    {PROC_SUPER_MAGIC, "proc"},       {SYSFS_MAGIC, "sysfs"},
    {CGROUP_SUPER_MAGIC, "cgroup"},   {CGROUP2_SUPER_MAGIC, "cgroup2"},
    {DEBUGFS_MAGIC, "debugfs"},       {TRACEFS_MAGIC, "tracefs"},
    {SECURITYFS_MAGIC, "securityfs"}, {SELINUX_MAGIC, "selinuxfs"},
    {SMACK_MAGIC, "smackfs"},         {BPF_FS_MAGIC, "bpf"},
    {BINFMTFS_MAGIC, "binfmt_misc"},  {EFIVARFS_MAGIC, "efivarfs"},
    {PSTOREFS_MAGIC, "pstore"},       {NSFS_MAGIC, "nsfs"},
    {0x62656570, "configfs"},         {0x65735543, "fusectl"},
    {0x7655821, "resctrl"},           {0x67596969, "rpc_pipefs"},
};

}  // namespace

bool depends_on_reader(int fd) noexcept {
  struct statfs status;
  if (::fstatfs(fd, &status) != 0) return false;
  const auto magic = static_cast<std::uint32_t>(status.f_type);
  return std::ranges::find(kViews, magic, &KernelView::magic) != std::end(kViews);
}

bool depends_on_reader(std::string_view type) noexcept {
  return std::ranges::find(kViews, type, &KernelView::type) != std::end(kViews);
}

}  // namespace zctrace::fuse
