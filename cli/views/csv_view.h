// SPDX-License-Identifier: MIT
// A report as CSV: a header line, then one line a row of each process.
#pragma once

#include <string>
#include <string_view>

#include "collector/model/report.h"

namespace zctrace {

// Fields quoted as RFC 4180 says, lines end in a single '\n'. Control characters in names
// are escaped as printable() does, so that a record is a line. Absent figures are empty.
std::string csv_view(const Report& report);

// Quoted where RFC 4180 wants it.
std::string csv_field(std::string_view text);

}  // namespace zctrace
