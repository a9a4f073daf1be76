// SPDX-License-Identifier: MIT
// A mount's report as tables, JSON, CSV and Markdown.
#include <gtest/gtest.h>

#include <string>

#include "cli/views/mount_view.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace {
namespace {

TEST(MountView, EscapesNamesAndWritesWholeJson) {
  const fuse::FuseReport report = fuse::sample_report();
  for (const std::string& text :
       {mount_table(report, {}), mount_markdown(report), mount_csv(report)}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_NE(text.find("evil"), std::string::npos) << text;
  }
  const auto json = mount_json(report);
  EXPECT_EQ(json["files"][0]["bytes_read"], 130);
  EXPECT_EQ(json["files"][0]["operations"]["mmap"]["count"], 1);
  EXPECT_EQ(json["processes"][1]["fuse"]["copied_bytes"], 39);
}

}  // namespace
}  // namespace zctrace
