// SPDX-License-Identifier: MIT
// Which files the code of a process comes from.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/os/descriptor.h"

namespace zctrace {

// An executable part of a process's memory.
struct CodeMapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;  // of `begin` in the file
  dev_t device = 0;
  std::uint64_t inode = 0;  // 0: of no file
  std::string path;         // as the process sees it; "[vdso]"; "" for memory without a name
};

// Those of the text of /proc/PID/maps, in ascending order; at most `most`.
std::vector<CodeMapping> code_mappings(std::string_view maps, std::size_t most);

// nullptr: there is none at `address`.
const CodeMapping* mapping_at(const std::vector<CodeMapping>& mappings, std::uint64_t address);

// Opens exactly the file that process `pid` mapped, also if it was deleted or replaced, or is in
// another mount namespace. Without the right to do so (CAP_CHECKPOINT_RESTORE), its path below the
// process's root if that leads to the same inode. No descriptor: neither works, or it is not a
// regular file. May wait for a file system that does not answer.
Descriptor open_mapped(pid_t pid, const CodeMapping& mapping);

}  // namespace zctrace
