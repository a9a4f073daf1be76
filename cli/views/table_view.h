// SPDX-License-Identifier: MIT
// A report as a table for a terminal, or as plain text for anything else.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "cli/views/page.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// Reads an environment variable; nullptr when it is not set.
using Environment = std::function<const char*(const char* name)>;

// Colour only for a terminal, without NO_COLOR and TERM=dumb; Unicode there in a UTF-8 locale.
// `columns` is the terminal's own width, 0 when it does not know.
TableStyle table_style(bool is_terminal, std::size_t columns, const Environment& environment);

// The same for an open descriptor and this process's environment.
TableStyle table_style_of(int fd);

// Lines end in '\n' and are no wider than the style allows (from about 40 columns on).
// `by` absent: rows by syscall and flow, and a line a process when there is more than one.
std::string table_view(const Report& report, std::optional<GroupBy> by, const TableStyle& style);

}  // namespace zctrace
