// SPDX-License-Identifier: MIT
// The formulae of docs/methods.md equal what loaded probes count, for every method, with and
// without a remainder.
#include <gtest/gtest.h>

#include <map>

#include "observed.h"
#include "transfers/run.h"

namespace zctrace::testing {
namespace {

using transfers::Method;
using transfers::SinkKind;

struct MethodCase {
  const Method* method;
  SinkKind sink;
  std::uint64_t bytes;
  std::uint64_t buffer_bytes;
  bool latency;
};

std::string name_of(const ::testing::TestParamInfo<MethodCase>& info) {
  const MethodCase& c = info.param;
  return std::string(c.method->name) + "_to_" + std::to_string(static_cast<int>(c.sink)) + "_" +
         std::to_string(c.bytes) + "_by_" + std::to_string(c.buffer_bytes) +
         (c.latency ? "" : "_no_latency");
}

std::vector<MethodCase> all_cases() {
  std::vector<MethodCase> cases;
  for (const Method* method : transfers::all_methods())
    for (const SinkKind sink :
         {SinkKind::unix_stream, SinkKind::tcp, SinkKind::file, SinkKind::pipe, SinkKind::null}) {
      if (!transfers::contains(method->needs.sinks, sink)) continue;
      // A multiple of the buffer, and a prime number of bytes.
      for (const std::uint64_t bytes : {std::uint64_t{1 << 20}, std::uint64_t{1048583}})
        for (const std::uint64_t buffer : {std::uint64_t{16384}, std::uint64_t{65536}})
          cases.push_back({method, sink, bytes, buffer, (bytes ^ buffer) % 2 == 0});
    }
  return cases;
}

void open_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 1; }
void close_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 0; }

// One session for all cases of a mode, as loading takes most of the time.
Session& session_for(bool latency) {
  static std::map<bool, std::unique_ptr<Session>> sessions;
  std::unique_ptr<Session>& session = sessions[latency];
  if (!session) {
    SessionOptions options;
    options.probes.windowed = true;
    options.probes.latency = latency;
    options.syscalls = "%all";
    session = std::make_unique<Session>(options);
  }
  return *session;
}

class MethodCounts : public ::testing::TestWithParam<MethodCase> {};

INSTANTIATE_TEST_SUITE_P(Formula, MethodCounts, ::testing::ValuesIn(all_cases()), name_of);

TEST_P(MethodCounts, EqualTheFormula) {
  ZC_NEEDS_PROBES();
  const MethodCase& c = GetParam();
  Session& session = session_for(c.latency);
  const transfers::Source source = transfers::Source::make(transfers::kDiskDirectory, c.bytes);
  const transfers::SinkSpec sink{c.sink, "", 64 * 1024};
  transfers::TransferOptions options;
  pid_t child = 0;
  options.before_release = [&](pid_t pid) { session.observe(child = pid); };
  options.window_open = open_window;
  options.window_close = close_window;
  options.window_context = const_cast<std::uint32_t*>(session.window());
  const transfers::TransferResult outcome =
      transfers::run_once(*c.method, {c.buffer_bytes}, source, sink, options);
  *session.window() = 0;
  session.poll_until_gone(child, std::chrono::seconds(5));
  if (outcome.error && c.method->name == "reflink")
    GTEST_SKIP() << "the file system of " << source.directory()
                 << " has no clones: " << outcome.error->text;
  ASSERT_FALSE(outcome.error) << outcome.error->text;
  ASSERT_EQ(outcome.moved_bytes, c.bytes);

  const Process counted = session.process(child);
  std::map<std::string, std::uint64_t> calls;
  for (const Row& row : counted.rows) calls[row.syscall] += row.calls;
  const transfers::Workload workload{c.bytes, outcome.buffer_bytes, outcome.pipe_bytes, c.sink};
  for (const transfers::ExpectedCalls& expected : c.method->expected(workload)) {
    const std::uint64_t seen = calls[std::string(expected.syscall)];
    EXPECT_GE(seen, expected.min) << expected.syscall;
    EXPECT_LE(seen, expected.max) << expected.syscall;
    calls.erase(std::string(expected.syscall));
  }
  for (const auto& [syscall, seen] : calls)
    EXPECT_EQ(seen, 0u) << syscall << " is not in the formula";
  EXPECT_EQ(session.completeness().lost_events(), 0u);

  // Only bytes that passed through syscalls: a copy into a mapping makes none. /dev/null throws
  // its bytes away.
  if (c.method->name == "mmap_memcpy" || c.sink == transfers::SinkKind::null) {
    EXPECT_EQ(counted.delivered_bytes(), 0u);
  } else {
    const std::uint64_t sinks = c.method->needs.second_sink ? 2 : 1;
    EXPECT_EQ(counted.delivered_bytes(), sinks * c.bytes);
  }
}

}  // namespace
}  // namespace zctrace::testing
