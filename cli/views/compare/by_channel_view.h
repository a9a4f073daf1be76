// SPDX-License-Identifier: MIT
// What the observed run of each method did with each file or peer. Rearranges figures, adds none.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/result.h"
#include "cli/views/cell.h"
#include "cli/views/report/channel_table.h"

namespace zctrace {

// `by` is file or peer, as for the others.
Section by_channel_section(const CompareResult& compared, GroupBy by, const Wording& wording);
// The header and a record each; the first field is the label of the method.
std::vector<std::vector<std::string>> by_channel_csv(const CompareResult& compared, GroupBy by,
                                                     const ChannelLimits& limits);

}  // namespace zctrace
