// SPDX-License-Identifier: MIT
// How often each byte of a row was copied, and how that is known.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/compare/result.h"
#include "transfers/aliasing.h"

namespace zctrace {

// How the bytes leave the sink.
struct CopyCircumstances {
  std::size_t sinks = 1;       // which each byte went to
  bool to_null = false;        // the sink throws them away
  bool to_file = false;        // they stay there
  bool reader_copies = false;  // by read; splicing to /dev/null copies none
};

// Sets `result.copies` from the experiment and the counts, or `result.copies_unknown`. The counts
// decide where the experiment cannot see; elsewhere the experiment does, and says so if the counts
// contradict it.
void set_copies(MethodResult& result, const transfers::CopiesFound& found,
                const CopyCircumstances& circumstances);

// The same from the counts alone, where no experiment can be made: of a program, and of a method
// whose reader is not ours.
void set_counted_copies(MethodResult& result, const CopyCircumstances& circumstances);

}  // namespace zctrace
