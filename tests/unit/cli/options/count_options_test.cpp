// SPDX-License-Identifier: MIT
// The list of -e.
#include "cli/options/count_options.h"

#include <gtest/gtest.h>

#include <string>

namespace zctrace {
namespace {

std::string refusal_of(const std::string& syscalls) {
  CountOptions options;
  options.syscalls = syscalls;
  try {
    check_syscalls(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage);
    return error.what();
  }
  return "";
}

TEST(CountOptions, TakesNamesAndGroups) {
  EXPECT_EQ(refusal_of("%io"), "");
  EXPECT_EQ(refusal_of("read,io_uring:read,%zerocopy"), "");
}

TEST(CountOptions, SuggestsTheSyscallThatWasMeant) {
  EXPECT_TRUE(refusal_of("raed").ends_with("; did you mean 'read'?")) << refusal_of("raed");
  EXPECT_TRUE(refusal_of("read,sendfiel").ends_with("; did you mean 'sendfile'?"));
  EXPECT_TRUE(refusal_of("%cpoy").ends_with("; did you mean '%copy'?"));
  EXPECT_TRUE(refusal_of("io_uring:wirte").ends_with("; did you mean 'io_uring:write'?"));
  EXPECT_TRUE(refusal_of("frobnicate").ends_with("give names, or %copy, %zerocopy, %io, %all"));
}

double share_of(const std::string& text) {
  CountOptions options;
  options.duty = text;
  return duty_share(options);
}

TEST(CountOptions, TakesAShareOfTheTime) {
  EXPECT_EQ(share_of(""), 0);
  EXPECT_DOUBLE_EQ(share_of("10%"), 0.1);
  EXPECT_DOUBLE_EQ(share_of("10"), 0.1);
  EXPECT_DOUBLE_EQ(share_of("2.5%"), 0.025);
  for (const char* wrong : {"0", "0.9%", "90.1", "-5", "nan", "inf", "10%%", "%", "1O%", " 10"})
    EXPECT_THROW(share_of(wrong), Error) << wrong;
}

TEST(CountOptions, TimeNoCallsInSlices) {
  CountOptions options;
  options.duty = "10%";
  EXPECT_EQ(timing_of(options), Timing::none);
  EXPECT_FALSE(session_options(options, OutputOptions{}).probes.latency);
  options.timing = "all";
  EXPECT_THROW(session_options(options, OutputOptions{}), Error);
}

}  // namespace
}  // namespace zctrace
