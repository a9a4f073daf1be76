// SPDX-License-Identifier: MIT
// CPU times from reports of compare.
#include "cli/advice/basis.h"

#include <gtest/gtest.h>

#include <string>

#include "collector/os/error.h"
#include "tests/unit/cli/advice/advice_reports.h"

namespace zctrace {
namespace {

std::string compared(const std::string& source, const std::string& sink,
                     const std::string& methods) {
  return R"({"schema": "zctrace/2", "command": "compare", "source": )" + source +
         R"(, "sink": {"kind": ")" + sink + R"("}, "methods": [)" + methods + "]}";
}

std::string timed(const std::string& method, const std::string& buffer, int user, int system) {
  return R"({"method": ")" + method + R"(", "supported": true, "buffer_bytes": )" + buffer +
         R"(, "wall_ns": {}, "bytes": 1000000, "user_ns": )" + std::to_string(user) +
         R"(, "system_ns": )" + std::to_string(system) + "}";
}

const std::string kDisk = R"({"kind": "disk", "filesystem": "ext4"})";
const std::string kSaved = compared(
    kDisk, "tcp",
    timed("read_write", "65536", 100'000, 400'000) + "," +
        timed("read_write", "4096", 400'000, 1'600'000) + "," +
        timed("sendfile", "null", 0, 100'000) + "," + timed("sendfile", "65536", 50'000, 150'000) +
        R"(,{"method": "reflink", "supported": false, "buffer_bytes": null})");

std::string refusal_of(const std::string& text) {
  try {
    parse_basis(text, "saved.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage);
    EXPECT_NE(std::string(error.what()).find("'saved.json'"), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(Basis, IsTheMethodsThatWereTimed) {
  const Basis basis = parse_basis(kSaved, "saved.json");
  ASSERT_EQ(basis.size(), 4u);
  EXPECT_EQ(basis[0].source, "disk");
  EXPECT_EQ(basis[0].sink, "tcp");
  EXPECT_EQ(basis[0].method, "read_write");
  EXPECT_EQ(basis[0].buffer_bytes, 65536u);
  EXPECT_DOUBLE_EQ(basis[0].cpu_ns_per_byte, 0.5);
  EXPECT_EQ(basis[2].buffer_bytes, 1'000'000u);  // whole
}

TEST(Basis, KnowsTheFileSystemOfAUsersFile) {
  const std::string method = timed("sendfile", "null", 1, 1);
  const auto source_of = [&](const std::string& source) {
    return parse_basis(compared(source, "pipe:1M", method), "x").at(0).source;
  };
  EXPECT_EQ(source_of(R"({"kind": "file", "filesystem": "tmpfs"})"), "tmpfs");
  EXPECT_EQ(source_of(R"({"kind": "file", "filesystem": "xfs"})"), "disk");
  EXPECT_EQ(parse_basis(compared(kDisk, "pipe:1M", method), "x").at(0).sink, "pipe");
}

TEST(Basis, RefusesWhatIsNoReportOfCompare) {
  EXPECT_NE(refusal_of("").find("is not a JSON report"), std::string::npos);
  EXPECT_NE(refusal_of("[1]").find("is not a JSON report"), std::string::npos);
  EXPECT_NE(refusal_of("{}").find("is not a report of 'zctrace compare'"), std::string::npos);
  EXPECT_NE(refusal_of(R"({"schema": 7})").find("is not a whole report"), std::string::npos);
  EXPECT_NE(refusal_of(R"({"schema": "zctrace/2", "command": "run"})").find("zctrace compare"),
            std::string::npos);
  EXPECT_NE(refusal_of(R"({"schema": "zctrace/2", "command": "compare"})").find("whole"),
            std::string::npos);
  EXPECT_NE(refusal_of(compared(kDisk, "tcp", "")).find("no method that was timed"),
            std::string::npos);
  EXPECT_NE(refusal_of(compared(kDisk, "tcp", R"({"method": 3})")).find("whole"),
            std::string::npos);
}

TEST(Basis, RefusesFilesThatCannotBeRead) {
  for (const char* path : {"/nowhere/at/all.json", "/"}) {
    try {
      read_basis(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), kExitUsage);
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
}

AdviceDraft draft_with(MethodPair methods, std::uint64_t bytes = 10'000'000) {
  AdviceDraft draft;
  draft.advice.bytes = bytes;
  draft.methods = std::move(methods);
  return draft;
}

TEST(Basis, ScalesTheDifferenceByTheBytes) {
  AdviceDraft draft = draft_with({"disk", "tcp", "read_write", "sendfile", 65536, 65536});
  set_cpu_time(draft, parse_basis(kSaved, "saved.json"));
  EXPECT_EQ(draft.advice.saves.cpu_ns, 3'000'000);  // 0.5 - 0.2 ns for each of 10^7 bytes
  EXPECT_NE(draft.advice.saves.basis.find(
                "CPU time by saved.json: from disk to tcp, read_write with 64.0 KiB takes 0.500 ns "
                "a byte, sendfile with 64.0 KiB takes 0.200 ns a byte"),
            std::string::npos)
      << draft.advice.saves.basis;
}

TEST(Basis, TakesTheNearestBufferThatIsNear) {
  const Basis basis = parse_basis(kSaved, "saved.json");
  AdviceDraft draft = draft_with({"disk", "tcp", "read_write", "sendfile", 32768, 32768});
  set_cpu_time(draft, basis);
  EXPECT_EQ(draft.advice.saves.cpu_ns, 3'000'000);
  draft = draft_with({"disk", "tcp", "read_write", "sendfile", 5000, 65536});
  set_cpu_time(draft, basis);
  EXPECT_EQ(draft.advice.saves.cpu_ns, 18'000'000);
  draft = draft_with({"disk", "tcp", "read_write", "sendfile", 512, 512});
  set_cpu_time(draft, basis);
  EXPECT_FALSE(draft.advice.saves.cpu_ns);
  EXPECT_NE(draft.advice.saves.basis.find("no measurement from disk to tcp of read_write near 512"),
            std::string::npos)
      << draft.advice.saves.basis;
}

TEST(Basis, IsOnlyForTheSameKinds) {
  const Basis basis = parse_basis(kSaved, "saved.json");
  for (const char* sink : {"unix", "file", "pipe"}) {
    AdviceDraft draft = draft_with({"disk", sink, "read_write", "sendfile", 65536, 65536});
    set_cpu_time(draft, basis);
    EXPECT_FALSE(draft.advice.saves.cpu_ns) << sink;
  }
  AdviceDraft draft = draft_with({"tmpfs", "tcp", "read_write", "sendfile", 65536, 65536});
  set_cpu_time(draft, basis);
  EXPECT_FALSE(draft.advice.saves.cpu_ns);
}

TEST(Basis, ComparesMethodsOfOneReportOnly) {
  Basis basis = {{"one", "disk", "tcp", "read_write", 65536, 0.5},
                 {"other", "disk", "tcp", "sendfile", 65536, 0.1}};
  AdviceDraft draft = draft_with({"disk", "tcp", "read_write", "sendfile", 65536, 65536});
  set_cpu_time(draft, basis);
  EXPECT_FALSE(draft.advice.saves.cpu_ns);
  basis.push_back({"other", "disk", "tcp", "read_write", 65536, 0.2});
  set_cpu_time(draft, basis);
  EXPECT_EQ(draft.advice.saves.cpu_ns, 1'000'000);
}

TEST(Basis, SaysWhyThereIsNoCpuTime) {
  AdviceDraft draft = draft_with({"disk", "tcp", "read_write", "sendfile", 65536, 65536});
  set_cpu_time(draft, {});
  EXPECT_NE(draft.advice.saves.basis.find("--advise=measure or --basis"), std::string::npos);
  draft.methods = std::nullopt;
  set_cpu_time(draft, {});
  EXPECT_NE(draft.advice.saves.basis.find("compare has no methods for this"), std::string::npos);
}

TEST(Basis, SurvivesAbsurdFigures) {
  const Basis basis = {{"x", "disk", "tcp", "read_write", 1, 1e300},
                       {"x", "disk", "tcp", "sendfile", 1, -1e300}};
  AdviceDraft draft = draft_with({"disk", "tcp", "read_write", "sendfile", 1, 1});
  set_cpu_time(draft, basis);
  EXPECT_GT(draft.advice.saves.cpu_ns, 0);
}

}  // namespace
}  // namespace zctrace
