// SPDX-License-Identifier: MIT
// The rows, route and baseline that the options of `compare` ask for.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/compare/plan.h"
#include "tests/unit/cli/compare/planning.h"

namespace zctrace {
namespace {

TEST(ComparePlan, GivesAMethodEveryBufferSize) {
  EXPECT_EQ(labels(plan_rows("read_write,splice", "4K,1M")),
            (std::vector<std::string>{"read_write/4K", "read_write/1M", "splice/4K", "splice/1M"}));
}

TEST(ComparePlan, TakesAMethodWithItsOwnBufferSize) {
  EXPECT_EQ(labels(plan_rows("sendfile/whole,read_write/12345", "")),
            (std::vector<std::string>{"sendfile/whole", "read_write/12345"}));
}

TEST(ComparePlan, ListsARowOnce) {
  EXPECT_EQ(labels(plan_rows("reflink,sendfile/4K,sendfile/4096", "4K,64K")),
            (std::vector<std::string>{"reflink", "sendfile/4K"}));
}

TEST(ComparePlan, KnowsTheSizeOfAMethodWithAFixedBuffer) {
  const auto rows = plan_rows("async_hop/1M", "");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].label, "async_hop/8K");
  EXPECT_EQ(rows[0].buffer_bytes, 8192U);
}

TEST(ComparePlan, GivesEachDaemonARow) {
  CompareOptions options;
  options.route.from = "fuse";
  options.methods = "sendfile/4K";
  options.baseline = "sendfile/4K";
  const ComparePlan plan = plan_compare(options);
  EXPECT_EQ(labels(plan.rows),
            (std::vector<std::string>{"sendfile/4K/splice-on", "sendfile/4K/splice-off"}));
  EXPECT_EQ(plan.baseline, "sendfile/4K/splice-on");
}

TEST(ComparePlan, GivesEachWayThroughFuseARow) {
  CompareOptions options;
  options.route.to = "fuse";
  options.methods = "sendfile/4K";
  options.route.fuse_mode = "passthrough,copy,copy";
  options.baseline = "sendfile/4K";
  ComparePlan plan = plan_compare(options);
  const std::vector<std::string> both = {"sendfile/4K/passthrough", "sendfile/4K/splice-off"};
  EXPECT_EQ(labels(plan.rows), both);
  EXPECT_EQ(plan.baseline, both.front());
  leave_out(plan, FuseMode::passthrough, "no kernel");  // not of a plan that names it
  EXPECT_EQ(labels(plan.rows), both);

  options.route.fuse_mode = "all";
  plan = plan_compare(options);
  EXPECT_EQ(plan.rows.size(), 4U);
  leave_out(plan, FuseMode::passthrough, "no kernel");
  EXPECT_EQ(labels(plan.rows),
            (std::vector<std::string>{"sendfile/4K/splice-on", "sendfile/4K/splice-off",
                                      "sendfile/4K/uring"}));
  EXPECT_EQ(plan.route.fuse_modes.size(), 3U);
  ASSERT_EQ(plan.route.left_out.size(), 1U);
  EXPECT_EQ(plan.route.left_out[0].mode, FuseMode::passthrough);
  EXPECT_EQ(plan.route.left_out[0].reason, "no kernel");

  options.route.fuse_mode = "pass";
  EXPECT_EQ(usage_error(options).find("--fuse-mode: 'pass' is not splice, copy"), 0U);
  options.route.to = "unix";
  EXPECT_EQ(usage_error(options), "--fuse-mode: neither --from nor --to is fuse");
}

TEST(ComparePlan, KeepsTheMethodsWhenOnlyBuffersAreGiven) {
  EXPECT_EQ(
      labels(plan_rows("", "4K")),
      (std::vector<std::string>{"read_write/4K", "readv_writev/4K", "mmap_write/4K", "sendfile/4K",
                                "splice/4K", "io_uring_read_write/4K", "async_hop/8K"}));
}

TEST(ComparePlan, ReadsThePrecision) {
  CompareOptions options;
  EXPECT_EQ(plan_compare(options).precision, 0);
  EXPECT_EQ(plan_compare(options).runs, 5U);
  for (const char* text : {"5%", "5", "5.0%"}) {
    options.precision = text;
    EXPECT_DOUBLE_EQ(plan_compare(options).precision, 0.05) << text;
    EXPECT_EQ(plan_compare(options).runs, 100U);
  }
  options.runs = 7;
  EXPECT_EQ(plan_compare(options).runs, 7U);
  for (const char* text : {"0", "0%", "100%", "-5%", "5%%", "five", "%", "nan", "inf"}) {
    options.precision = text;
    EXPECT_EQ(usage_error(options).find("--precision: '"), 0U) << text;
  }
}

TEST(ComparePlan, RefusesAColdSourceOnTmpfs) {
  CompareOptions options;
  options.route.from = "tmpfs";
  options.cold = true;
  EXPECT_EQ(usage_error(options).find("--cold: tmpfs"), 0U);
}

TEST(ComparePlan, NamesTheOptionThatIsWrong) {
  const auto with = [](auto change) {
    CompareOptions options;
    change(options);
    return usage_error(options);
  };
  EXPECT_EQ(
      with([](CompareOptions& o) { o.route.size = "0"; }).find("--size: must be greater than 0"),
      0U);
  EXPECT_EQ(with([](CompareOptions& o) { o.route.to = "moon"; }).find("--to: invalid sink 'moon'"),
            0U);
  EXPECT_EQ(
      with([](CompareOptions& o) { o.buffers = "-4K"; }).find("--buffers: invalid size '-4K'"), 0U);
  EXPECT_EQ(
      with([](CompareOptions& o) { o.methods = "tee/"; }).find("--methods tee/: invalid size ''"),
      0U);
  EXPECT_EQ(
      with([](CompareOptions& o) { o.drain_read = "x"; }).find("--drain-read: invalid size 'x'"),
      0U);
  EXPECT_EQ(with([](CompareOptions& o) { o.methods = "teleport"; }).find("--methods:"), 0U);
  EXPECT_EQ(with([](CompareOptions& o) { o.methods = ","; }).find("--methods:"), 0U);
  EXPECT_EQ(with([](CompareOptions& o) { o.baseline = "tee/4K"; }),
            "--baseline: 'tee/4K' is not one of the rows compared");
  EXPECT_EQ(with([](CompareOptions& o) { o.baseline = "sendfil/64K"; }),
            "--baseline: 'sendfil/64K' is not one of the rows compared; did you mean "
            "'sendfile/64K'?");
  EXPECT_EQ(with([](CompareOptions& o) { o.route.to = "tpc"; }),
            "--to: invalid sink 'tpc'; give unix, tcp, tcp:HOST:PORT, file, file:other-fs, "
            "file:DIR, fuse, pipe, pipe:1M or null; did you mean 'tcp'?");
  EXPECT_EQ(with([](CompareOptions& o) { o.route.fuse_splice = "on"; }).find("--fuse-splice:"), 0U);
}

}  // namespace
}  // namespace zctrace
