// SPDX-License-Identifier: MIT
// What the running kernel has, from its BTF. libbpf takes 50 ms to load it, and keeps for itself
// what it loads for the programs; a start needs little of it, which is looked up in place.
#pragma once

#include <linux/btf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zctrace {

// Immutable.
class KernelTypes {
 public:
  // Of the running kernel. Without BTF, it has nothing.
  KernelTypes();
  // In the format of /sys/kernel/btf/vmlinux; `bytes` must outlive this. Types behind the first
  // that is invalid are left out.
  explicit KernelTypes(std::string_view bytes);
  // Those of `base` and of a module, in the format of /sys/kernel/btf/MODULE. Both must outlive
  // this.
  KernelTypes(const KernelTypes& base, std::string_view bytes);

  // Whether there is BTF.
  explicit operator bool() const { return !types_.empty(); }

  // How many arguments a tracepoint has; 0: no such tracepoint.
  unsigned tracepoint_arguments(std::string_view tracepoint) const;
  bool has_member(std::string_view structure, std::string_view member) const;
  bool has_function(std::string_view name) const;

  // Numbers of types; 0: none.
  std::uint32_t tracepoint_id(std::string_view tracepoint) const;  // what programs attach to
  std::uint32_t structure_id(std::string_view name) const;
  std::uint32_t function_id(std::string_view name) const;

  // Types have the numbers 0 (void) to below this; a module's follow those of the kernel.
  std::uint32_t count() const { return first_ + static_cast<std::uint32_t>(types_.size()); }
  const btf_type* type(std::uint32_t id) const;  // nullptr: void, or no such type
  std::string_view name_at(std::uint32_t offset) const;

 private:
  void index(std::string_view bytes);
  std::uint32_t find(std::string_view name, unsigned kind) const;
  // About the name at an offset. Neither looks for its end, which would take most of the time.
  bool begins_with(std::uint32_t offset, std::string_view prefix) const;
  bool is_named(std::uint32_t offset, std::string_view name) const;

  std::shared_ptr<const void> memory_;  // has the bytes, unless the caller has them
  const KernelTypes* base_ = nullptr;
  std::uint32_t first_ = 0;       // number of types_[0]
  std::uint32_t first_name_ = 0;  // offset of names_[0]
  std::string_view names_;
  std::vector<const btf_type*> types_;
  std::vector<std::uint32_t> tracepoints_;  // numbers of the types that programs can attach to
  bool complete_ = false;                   // no type is invalid
};

}  // namespace zctrace
