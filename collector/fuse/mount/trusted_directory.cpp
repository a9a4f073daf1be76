// SPDX-License-Identifier: MIT
// Follows symbolic links itself: the kernel follows all of them or none.
#include "collector/fuse/mount/trusted_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <optional>
#include <string_view>

#include "collector/os/caller.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

constexpr int kMostLinks = 40;  // as in the kernel (MAXSYMLINKS)

using PathParts = std::deque<std::string>;

// Puts the names of `path` before those that are left.
void add_names(PathParts& names, std::string_view path) {
  for (std::size_t end = path.size(); end != 0;) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    if (begin != end) names.emplace_front(path.substr(begin, end - begin));
    end = begin == 0 ? 0 : begin - 1;
  }
}

Descriptor open_start(std::string_view path) {
  return Descriptor(::open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// In a user namespace, the owner of everything that belongs to the machine's root.
std::optional<uid_t> owner_outside_namespace() {
  std::uint64_t first = 0, outside = 0, count = 0;
  std::ifstream("/proc/self/uid_map") >> first >> outside >> count;
  if (first == 0 && outside == 0 && count >= UINT32_MAX) return std::nullopt;
  uid_t owner = 0;
  if (!(std::ifstream("/proc/sys/kernel/overflowuid") >> owner)) return std::nullopt;
  return owner;
}

class Walk {
 public:
  Walk(const std::string& path, const char* what) : path_(path), what_(what) {
    if (path.empty()) fail(ENOENT);
    if (::geteuid() == 0) {
      caller_ = sudo_caller();
      outside_ = owner_outside_namespace();
    }
    directory_ = open_start(path);
    if (!directory_) fail(errno);
    add_names(names_, path);
  }

  Descriptor open() {
    while (!names_.empty()) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      Descriptor next(
          ::openat(directory_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (next) {
        directory_ = std::move(next);
      } else if (errno == ENOTDIR || errno == ELOOP) {
        follow(name);
      } else {
        fail(errno);
      }
    }
    return std::move(directory_);
  }

 private:
  std::string failed() const { return "cannot open " + std::string(what_) + " '" + path_ + "'"; }
  [[noreturn]] void fail(int error) const { throw system_error(failed(), error); }

  void follow(const std::string& name) {
    const Descriptor link(
        ::openat(directory_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status;
    if (!link || ::fstat(link.get(), &status) != 0) fail(errno);
    if (!S_ISLNK(status.st_mode))
      throw Error(std::string(what_) + " '" + path_ + "' is not a directory");
    if (!is_trusted(status.st_uid))
      throw Error(failed() + ": '" + name + "' is a symbolic link of another user (UID " +
                  std::to_string(status.st_uid) +
                  "), which root's mount does not follow; give the path it leads to");
    if (++links_ > kMostLinks) fail(ELOOP);
    char text[PATH_MAX];
    const ssize_t length = ::readlinkat(link.get(), "", text, sizeof(text));
    if (length <= 0 || length == sizeof(text)) fail(length < 0 ? errno : ENAMETOOLONG);
    const std::string_view target(text, static_cast<std::size_t>(length));
    if (target.starts_with('/')) directory_ = open_start(target);
    if (!directory_) fail(errno);
    add_names(names_, target);
  }

  // An ordinary user's mount shows that user what it may read anyway.
  bool is_trusted(uid_t owner) const {
    return ::geteuid() != 0 || owner == 0 || owner == ::getuid() ||
           (caller_ && owner == caller_->uid) || owner == outside_;
  }

  const std::string& path_;
  const char* what_;
  std::optional<Caller> caller_;
  std::optional<uid_t> outside_;
  Descriptor directory_;
  PathParts names_;
  int links_ = 0;
};

}  // namespace

Descriptor open_trusted_directory(const std::string& path, const char* what) {
  return Walk(path, what).open();
}

std::string current_path(int directory) noexcept {
  char self[32];
  std::snprintf(self, sizeof(self), "/proc/self/fd/%d", directory);
  char path[PATH_MAX];
  const ssize_t length = ::readlink(self, path, sizeof(path));
  if (length <= 0 || length == sizeof(path)) return {};
  return {path, static_cast<std::size_t>(length)};
}

}  // namespace zctrace::fuse
