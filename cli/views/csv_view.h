// SPDX-License-Identifier: MIT
// A report as CSV: a header line, then one line a row of each process.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/views/report/channel_table.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// Fields quoted as RFC 4180 says, lines end in a single '\n'. Control characters in names
// are escaped as printable() does, so that a record is a line. Absent figures are empty.
// `by` syscall or flow: one line for each over all processes, without columns that name one.
// `time`: where the report is one interval of many, what its first column says; "" has none.
std::string csv_view(const Report& report, std::optional<GroupBy> by = std::nullopt,
                     std::string_view time = {}, const ChannelLimits& limits = {});

// Quoted where RFC 4180 wants it.
std::string csv_field(std::string_view text);
// These fields, quoted, as one line.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace zctrace
