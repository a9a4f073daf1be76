// SPDX-License-Identifier: MIT
// Finds the callers of a sampled function, and their names, by the debug information of its
// program.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "collector/observe/stacks/raw_stack.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// Trusts nothing that belongs to the sampled processes, but parses their files with libraries that
// may be wrong, and may wait for their files and memory for ever: use it in a process that can be
// killed; see StackWorker. One thread.
class Unwinder {
 public:
  Unwinder();
  ~Unwinder();
  Unwinder(const Unwinder&) = delete;
  Unwinder& operator=(const Unwinder&) = delete;

  static constexpr std::size_t kMostFrames = 128;

  // The user part of the stack, the innermost frame first. Reads about its process when it first
  // sees its program, and again when code appears that it does not know.
  CallStack unwind(const RawStack& raw);

 private:
  class Image;

  Image& image_of(const zc_stack_sample& sample);

  std::list<Image> images_;  // the latest used first
};

}  // namespace zctrace
