// SPDX-License-Identifier: MIT
// The rules from the ends of a row to its copies, and what measurements change.
#include "collector/model/copies.h"

#include <gtest/gtest.h>

#include "bpf/abi.h"
#include "collector/model/process_summary.h"
#include "collector/model/report.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kN = 1 << 20;

MovedBytes moved(Kind from, Kind to, Copy copy = Copy::in_kernel) {
  MovedBytes moved{from, to, copy};
  moved.bytes = kN;
  moved.sends = 4;
  return moved;
}

void expect(const MovedBytes& moved, std::uint64_t bytes, std::uint64_t measured, Verdict verdict) {
  const CopyCount count = count_copies(moved);
  EXPECT_EQ(count.bytes, bytes);
  EXPECT_EQ(count.measured, measured);
  EXPECT_EQ(count.verdict, verdict);
}

void expect_uncopied(const MovedBytes& moved, std::uint64_t bytes, std::uint64_t measured) {
  const CopyCount count = count_copies(moved);
  EXPECT_EQ(count.uncopied, bytes);
  EXPECT_EQ(count.uncopied_measured, measured);
}

TEST(Copies, WithoutBytesThereAreNone) {
  expect({Kind::file, Kind::user, Copy::copied}, 0, 0, Verdict::none);
  expect(moved(Kind::other, Kind::other, Copy::none), 0, 0, Verdict::none);
}

TEST(Copies, AReadAndAWriteCopyOnce) {
  expect(moved(Kind::file, Kind::user, Copy::copied), kN, 0, Verdict::none);
  expect(moved(Kind::user, Kind::socket, Copy::copied), kN, 0, Verdict::none);
  for (const Kind to : {Kind::file, Kind::device}) {
    MovedBytes write = moved(Kind::user, to, Copy::copied);
    write.dirtied = 2 * kN;  // whole pages
    write.seen = kN;
    expect(write, kN, kN, Verdict::none);
    write.seen = kN / 2;  // the other pages were dirty already
    expect(write, kN, kN / 2, Verdict::none);
  }
}

TEST(Copies, WhatIsSeenOutOfASocketIsMeasuredAndPeekingCopiesToo) {
  MovedBytes received = moved(Kind::socket, Kind::user, Copy::copied);
  received.seen = kN / 4;
  expect(received, kN, kN / 4, Verdict::none);
  received.seen = 2 * kN;
  expect(received, 2 * kN, 2 * kN, Verdict::none);
  received.bytes = 0;
  expect(received, 2 * kN, 2 * kN, Verdict::none);
}

TEST(Copies, SplicingIntoAFileCopiesWhateverItsNameSays) {
  for (const Kind from : {Kind::file, Kind::pipe, Kind::socket}) {
    MovedBytes into = moved(from, Kind::file);
    into.dirtied = 2 * kN;
    into.seen = kN;
    expect(into, kN, kN, Verdict::copied);
    into.seen = 0;
    expect(into, kN, 0, Verdict::copied);
  }
}

TEST(Copies, OnlyWhatIsSeenToBeSharedIsAReflink) {
  MovedBytes range = moved(Kind::file, Kind::file);
  range.traits = ZC_OFFLOADS;
  expect(range, kN, 0, Verdict::copied);
  range.seen = kN;
  expect(range, 0, 0, Verdict::reflinked);
  range.seen = kN / 4;
  expect(range, kN - kN / 4, 0, Verdict::mixed);
  range.traits = 0;  // then it was seen to become dirty
  expect(range, kN, kN / 4, Verdict::copied);
  MovedBytes clone = moved(Kind::file, Kind::file);
  clone.is_clone = true;
  expect(clone, 0, 0, Verdict::reflinked);
}

TEST(Copies, OnlyBytesThatWereSeenToBeDirectAre) {
  for (const bool write : {false, true}) {
    MovedBytes direct = write ? moved(Kind::user, Kind::file, Copy::copied)
                              : moved(Kind::file, Kind::user, Copy::copied);
    direct.traits = ZC_DIRECT;
    expect(direct, kN, 0, Verdict::buffered);
    direct.seen = kN;
    expect(direct, 0, 0, Verdict::direct);
    direct.seen = kN / 2;
    expect(direct, kN / 2, 0, Verdict::mixed);
  }
}

TEST(Copies, DirectWithoutACounterFollowsTheFileSystemAndHasNoVerdict) {
  MovedBytes direct = moved(Kind::file, Kind::user, Copy::copied);
  direct.charged = false;
  direct.traits = ZC_DIRECT;
  expect(direct, 0, 0, Verdict::none);
  direct.traits |= ZC_MEMORY_FILE;
  expect(direct, kN, 0, Verdict::buffered);
}

TEST(Copies, SendsByReferenceAreWhatTheirNotificationsSay) {
  MovedBytes lent = moved(Kind::user, Kind::socket, Copy::copied);
  lent.traits = ZC_BY_REFERENCE;
  expect(lent, kN, 0, Verdict::none);
  lent.sends_copied = 4;
  expect(lent, kN, kN, Verdict::zerocopy_copied);
  lent.traits |= ZC_LOOPBACK;
  expect(lent, kN, kN, Verdict::zerocopy_loopback);
  lent.sends_lent = 4;
  lent.sends_copied = 0;
  expect(lent, 0, 0, Verdict::zerocopy);
  lent.sends_lent = 1;
  lent.sends_copied = 2;  // and one without a notification
  // The sends may have different lengths.
  expect(lent, kN - kN / 4, 0, Verdict::mixed);
  expect_uncopied(lent, kN / 4, 0);
  lent.sends = 0;  // their calls are in another interval
  expect(lent, kN - kN / 3, 0, Verdict::mixed);
}

TEST(Copies, PagesIntoSocketsAreReferencesUnlessSomethingForbidsIt) {
  MovedBytes sent = moved(Kind::file, Kind::socket);
  for (const Protocol protocol :
       {Protocol::tcp, Protocol::udp, Protocol::unix_socket, Protocol::alg, Protocol::tls}) {
    sent.protocol = protocol;
    expect(sent, 0, 0, Verdict::by_reference);
  }
  sent.traits = ZC_TLS_SOFTWARE;
  expect(sent, kN, 0, Verdict::tls_software);
  sent.protocol = Protocol::tcp;
  sent.traits = ZC_NO_GATHER;
  expect(sent, kN, 0, Verdict::no_gather);
  sent.traits = 0;
  sent.protocol = Protocol::vsock;
  expect(sent, kN, 0, Verdict::copied);
  // A Unix socket of datagrams, or a file of /proc.
  sent.protocol = Protocol::unix_socket;
  sent.traits = ZC_NO_PAGES;
  expect(sent, kN, 0, Verdict::copied);
}

TEST(Copies, PipesTakePagesButNotOfWhatHasNone) {
  for (const Kind from : {Kind::file, Kind::socket, Kind::pipe, Kind::fuse})
    expect(moved(from, Kind::pipe), 0, 0, Verdict::none);
  expect(moved(Kind::device, Kind::pipe), kN, 0, Verdict::copied);
  MovedBytes block = moved(Kind::device, Kind::pipe);
  block.traits = ZC_BLOCK;
  expect(block, 0, 0, Verdict::none);
  MovedBytes made_up = moved(Kind::file, Kind::pipe);
  made_up.traits = ZC_NO_PAGES;
  expect(made_up, kN, 0, Verdict::copied);
  expect(moved(Kind::user, Kind::pipe, Copy::lent), 0, 0, Verdict::none);
  expect(moved(Kind::pipe, Kind::user, Copy::copied), kN, 0, Verdict::none);
}

TEST(Copies, ZeroIsAMeasurementOrARule) {
  MovedBytes sent = moved(Kind::file, Kind::socket);
  sent.protocol = Protocol::tcp;
  expect_uncopied(sent, kN, 0);
  sent.seen = kN / 2;  // TCP took these by reference
  expect_uncopied(sent, kN, kN / 2);
  sent.seen = 2 * kN;
  expect_uncopied(sent, kN, kN);
  sent.traits = ZC_NO_GATHER;  // it takes them, and they are copied later
  expect_uncopied(sent, 0, 0);
  expect_uncopied(moved(Kind::file, Kind::pipe), kN, 0);
  expect_uncopied(moved(Kind::user, Kind::pipe, Copy::lent), kN, 0);
  expect_uncopied(moved(Kind::file, Kind::user, Copy::copied), 0, 0);

  MovedBytes direct = moved(Kind::file, Kind::user, Copy::copied);
  direct.traits = ZC_DIRECT;
  direct.seen = kN / 4;
  expect_uncopied(direct, kN / 4, kN / 4);
  direct.charged = false;
  expect_uncopied(direct, kN, 0);

  MovedBytes range = moved(Kind::file, Kind::file);
  range.traits = ZC_OFFLOADS;
  range.seen = kN;
  expect_uncopied(range, kN, kN);
  MovedBytes clone = moved(Kind::file, Kind::file);
  clone.is_clone = true;
  expect_uncopied(clone, kN, kN);
  clone.charged = false;
  expect_uncopied(clone, kN, 0);

  MovedBytes lent = moved(Kind::user, Kind::socket, Copy::copied);
  lent.traits = ZC_BY_REFERENCE;
  lent.sends_lent = 2;
  expect_uncopied(lent, kN / 2, 0);
  lent.sends_lent = 4;
  expect_uncopied(lent, kN, kN);
}

TEST(Copies, IntoTcpAreMeasuredWhereItTellsOfThem) {
  MovedBytes sent = moved(Kind::user, Kind::socket, Copy::copied);
  sent.protocol = Protocol::tcp;
  expect(sent, kN, 0, Verdict::none);
  sent.seen = kN;
  expect(sent, kN, kN, Verdict::none);
}

TEST(Copies, HaveEvidenceOnlyWhereThereAreBytes) {
  EXPECT_EQ(evidence_of(0, 0), Evidence::none);
  EXPECT_EQ(evidence_of(2, 0), Evidence::rule);
  EXPECT_EQ(evidence_of(2, 1), Evidence::mixed);
  EXPECT_EQ(evidence_of(2, 2), Evidence::measured);
}

TEST(Copies, OfRowsThatAreAddedUpHaveOneVerdictOnlyIfTheyAgree) {
  EXPECT_EQ(both(Verdict::none, Verdict::copied), Verdict::copied);
  EXPECT_EQ(both(Verdict::copied, Verdict::none), Verdict::copied);
  EXPECT_EQ(both(Verdict::copied, Verdict::copied), Verdict::copied);
  EXPECT_EQ(both(Verdict::copied, Verdict::reflinked), Verdict::mixed);
}

TEST(Copies, LentBytesThatWereCopiedIntoTheProcessBeforeAreNotZeroCopy) {
  Row sent = row("sendto", Kind::user, Kind::socket, Copy::copied, 4, kN);
  sent.cpu_copied_bytes = 0;
  EXPECT_EQ(process_of({sent}).zero_copy_share(), 1.0);
  EXPECT_FALSE(delivered_by(process_of({sent})).zero_copy_is_bound());
  EXPECT_EQ(process_of({sent}).kernel_only_share(), 0.0);
  const Row read = row("read", Kind::file, Kind::user, Copy::copied, 4, kN / 4);
  EXPECT_EQ(process_of({read, sent}).zero_copy_share(), 0.75);
  EXPECT_EQ(summary_of(process_of({read, sent})).copies_per_byte(), 0.25);
  const Delivered bound = delivered_by(process_of({read, sent}));
  EXPECT_TRUE(bound.zero_copy_is_bound());
  EXPECT_EQ(bound.zero_copy_at_most, kN);
}

TEST(Copies, CopyingFromFileToFileInTheKernelIsKernelOnlyButNotZeroCopy) {
  const Process process =
      process_of({row("copy_file_range", Kind::file, Kind::file, Copy::in_kernel, 1, kN)});
  EXPECT_EQ(process.kernel_only_share(), 1.0);
  EXPECT_EQ(process.zero_copy_share(), 0.0);
  EXPECT_EQ(summary_of(process).copies_per_byte(), 1.0);
}

TEST(Copies, ForEachDeliveredByteAreUnknownWhereHardlyAnyByteIsDelivered) {
  const Row read = row("read", Kind::file, Kind::user, Copy::copied, 1, kN);
  const auto writing = [&](std::uint64_t bytes) {
    return summary_of(
        process_of({read, row("write", Kind::user, Kind::file, Copy::copied, 1, bytes)}));
  };
  EXPECT_EQ(writing(kN / 4).copies_per_byte(), 5.0);
  EXPECT_EQ(writing(kN / 500).copies_per_byte(), std::nullopt);
}

}  // namespace
}  // namespace zctrace
