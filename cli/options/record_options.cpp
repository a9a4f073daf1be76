// SPDX-License-Identifier: MIT
#include "cli/options/record_options.h"

#include "cli/options/validators.h"

namespace zctrace {

void add_record_options(CLI::App& command, RecordOptions& options) {
  constexpr const char* kGroup = "Output";
  command
      .add_option("--record", options.file,
                  "Record each interval (-i, default 1s) into a new SQLite file, for 'zctrace "
                  "report', 'zctrace diff' and sqlite3")
      ->check(not_empty())
      ->type_name("FILE")
      ->group(kGroup);
  command
      .add_option("--record-size", options.size,
                  "Above this size, merge the oldest intervals of the recording")
      ->check(size_in_bytes())
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(kGroup);
}

}  // namespace zctrace
