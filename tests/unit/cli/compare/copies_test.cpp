// SPDX-License-Identifier: MIT
// Whose copies they are that the experiment finds.
#include "cli/compare/copies.h"

#include <gtest/gtest.h>

#include "cli/views/compare/compare_view.h"
#include "tests/unit/cli/compare/results.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

MethodResult read_and_write(Kind sink) {
  MethodResult result = timed("read_write", {1});
  result.counts = process_of({row("read", Kind::file, Kind::user, Copy::copied, 1, kMiB),
                              row("write", Kind::user, sink, Copy::copied, 1, kMiB)});
  return result;
}

Copies copies_of(MethodResult result, const transfers::CopiesFound& found,
                 const CopyCircumstances& circumstances = {.reader_copies = true}) {
  set_copies(result, found, circumstances);
  EXPECT_EQ(result.copies_unknown, "");
  return result.copies.value_or(Copies());
}

void expect_copies(const Copies& copies, double user, double kernel, double reader,
                   const char* evidence) {
  EXPECT_EQ(copies.user, user);
  EXPECT_EQ(copies.kernel, kernel);
  EXPECT_EQ(copies.reader, reader);
  EXPECT_EQ(copies.evidence, evidence);
}

TEST(CopiesOfARow, AreThoseOfItsCallsFirst) {
  expect_copies(copies_of(read_and_write(Kind::socket), {1, 1}), 2, 0, 1, "aliasing");
  expect_copies(copies_of(timed("sendfile", {1}, 0), {0, 0}), 0, 0, 1, "aliasing");
}

TEST(CopiesOfARow, AreTheKernelsWhereNoCallPromisesThem) {
  expect_copies(copies_of(timed("sendfile", {1}, 0), {0, 1}, {.to_file = true}), 0, 1, 0,
                "counters");
}

TEST(CopiesOfARow, AreThoseOfTheExperimentAndSayWhereTheCountsContradictIt) {
  const Copies none = copies_of(read_and_write(Kind::file), {0, 0}, {.to_file = true});
  expect_copies(none, 0, 0, 0, "counters");
  EXPECT_EQ(
      none.contradiction,
      "the experiment found 0.00 copies of each byte, the calls of the observed run made 2.00");
  const Copies part = copies_of(read_and_write(Kind::socket), {0, 0.25});
  expect_copies(part, 0.25, 0, 1, "aliasing");
  EXPECT_NE(part.contradiction, "");
  EXPECT_EQ(copies_of(read_and_write(Kind::socket), {1, 1}).contradiction, "");

  MethodResult result = read_and_write(Kind::file);
  set_copies(result, {0, 0}, {.to_file = true});
  const auto json = compare_json(comparison_of({result}));
  EXPECT_EQ(json["methods"][0]["copies"]["contradiction"], none.contradiction);
  EXPECT_EQ(json["warnings"][0], "read_write/64K: COPIES is doubtful: " + none.contradiction + ".");
}

// btrfs copies a direct write into pages where it computes checksums, and drops them afterwards.
TEST(CopiesOfARow, AreByTheCountsWhereTheExperimentSeesNoPageOfTheSink) {
  const transfers::CopiesFound unseen = {.into_buffer = 0, .into_sink = 0, .sink_unseen = true};
  MethodResult direct = read_and_write(Kind::file);
  Row& read = direct.counts.rows[0];
  Row& write = direct.counts.rows[1];
  read.cpu_copied_bytes = 0;
  write.cpu_copied_measured_bytes = kMiB;
  Copies copies = copies_of(direct, unseen, {.to_file = true});
  expect_copies(copies, 1, 0, 0, "counters");
  EXPECT_EQ(copies.contradiction, "");
  write.cpu_copied_measured_bytes = 0;
  expect_copies(copies_of(direct, unseen, {.to_file = true}), 1, 0, 0, "rule");
  write.cpu_copied_bytes = 0;
  write.uncopied_bytes = write.uncopied_measured_bytes = kMiB;
  copies = copies_of(direct, unseen, {.to_file = true});
  expect_copies(copies, 0, 0, 0, "counters");
  EXPECT_EQ(copies.contradiction, "");
}

TEST(CopiesOfARow, AreOfEachByteNotOfEachSink) {
  MethodResult tee = timed("tee", {1});
  tee.counts = process_of({row("splice", Kind::pipe, Kind::file, Copy::in_kernel, 2, 2 * kMiB)});
  EXPECT_EQ(copies_of(tee, {0, 1}, {.sinks = 2, .to_file = true}).contradiction, "");
}

TEST(CopiesOfARow, DoNotCountWhatIsThrownAway) {
  expect_copies(copies_of(read_and_write(Kind::device), {1, 0}, {.to_null = true}), 1, 0, 0,
                "rule");
}

// The calls have the names of read and write, and the counts know that the bytes went past them.
TEST(CopiesOfARow, AreNotTheCallsWhereTheCountsSayThatTheCallsMadeNone) {
  MethodResult direct = read_and_write(Kind::file);
  direct.counts.rows[0].cpu_copied_bytes = direct.counts.rows[1].cpu_copied_bytes = 0;
  expect_copies(copies_of(direct, {1, 0}, {.to_file = true}), 0, 1, 0, "counters");
  direct.counts.rows[0].cpu_copied_bytes = kMiB;
  expect_copies(copies_of(direct, {1, 1}, {.to_file = true}), 1, 1, 0, "counters");
}

TEST(CopiesOfARow, OfCallsInTheKernelAreTheKernels) {
  MethodResult copied = timed("copy_file_range", {1});
  copied.counts =
      process_of({row("copy_file_range", Kind::file, Kind::file, Copy::in_kernel, 1, kMiB)});
  ASSERT_EQ(copied.counts.cpu_copied_bytes(), kMiB);
  expect_copies(copies_of(copied, {0, 1}, {.to_file = true}), 0, 1, 0, "counters");
}

TEST(CopiesOfARow, OfAZeroCopySendAreTheKernels) {
  MethodResult result = timed("msg_zerocopy", {1});
  result.notifications = 16;
  expect_copies(copies_of(result, {0, 1}), 0, 1, 1, "notifications");
}

TEST(CopiesOfARow, OfAMemcpyAreItsOwn) {
  MethodResult result = timed("mmap_memcpy", {1});
  result.copies_in_user_space = true;
  result.counts = process_of({row("mmap", Kind::other, Kind::other, Copy::none, 2, 0)});
  expect_copies(copies_of(result, {0, 1}, {.to_file = true}), 1, 0, 0, "counters");
}

TEST(CopiesOfARow, AreNullWithAReasonWhereTheyAreUnknown) {
  const auto reason_of = [](MethodResult result, const char* why) {
    transfers::CopiesFound found;
    found.unknown = why;
    set_copies(result, found, {});
    const auto json = compare_json(comparison_of({result}))["methods"][0];
    EXPECT_TRUE(json["copies"].is_null());
    return json["copies_unknown"].get<std::string>();
  };
  EXPECT_EQ(reason_of(timed("sendfile", {1}, 0), "a reason"), "a reason");
  MethodResult uncounted = timed("sendfile", {1}, 0);
  uncounted.counts.pid = 0;
  EXPECT_EQ(reason_of(uncounted, ""), "the calls were not counted");
  MethodResult empty = timed("sendfile", {1}, 0);
  empty.bytes = 0;
  EXPECT_EQ(reason_of(empty, ""), "no bytes were moved");
  const auto json = compare_json(comparison_of({timed("sendfile", {1}, 0)}))["methods"][0];
  EXPECT_EQ(json["copies_unknown"], "the experiment was not made");
}

}  // namespace
}  // namespace zctrace
