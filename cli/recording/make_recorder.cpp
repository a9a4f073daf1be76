// SPDX-License-Identifier: MIT
#include "cli/recording/make_recorder.h"

#include "cli/text/units.h"

namespace zctrace {

std::unique_ptr<Recorder> make_recorder(const RecordOptions& record, const OutputOptions& output) {
  if (record.file.empty()) return nullptr;
  RecorderOptions options;
  options.file = record.file;
  options.most_bytes = parse_size(record.size);
  options.by = output.by;
  options.channels = output.channels;
  options.max_processes = output.max_processes;
  return std::make_unique<Recorder>(options);
}

}  // namespace zctrace
