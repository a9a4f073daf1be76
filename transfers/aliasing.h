// SPDX-License-Identifier: MIT
// How often a method copies each byte, found by experiment: while nothing reads the sink, the
// method moves a few pages; then the pages of the source and the method's own buffer are changed.
// Bytes that arrive changed were passed by reference; those that arrive unchanged had been copied.
#pragma once

#include <cstdint>
#include <string>

#include "transfers/method.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace::transfers {

// Copies of each byte on its way from the page cache of the source to the sink, without the
// reader's. Shares of the bytes, so 0 to 1 each.
struct CopiesFound {
  double into_buffer = 0;  // of the method; 0 without one
  double into_sink = 0;    // from there, or from the source
  // O_DIRECT leaves no page in the page cache, also where the file system copied into pages and
  // dropped them: `into_sink` is not known.
  bool sink_unseen = false;
  std::string unknown{};  // "", or why the experiment failed
};

// Makes a source of its own in the directory of `source`, which stays as it is. Throws SetupError.
// Returns early when `stop_fd` becomes readable. `most_wait_ms` is how long the move may take.
CopiesFound find_copies(const Method& method, BufferSize buffer, const Source& source,
                        const SinkSpec& spec, int stop_fd = -1, int most_wait_ms = 5'000);

}  // namespace zctrace::transfers
