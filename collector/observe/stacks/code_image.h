// SPDX-License-Identifier: MIT
// The code of one program in memory: which file each address comes from, and what it is called.
#pragma once

#include <elfutils/libdwfl.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpf/stacks/stack_records.h"
#include "collector/observe/stacks/code_map.h"
#include "collector/observe/stacks/go_functions.h"
#include "collector/observe/stacks/source_lines.h"
#include "collector/observe/stacks/stack_profile.h"
#include "collector/os/descriptor.h"

namespace zctrace {

// Of a process and the children that it forked. As Unwinder. Holds the files open, so that the
// names are known after the processes have ended.
class CodeImage {
 public:
  explicit CodeImage(const zc_stack_image& identity);
  CodeImage(CodeImage&&) = delete;

  const zc_stack_image& identity() const { return identity_; }
  Dwfl* dwfl() const { return dwfl_.get(); }

  // Makes the code at `address` known to dwfl(), where process `pid` has the same program. Returns
  // nullptr if it comes from no ELF file that can be read.
  Dwfl_Module* module_at(std::uint64_t address, pid_t pid);
  // The function at `address`, an address of code that runs.
  StackFrame frame_at(std::uint64_t address, pid_t pid);

 private:
  struct EndDwfl {
    void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
  };
  struct File {
    CodeMapping mapping;
    Descriptor file;
  };
  using Clock = std::chrono::steady_clock;

  const CodeMapping* mapping(std::uint64_t address, pid_t pid);
  void read_mappings(pid_t pid);
  Dwfl_Module* report(const CodeMapping& mapping);
  std::string name_of(Dwfl_Module* module, std::uint64_t address);

  zc_stack_image identity_;
  std::unique_ptr<Dwfl, EndDwfl> dwfl_;
  std::vector<CodeMapping> mappings_;
  std::vector<File> files_;
  std::set<std::uint64_t> no_module_;  // beginnings of mappings without one
  std::unordered_map<Dwfl_Module*, GoFunctions> go_functions_;
  std::unordered_map<Dwfl_Module*, SourceLines> source_lines_;
  std::unordered_map<std::uint64_t, StackFrame> frames_;
  Clock::time_point next_read_;
};

}  // namespace zctrace
