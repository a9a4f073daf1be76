// SPDX-License-Identifier: MIT
// A report as GitHub-flavoured Markdown, to paste into an issue.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// UTF-8. Untrusted text is escaped, so that no cell can end a row, a table or a line.
std::string markdown_view(const Report& report, std::optional<GroupBy> by);

// The same of the sections of any report.
std::string markdown_sections(const std::vector<Section>& sections);

// Escaped, so that it is text and nothing else.
std::string markdown_text(std::string_view text);

// Cells escaped, columns aligned; ends with an empty line.
std::string markdown_table(const Grid& grid);

}  // namespace zctrace
