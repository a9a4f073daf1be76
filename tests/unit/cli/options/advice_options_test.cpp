// SPDX-License-Identifier: MIT
// Options of --advise that do not fit together.
#include "cli/options/advice_options.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/options/count_options.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

std::string refusal_of(const AdviceOptions& options, const std::string& by = "",
                       bool intervals = false) {
  try {
    check_advice(options, by, intervals);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage);
    return error.what();
  }
  return "";
}

TEST(AdviceOptions, FitTogether) {
  EXPECT_EQ(refusal_of({}), "");
  EXPECT_EQ(refusal_of({"counts", {"a.json", "b.json"}}, "file", true), "");
  EXPECT_EQ(refusal_of({"measure", {}}, "process"), "");
}

TEST(AdviceOptions, RefuseWhatMakesNoSense) {
  EXPECT_NE(refusal_of({"guess", {}}).find("'guess'"), std::string::npos);
  EXPECT_NE(refusal_of({"", {"a.json"}}).find("give --advise as well"), std::string::npos);
  EXPECT_NE(refusal_of({"counts", {}}, "thread").find("--by thread"), std::string::npos);
  EXPECT_NE(refusal_of({"measure", {}}, "", true).find("-i"), std::string::npos);
}

TEST(AdviceOptions, AskTheSessionForRelaysAndFlows) {
  CountOptions count;
  EXPECT_FALSE(session_options(count, {}).probes.relays);
  EXPECT_FALSE(session_options(count, {}).probes.channels);
  count.advice.advise = "counts";
  EXPECT_TRUE(session_options(count, {}).probes.relays);
  EXPECT_TRUE(session_options(count, {}).probes.channels);
}

}  // namespace
}  // namespace zctrace
