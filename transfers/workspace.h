// SPDX-License-Identifier: MIT
// What a method can use inside its window. Only methods include it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "transfers/method.h"
#include "transfers/methods/intermediate_pipe.h"
#include "transfers/methods/region.h"

namespace zctrace::transfers {

// What a method keeps beyond buffers, pipes and a mapping (a ring, threads, handlers).
struct MethodState {
  virtual ~MethodState() = default;
};

// Owns everything that was created for one job. prepare() fills it, and so does move() if the
// method's contract counts that. It outlives the move and is destroyed outside the window.
struct Workspace {
  // min(job.length, size of the source at prepare): how far a mapping may be read.
  std::uint64_t source_bytes = 0;
  std::uint64_t pipe_bytes = 0;  // before the pipe is made: the capacity to ask for
  Region buffer;                 // needs.buffers times buffer_bytes, page-aligned
  Region mapping;                // the first source_bytes of the source; none when 0
  Pipe pipe;
  Pipe second_pipe;
  std::unique_ptr<MethodState> state;
};

// Maps the first workspace.source_bytes of the source, read-only; nothing when 0.
Failure map_source(const Transfer& job, Workspace& workspace);

}  // namespace zctrace::transfers
