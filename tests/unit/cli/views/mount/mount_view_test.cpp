// SPDX-License-Identifier: MIT
// A mount's report as tables, JSON, CSV and Markdown.
#include <gtest/gtest.h>

#include <string>

#include "cli/views/mount/mount_view.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace {
namespace {

TEST(MountView, EscapesNamesAndWritesWholeJson) {
  const Report report = fuse::sample_report();
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

TEST(MountView, SaysWhatItsPathsAreRelativeTo) {
  Report report = fuse::sample_report();
  report.mount->files.push_back({".", {}});
  const std::string table = mount_table(report, {});
  EXPECT_NE(table.find("\n. "), std::string::npos) << table;
  EXPECT_NE(table.find("\nFILE is the path below /mnt/point; . is that directory\n"),
            std::string::npos)
      << table;
  EXPECT_EQ(mount_json(report)["files"][1]["path"], ".");
}

TEST(MountView, UsesTheSingularForOne) {
  Report report = fuse::sample_report();
  report.mount->daemon.threads = 1;
  report.mount->daemon.replies_written = 1;
  report.mount->daemon.replies_spliced = 2;
  const std::string table = mount_table(report, {});
  for (const char* text : {"1 thread,", "1 reply written", "2 replies spliced", "1 file,"})
    EXPECT_NE(table.find(text), std::string::npos) << text << "\n" << table;
}

TEST(MountView, SaysWhatFuseAddsToACall) {
  Report report = fuse::sample_report();  // five requests
  ObservedCalls& observed = report.mount->observed.emplace();
  Row& read = observed.applications.rows.emplace_back();
  read.from = Kind::fuse;
  read.calls = 10;
  observed.daemon.rows.emplace_back().calls = 42;
  EXPECT_NE(mount_table(report, {})
                .find("FUSE adds 0.50 requests and 4.20 daemon syscalls to each application call"),
            std::string::npos);
  observed.applications.rows.clear();
  EXPECT_EQ(mount_table(report, {}).find("FUSE adds"), std::string::npos);
}

TEST(MountView, ExplainsErrorsOfGetxattr) {
  Report report = fuse::sample_report();
  EXPECT_EQ(mount_table(report, {}).find("security.capability"), std::string::npos);
  report.processes[1].requests[Operation::getxattr].errors = 1;
  EXPECT_NE(mount_table(report, {}).find("security.capability"), std::string::npos);
}

TEST(MountView, WritesCsvWithTheSameNumberOfFieldsInEachLine) {
  const std::string csv = mount_csv(fuse::sample_report());
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "what,pid,name,operation,count,errors,bytes,spliced_bytes,copied_bytes,wall_ns,max_ns");
  EXPECT_NE(csv.find("\nprocess,42,reader\\n,read,1,0,100,100,0,1000,1000\n"), std::string::npos)
      << csv;
}

}  // namespace
}  // namespace zctrace
