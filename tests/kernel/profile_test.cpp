// SPDX-License-Identifier: MIT
// Samples of what the CPU did: of which calls, doing what, and how many.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include "collector/observe/profile/kernel_symbols.h"
#include "collector/observe/profile/sampler.h"
#include "collector/observe/profile/symbol_classes.h"
#include "observed.h"

namespace zctrace::testing {
namespace {

#define ZC_NEEDS_PROFILE() \
  ZC_NEEDS_PROBES();       \
  if (const std::string why = why_no_profile(); !why.empty()) GTEST_SKIP() << why

// More than the caches hold, and in large chunks: then reading is mostly copying.
constexpr std::size_t kFileBytes = 64 << 20;
constexpr std::size_t kChunk = 1 << 20;
// Of CPU time: enough samples for a margin of a few percent.
constexpr double kLong_s = 0.4;

double cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A file in memory, full of bytes.
int source() {
  const int file = ::memfd_create("source", MFD_CLOEXEC);
  const std::vector<char> bytes(kFileBytes, 'z');
  if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return -1;
  return file;
}

// The writing end of a socket whose other end a child reads.
int drained_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  if (::fork() == 0) {
    static char buffer[kChunk];
    ::close(ends[0]);
    while (::read(ends[1], buffer, sizeof(buffer)) > 0) continue;
    ::_exit(0);
  }
  ::close(ends[1]);
  return ends[0];
}

int null_device() { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }

bool read_and_write(int from, int to) {
  static char buffer[kChunk];
  ::lseek(from, 0, SEEK_SET);
  for (ssize_t n; (n = ::read(from, buffer, sizeof(buffer))) != 0;)
    if (n < 0 || ::write(to, buffer, static_cast<std::size_t>(n)) != n) return false;
  return true;
}

bool send_file(int from, int to) {
  off_t offset = 0;
  while (offset < static_cast<off_t>(kFileBytes))
    if (::sendfile(to, from, &offset, kChunk) <= 0) return false;
  return true;
}

ProbeOptions profiling() {
  ProbeOptions options;
  options.profile_hz = kDefaultProfileHz;
  return options;
}

CpuProfile profile_of(bool (*move)(int, int), int (*sink)()) {
  const int from = source();
  EXPECT_GE(from, 0);
  const Observation seen = observe(
      [=] {
        const int to = sink();
        if (to < 0) return 1;
        for (const double begin = cpu_s(); cpu_s() < begin + kLong_s;)
          if (!move(from, to)) return 2;
        return 0;
      },
      profiling());
  ::close(from);
  EXPECT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
  return seen.child().cpu_profile();
}

double copying(const CpuProfile& profile) { return profile.share(CpuClass::copy).value_or(-1); }
double margin(const CpuProfile& profile) { return profile.margin().value_or(1); }

// At least twice as much at the nearest ends of both margins. How large the share itself is depends
// on the processor: an emulated one copies fast and does all else slowly.
void expect_more_copying(const CpuProfile& more, const CpuProfile& less) {
  std::printf("copy: %.0f%% +- %.0f%% of %llu samples, against %.0f%% +- %.0f%% of %llu\n",
              100 * copying(more), 100 * margin(more),
              static_cast<unsigned long long>(more.total()), 100 * copying(less),
              100 * margin(less), static_cast<unsigned long long>(less.total()));
  EXPECT_GT(copying(more) - margin(more), 2 * (copying(less) + margin(less)));
}

TEST(Profile, ReadAndWriteToNullCopyMoreThanSendfileToNull) {
  ZC_NEEDS_PROFILE();
  expect_more_copying(profile_of(read_and_write, null_device), profile_of(send_file, null_device));
}

TEST(Profile, ReadAndWriteToASocketCopyMoreThanSendfileToASocket) {
  ZC_NEEDS_PROFILE();
  expect_more_copying(profile_of(read_and_write, drained_socket),
                      profile_of(send_file, drained_socket));
}

TEST(Profile, SamplesOfACallAreInItsRowAndThoseOfUserCodeAreNot) {
  ZC_NEEDS_PROFILE();
  const Observation seen = observe(
      [] {
        for (const double begin = cpu_s(); cpu_s() < begin + kLong_s;)
          for (int i = 0; i < 100; i++) ::syscall(SYS_getppid);
        for (const double begin = cpu_s(); cpu_s() < begin + kLong_s;)
          for (int i = 0; i < 1000000; i++) asm volatile("");
        return 0;
      },
      profiling());
  CpuProfile calls;
  for (const Row& row : seen.child().rows) {
    EXPECT_EQ(row.cpu.hz, kDefaultProfileHz);
    EXPECT_EQ(row.cpu.of(CpuClass::user), 0u) << row.syscall;
    if (row.syscall == "getppid") calls = row.cpu;
  }
  EXPECT_GT(calls.total(), 0u);
  const CpuProfile& outside = seen.child().cpu_outside;
  EXPECT_GT(outside.of(CpuClass::user), outside.total() / 4);
  // A tick of the clock for each of so many parts of a second on a CPU.
  const double expected = 2 * kLong_s * kDefaultProfileHz;
  const auto total = static_cast<double>(seen.child().cpu_profile().total());
  EXPECT_GT(total, expected / 2);
  EXPECT_LT(total, expected * 2);
}

TEST(Profile, SamplesWithoutSpaceAreCountedAsLost) {
  ZC_NEEDS_PROFILE();
  ProbeOptions options = profiling();
  options.room["samples"] = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
  const Observation seen = observe(
      [] {
        for (const double begin = cpu_s(); cpu_s() < begin + kLong_s;) continue;
        return 0;
      },
      options);
  const std::uint64_t lost = seen.completeness.lost_by_reason.at("samples_full");
  EXPECT_GT(lost, 0u);
  EXPECT_GT(seen.child().cpu_profile().total(), 0u);
  EXPECT_EQ(seen.completeness.lost_events(), lost);
}

TEST(Profile, WithoutTheOptionThereIsNone) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        for (int i = 0; i < 101; i++) ::syscall(SYS_getppid);
        return 0;
      },
      {});
  EXPECT_EQ(seen.child().cpu_profile().hz, 0u);
  EXPECT_EQ(seen.completeness.lost_by_reason.at("samples_full"), 0u);
}

// Whether the running kernel must have what the table says of `only`.
bool belongs_here(std::string_view only) {
  utsname names{};
  ::uname(&names);
  if (std::string_view(names.machine) != "x86_64") return only == "arm64";
  int major = 0;
  int minor = 0;
  std::sscanf(names.release, "%d.%d", &major, &minor);
  if (only.empty()) return major > 6 || (major == 6 && minor >= 18);
  return only == std::to_string(major) + "." + std::to_string(minor);
}

TEST(Profile, KernelHasEveryFunctionThatTheTableSaysItHas) {
  ZC_NEEDS_PROFILE();
  const KernelSymbols symbols;
  const std::vector<std::string_view> names = symbols.names();
  const std::set<std::string_view> sorted(names.begin(), names.end());
  for (const SymbolClass& entry : symbol_table()) {
    if (!belongs_here(entry.only)) continue;
    const bool beginning = entry.pattern.ends_with('*');
    const std::string_view name = entry.pattern.substr(0, entry.pattern.find('*'));
    const auto found = sorted.lower_bound(name);
    EXPECT_TRUE(found != sorted.end() && (beginning ? found->starts_with(name) : *found == name))
        << entry.pattern;
  }
}

}  // namespace
}  // namespace zctrace::testing
