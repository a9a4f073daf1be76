// SPDX-License-Identifier: MIT
// The table of where the CPU time went.
#include "cli/views/report/cpu_profile_table.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "cli/views/page.h"

namespace zctrace {
namespace {

Row row_of(const std::string& syscall, CpuClass cpu_class, std::uint64_t samples) {
  Row row;
  row.syscall = syscall;
  row.calls = 1;
  row.cpu.hz = 997;
  row.cpu.of(cpu_class) = samples;
  return row;
}

std::string shown(const Process& process, std::size_t width = 0) {
  Page page({.width = width});
  page.sections({cpu_profile_section(process, std::nullopt, {})});
  return page.take();
}

TEST(CpuProfileTable, HasARowForEachRowWithSamplesAndTheirTotal) {
  Process process;
  process.rows = {row_of("write", CpuClass::filesystem, 25), row_of("read", CpuClass::copy, 75),
                  row_of("close", CpuClass::entry, 0)};
  const std::string text = shown(process);
  EXPECT_LT(text.find("read"), text.find("write"));
  EXPECT_EQ(text.find("close"), std::string::npos);
  EXPECT_NE(text.find("75%"), std::string::npos);
  EXPECT_NE(text.find("total"), std::string::npos);
  EXPECT_LT(text.find("COPY"), text.find("FILESYSTEM"));
  EXPECT_NE(text.find("997 samples a second"), std::string::npos);
}

TEST(CpuProfileTable, SumsSmallRows) {
  Process process;
  process.rows = {row_of("read", CpuClass::copy, 1000), row_of("openat", CpuClass::filesystem, 3),
                  row_of("mmap", CpuClass::allocate, 2)};
  const std::string text = shown(process);
  EXPECT_NE(text.find("2 other rows"), std::string::npos);
  EXPECT_EQ(text.find("openat"), std::string::npos);
}

TEST(CpuProfileTable, LeavesOutTheSmallestClassesWhereThePageIsNarrow) {
  Process process;
  for (std::size_t i = 0; i < kCpuClasses; i++)
    process.rows.push_back(row_of("read", static_cast<CpuClass>(i), 100 - i));
  const std::string text = shown(process, 80);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_NE(text.find("COPY"), std::string::npos);
  EXPECT_NE(text.find("ZERO"), std::string::npos);
  EXPECT_EQ(text.find("OTHER "), std::string::npos);
}

TEST(CpuProfileTable, SaysThatThereIsNoSample) {
  Process process;
  process.cpu_outside.hz = 997;
  EXPECT_NE(shown(process).find("no sample was taken"), std::string::npos);
}

TEST(CpuProfileTable, LargestClassHasItsShare) {
  const CpuProfile many = row_of("read", CpuClass::page_cache, 500).cpu;
  EXPECT_EQ(largest_class(many), "100% page cache");
  EXPECT_EQ(largest_class(many, "±"), "100% ±1% page cache");
  EXPECT_EQ(largest_class(row_of("read", CpuClass::page_cache, 1).cpu), "-");
  EXPECT_EQ(largest_class(CpuProfile{}), "");
}

}  // namespace
}  // namespace zctrace
