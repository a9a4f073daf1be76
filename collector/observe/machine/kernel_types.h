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
  // In the format of /sys/kernel/btf/vmlinux. Types behind the first that is invalid are left out.
  explicit KernelTypes(std::string_view bytes);

  // Whether there is BTF.
  explicit operator bool() const { return !types_.empty(); }

  // What a program at a tracepoint attaches to; 0: no such tracepoint.
  std::uint32_t tracepoint_id(std::string_view tracepoint) const;
  // How many arguments a tracepoint has; 0: no such tracepoint.
  unsigned tracepoint_arguments(std::string_view tracepoint) const;
  bool has_member(std::string_view structure, std::string_view member) const;
  bool has_function(std::string_view name) const;
  // Numbers of types; 0: none.
  std::uint32_t structure_id(std::string_view name) const;
  std::uint32_t function_id(std::string_view name) const;

  // Types have the numbers 0 (void) to below this.
  std::uint32_t count() const { return static_cast<std::uint32_t>(types_.size()); }
  const btf_type* type(std::uint32_t id) const;  // nullptr: void, or no such type
  // At an offset that a record has.
  std::string_view name_at(std::uint32_t offset) const;

  // These and the types of a module, which are in the format of /sys/kernel/btf/MODULE.
  KernelTypes with_module(std::string_view bytes) const;

 private:
  void index(std::string_view bytes);
  std::uint32_t find(std::string_view name, unsigned kind) const;  // number; 0: none
  // The name at an offset, of which this need not find the end.
  bool begins_with(std::uint32_t offset, std::string_view prefix) const;
  bool is_named(std::uint32_t offset, std::string_view name) const;

  std::shared_ptr<const void> memory_;  // what holds the bytes, if it is not the caller
  std::string_view names_;
  std::string_view module_names_;           // at the offsets behind names_
  std::vector<const btf_type*> types_;      // by number; 0 is void
  std::vector<std::uint32_t> tracepoints_;  // numbers of those that programs can attach to
};

}  // namespace zctrace
