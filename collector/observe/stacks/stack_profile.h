// SPDX-License-Identifier: MIT
// From where in their programs processes moved bytes: a sum of sampled stacks.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

// A function that had not returned.
struct StackFrame {
  std::string function;      // with its namespaces and arguments; "": not known
  std::string module;        // path of its file, as the process sees it; "": none, or not known
  std::string source;        // of the line that called; "" without debug information
  unsigned line = 0;         // 0: not known
  std::uint64_t offset = 0;  // in the file's addresses; only where the function is not known
  bool own = false;          // of the program itself, not of a library or the kernel

  auto operator<=>(const StackFrame&) const = default;
};

// What moved the bytes.
struct StackSite {
  std::int64_t pid = 0;
  std::string process;  // its name
  std::string syscall;
  Kind from = Kind::other;
  Kind to = Kind::other;

  auto operator<=>(const StackSite&) const = default;
};

// The innermost frame comes first.
struct CallStack {
  std::vector<StackFrame> user;
  std::vector<StackFrame> kernel;
  // The last user frame is that in which the thread began. Otherwise others are missing.
  bool whole = false;
};

// A sum of samples. Each stands for `every` bytes. A pure value with bounds on its size, so that
// programs that make up functions cannot take all memory. One thread at a time.
class StackProfile {
 public:
  // Stacks beyond these are added up without frames. Functions beyond these have no names.
  static constexpr std::size_t kMostStacks = 20'000;
  static constexpr std::size_t kMostFrames = 50'000;

  explicit StackProfile(std::uint64_t every = 0) : every_(every) {}

  void add(const StackSite& site, const CallStack& stack, std::uint64_t samples);

  struct SampledStack {
    const StackSite* site;
    std::vector<const StackFrame*> user;  // the innermost first
    std::vector<const StackFrame*> kernel;
    bool whole;
    bool summed;  // of many stacks, beyond kMostStacks
    std::uint64_t samples;
  };
  // The most samples first. Valid until add().
  std::vector<SampledStack> entries() const;

  std::uint64_t every() const { return every_; }
  std::uint64_t samples() const { return samples_; }
  // Both in bytes. So many of `samples` stand for this many, which are known to that margin with
  // 95 % confidence.
  std::uint64_t bytes(std::uint64_t samples) const { return samples * every_; }
  std::uint64_t margin(std::uint64_t samples) const;

  // The functions of the process's own program from which most of the row's bytes were moved: at
  // most `most`, the innermost first. Without any in the program itself, those of libraries other
  // than the C library. Empty: none is known.
  std::vector<std::string> innermost(std::int64_t pid, std::string_view syscall, Kind from, Kind to,
                                     std::size_t most = 3) const;

 private:
  struct StackKey {
    std::uint32_t site;
    bool whole;
    bool summed;
    std::size_t kernel_begin;           // in frames
    std::vector<std::uint32_t> frames;  // indices; the user's, then the kernel's

    auto operator<=>(const StackKey&) const = default;
  };

  std::uint32_t frame(const StackFrame& frame);

  std::uint64_t every_;
  std::uint64_t samples_ = 0;
  std::map<StackSite, std::uint32_t> sites_;
  std::map<StackFrame, std::uint32_t> frames_;
  std::map<StackKey, std::uint64_t> stacks_;
};

}  // namespace zctrace
