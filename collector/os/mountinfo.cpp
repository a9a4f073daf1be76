// SPDX-License-Identifier: MIT
// "id parent major:minor root target options [fields] - type source options", one line a mount.
#include "collector/os/mountinfo.h"

#include <fstream>
#include <sstream>

namespace zctrace {
namespace {

// The kernel escapes blanks and the like as octal numbers.
std::string unescaped(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); i++) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      text += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
                                (field[i + 3] - '0'));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

}  // namespace

std::vector<MountEntry> read_mounts(const std::filesystem::path& mountinfo) {
  std::ifstream mounts(mountinfo);
  return read_mounts(mounts);
}

std::vector<MountEntry> read_mounts(std::istream& mountinfo) {
  std::vector<MountEntry> found;
  for (std::string line; std::getline(mountinfo, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    MountEntry mount;
    std::string parent, root, source;
    std::istringstream(line) >> mount.id >> parent >> mount.device >> root >> mount.target;
    mount.target = unescaped(mount.target);
    std::istringstream(line.substr(separator + 3)) >> mount.type >> source >> mount.options;
    found.push_back(std::move(mount));
  }
  return found;
}

}  // namespace zctrace
