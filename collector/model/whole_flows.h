// SPDX-License-Identifier: MIT
// Differences of reports that are added up again.
#pragma once

#include "collector/model/report.h"

namespace zctrace {

// As difference(). A snapshot does not read the rows and the flows of a task at the same moment, so
// a flow may gain bytes in another interval than its row. difference() limits flows to what the
// rows of the interval have; here they keep what they gained, and their sum over all intervals is
// exact.
Report difference_with_whole_flows(const Report& later, const Report& earlier,
                                   bool keeps_ended = false);

}  // namespace zctrace
