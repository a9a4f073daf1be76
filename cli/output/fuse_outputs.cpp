// SPDX-License-Identifier: MIT
#include "cli/output/fuse_outputs.h"

#include <string>

#include "cli/views/fuse/fuse_view.h"

namespace zctrace {

using fusewatch::FuseActivity;

Views fuse_views(const FuseActivity& activity, const TableStyle& style) {
  return {[&activity, style] { return fuse_table(activity, style); },
          [&activity] { return fuse_json(activity).dump(2) + "\n"; },
          [&activity] { return fuse_csv(activity); },
          [&activity] { return fuse_markdown(activity); }};
}

Views fuse_interval_views(const FuseActivity& activity, const TableStyle& style) {
  return {[&activity, style] {
            return activity.started_at + "\n" + fuse_table(activity, style) + "\n";
          },
          [&activity] { return fuse_json(activity).dump() + "\n"; },
          [&activity] { return fuse_csv(activity); },
          [&activity] { return fuse_markdown(activity) + "\n"; }};
}

}  // namespace zctrace
