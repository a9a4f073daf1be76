// SPDX-License-Identifier: MIT
// Set-up, and the helpers that more than one file of operations needs.
#include "collector/fuse/filesystem/file_system.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "collector/fuse/filesystem/kernel_views.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

constexpr std::size_t kPaths = 200'000;  // paths listed in the report; further ones are summed
constexpr double kAttributeSeconds = 1;
// How often, and how long, to wait for a descriptor.
constexpr int kTries = 500;
constexpr int kTriesInDirectory = 3;
constexpr useconds_t kPauseUs = 2000;
constexpr double kAlwaysSeconds = 86400;
// For statx(2): answers from what the kernel knows.
constexpr int kDoNotAsk = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
constexpr std::size_t kMostNames = 4096;  // that the kernel drops for a user before others' turn

struct stat status_of(const Descriptor& root) {
  struct stat status = {};
  if (::fstat(root.get(), &status) != 0)
    throw system_error("cannot read the attributes of the source", errno);
  return status;
}

Descriptor open_proc() {
  Descriptor proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!proc) throw system_error("cannot open '/proc'", errno);
  return proc;
}

template <typename Open>
Descriptor patiently(Open open) {
  for (int attempt = 1;; ++attempt) {
    Descriptor fd(open());
    if (fd || errno != EMFILE || attempt == kTries) return fd;
    ::usleep(kPauseUs);
  }
}

}  // namespace

FileSystem::FileSystem(Descriptor root, const FileSystemOptions& options)
    : options(options),
      paths(kPaths),
      shares(options.descriptors),
      submounts(options.for_everyone),
      inodes([this, &root, &options] {
        if (options.for_everyone && depends_on_reader(root.get()))
          throw Error(
              "cannot mount the source as root: its content depends on the reader, as that of "
              "/proc does, so every user would see what root sees; choose another source, or mount "
              "it as an ordinary user");
        const struct stat status = status_of(root);
        const InodeKey key = inode_key_of(root.get(), status);
        return InodeTable(std::move(root), key, shares);
      }()),
      proc(open_proc()),
      tasks(proc.get(), options.threads, options.threads_of_a_queue, options.for_everyone),
      self_fd_(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      device_(inodes.find(InodeTable::kRootId)->key.device) {
  if (!self_fd_) throw system_error("cannot open '/proc/self/fd'", errno);
  if (options.identify_requesters) {
    requesters.start();
    mappings.start();
  }
  if (options.remember_requesters) requesters.remember();
  requesters.on_listed_changed(
      [this](const std::unordered_set<ProcessId>& listed) { counts.list_only(listed); });
}

std::string_view cache_name(Cache cache) {
  switch (cache) {
    case Cache::none: return "none";
    case Cache::attributes: return "attributes";
    case Cache::always: return "always";
    default: return "auto";
  }
}

InodeKey inode_key_of(int fd, const struct stat& status) {
  struct statx more;
  const bool by_mount = S_ISDIR(status.st_mode) &&
                        ::statx(fd, "", AT_EMPTY_PATH | kDoNotAsk, STATX_MNT_ID, &more) == 0;
  return inode_key_in(by_mount ? more.stx_mnt_id : 0, status);
}

InodeKey inode_key_in(std::uint64_t mount, const struct stat& status) noexcept {
  return {status.st_dev, status.st_ino, S_ISDIR(status.st_mode) ? mount : 0};
}

std::optional<InodeKey> find_key(int directory, const char* name) noexcept {
  struct statx found;
  if (::statx(directory, name, kDoNotAsk, STATX_TYPE | STATX_INO | STATX_MNT_ID, &found) != 0)
    return std::nullopt;
  return InodeKey{makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino,
                  S_ISDIR(found.stx_mode) ? found.stx_mnt_id : 0};
}

int FileSystem::may_show(int fd, const Inode& parent) {
  struct statx found;
  // Without a mask: FUSE tells users that may not enter a file system only its device.
  if (::statx(fd, "", AT_EMPTY_PATH | kDoNotAsk, 0, &found) != 0) return errno;
  const dev_t device = makedev(found.stx_dev_major, found.stx_dev_minor);
  if (device == parent.key.device) return 0;
  if (device == mount_device_) return ELOOP;
  // A subvolume of Btrfs has a device of its own, but is not a mount.
  return found.stx_mnt_id == parent.key.mount ? 0 : submounts.may_show(found.stx_mnt_id);
}

double FileSystem::timeout_s() const {
  switch (options.cache) {
    case Cache::none: return 0;
    case Cache::attributes:
    case Cache::always: return kAlwaysSeconds;
    default: return kAttributeSeconds;
  }
}

Descriptor open_patiently(int directory, const char* name, int flags, mode_t mode) {
  return patiently([=] { return ::openat(directory, name, flags, mode); });
}

// A filter of system calls may refuse a call that it does not know.
Descriptor open_in_mount_patiently(int directory, const char* name) {
  const open_how how = {O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_XDEV};
  Descriptor fd = patiently(
      [&] { return static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof(how))); });
  if (!fd && (errno == ENOSYS || errno == EPERM)) errno = EXDEV;
  return fd;
}

Descriptor FileSystem::reopen(const Inode& inode, int flags) const {
  // The magic link leads to the inode itself; O_NOFOLLOW would refuse to follow it.
  const FdName name(inode.fd.get());
  return open_patiently(self_fd_.get(), name.name(), (flags & ~O_NOFOLLOW) | O_CLOEXEC);
}

DescriptorShares::Room FileSystem::room_for(uid_t user) {
  if (!options.for_everyone) return DescriptorShares::Room::enough;
  const DescriptorShares::Room room = shares.room_for(user);
  if (room != DescriptorShares::Room::enough) shortage.report(user);
  return room;
}

// One request of a user waits, and not in all threads, so that a user which keeps its files open
// does not make others wait.
bool FileSystem::wait_for_room(uid_t user, int tries) {
  bool may = room_for(user) <= DescriptorShares::Room::little;
  if (may || !shortage.begin_wait(user, options.threads_of_a_queue / 2)) return may;
  for (int attempt = 0; attempt < tries && !may; ++attempt) {
    ::usleep(kPauseUs);
    may = room_for(user) <= DescriptorShares::Room::little;
  }
  shortage.end_wait(user);
  return may;
}

bool FileSystem::has_room(const fuse_ctx& requester) {
  return wait_for_room(requester.uid, kTries);
}

// The wait lets the thread that makes the kernel forget have the directory after this request.
bool FileSystem::has_room_in_directory(const fuse_ctx& requester) {
  return wait_for_room(requester.uid, kTriesInDirectory) ||
         room_for(requester.uid) == DescriptorShares::Room::excess;
}

std::vector<CachedName> FileSystem::names_to_forget() {
  std::vector<CachedName> names;
  if (near_descriptor_limit()) {
    const std::size_t cached = inodes.size();
    const std::size_t enough = options.inode_descriptors / 4 * 3;
    names = inodes.oldest_names(cached - std::min(cached, enough));
  }
  for (const uid_t user : shortage.take()) add_names_for(user, names);
  return names;
}

void FileSystem::add_names_for(uid_t user, std::vector<CachedName>& names) {
  const auto add = [&](uid_t holder, std::size_t most) {
    std::vector<CachedName> found = inodes.oldest_names_of(holder, most);
    std::ranges::move(found, std::back_inserter(names));
    return found.size();
  };
  const std::size_t own = std::min(shares.beyond_half(user), kMostNames);
  if (own != 0 && add(user, own) == own) return;
  std::size_t left = std::min(shares.beyond_half_of_all(), kMostNames);
  for (const DescriptorShares::Holder& other : shares.larger_than(user)) {
    if (left == 0) return;
    left -= add(other.user, std::min(other.more, left));
  }
}

void FileSystem::show(struct stat& status) const {
  if (status.st_dev != device_) status.st_ino ^= status.st_dev * 0x9e3779b97f4a7c15ULL;
}

void FileSystem::set_mount_device(dev_t device) {
  mount_device_ = device;
  if (options.sender_calls) options.sender_calls->watch(device);
}

std::optional<MappedFile> FileSystem::as_mapped(const Inode& inode) const {
  const dev_t device = mount_device_;
  if (device == 0) return std::nullopt;
  struct stat status = {};
  status.st_dev = inode.key.device;
  status.st_ino = inode.key.number;
  show(status);
  return MappedFile{device, status.st_ino};
}

FdName::FdName(int fd) { std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); }

bool is_plain_name(const char* name) noexcept {
  return *name != '\0' && std::strchr(name, '/') == nullptr && std::strcmp(name, ".") != 0 &&
         std::strcmp(name, "..") != 0;
}

}  // namespace zctrace::fuse
