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

// What libbpf relocates the programs with when `path` is its option btf_custom_path: a file in
// memory, which lasts as long as this.
class NeededTypes {
 public:
  // Throws Error.
  NeededTypes();

  std::string path() const;
  // Call it before the programs are loaded. `object`: the types of the object. Those that the
  // kernel itself lacks may be in its modules. Throws Error.
  void write(const btf* object, const KernelTypes& kernel) const;

 private:
  Descriptor file_;
};

// The same types, in the format of /sys/kernel/btf/vmlinux. `modules`: that directory.
std::string needed_types(const btf* object, const KernelTypes& kernel,
                         const std::filesystem::path& modules = "/sys/kernel/btf");

}  // namespace zctrace
