// SPDX-License-Identifier: MIT
// BTF with only those types of the kernel that an object's programs name. To relocate them, libbpf
// searches all types of the kernel once for each name, 126,000 for ninety.
#pragma once

#include <filesystem>
#include <string>

#include "collector/observe/machine/kernel_types.h"
#include "collector/os/descriptor.h"

struct btf;

namespace zctrace {

// What libbpf relocates the programs with: a file in memory, which lasts as long as this.
class NeededTypes {
 public:
  NeededTypes();

  // For libbpf's option btf_custom_path.
  const char* path() const { return path_.c_str(); }
  // Call it before the programs are loaded. `object`: the types of the object. With `modules`,
  // those that the kernel itself lacks may be in a module; otherwise they are missing. Returns
  // false if the file could not be created or may not grow (ulimit -f); libbpf then has to search
  // all types.
  bool write(const btf* object, const KernelTypes& kernel, bool modules) const;

 private:
  Descriptor file_;
  std::string path_;
};

// The same types, in the format of /sys/kernel/btf/vmlinux. `modules`: that directory; empty: none.
std::string needed_types(const btf* object, const KernelTypes& kernel,
                         const std::filesystem::path& modules);

}  // namespace zctrace
