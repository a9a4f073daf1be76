// SPDX-License-Identifier: MIT
// The recorder that the options of a command ask for.
#pragma once

#include <memory>

#include "cli/options/output_options.h"
#include "cli/options/record_options.h"
#include "cli/recording/recorder.h"

namespace zctrace {

// nullptr: none. Throws Error: the file exists, or cannot be made.
std::unique_ptr<Recorder> make_recorder(const RecordOptions& record, const OutputOptions& output);

}  // namespace zctrace
