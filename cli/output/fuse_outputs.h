// SPDX-License-Identifier: MIT
// What `zctrace fuse` writes through Outputs.
#pragma once

#include "cli/output/outputs.h"
#include "cli/views/page.h"
#include "collector/fusewatch/fuse_activity.h"

namespace zctrace {

// Both refer to `activity`, which must outlive them.
Views fuse_views(const fusewatch::FuseActivity& activity, const TableStyle& style);
// As one of many: the table with its time, JSON as one object a line.
Views fuse_interval_views(const fusewatch::FuseActivity& activity, const TableStyle& style);

}  // namespace zctrace
