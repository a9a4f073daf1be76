// SPDX-License-Identifier: MIT
// From the kernel side's keys, counters and tallies to the copies of a row.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "collector/observe/ledger.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 7;
constexpr std::uint64_t kBytes = 1 << 20;

class LedgerCopies : public ::testing::Test {
 protected:
  zc_key key(const std::string& name, zc_kind from, zc_kind to,
             zc_protocol protocol = ZC_NO_PROTOCOL, unsigned traits = 0) const {
    for (std::size_t i = 0; i < table_.rows().size(); i++)
      if (table_.rows()[i].name == name) return ZC_KEY_WITH(i, from, to, protocol, traits);
    ADD_FAILURE() << "no row " << name;
    return {};
  }

  void add(zc_key key, zc_row row) {
    row.calls = std::max<__u64>(row.calls, 1);
    if (row.bytes == 0) row.bytes = kBytes;
    snapshot_.folded_rows.emplace_back(zc_row_key{kAccount, key, 0}, row);
  }
  void tally(zc_key key, std::uint32_t what, std::uint64_t count) {
    snapshot_.tallies.emplace_back(zc_tally_key{kAccount, key, what}, count);
  }

  Process process(bool charged = true) {
    zc_account account{};
    account.id = kAccount;
    account.started = 1;
    snapshot_.accounts = {account};
    Ledger ledger(table_, 0, charged);
    ledger.add(snapshot_);
    return ledger.process(kAccount);
  }

  SyscallTable table_;
  Snapshot snapshot_;
};

TEST_F(LedgerCopies, OfAKernelCopyAreMeasuredByWhatBecameDirty) {
  zc_row row{};
  row.dirtied = row.seen = kBytes;
  add(key("copy_file_range", ZC_FILE, ZC_FILE), row);
  const Row copied = process().rows.at(0);
  EXPECT_EQ(copied.cpu_copied_bytes, kBytes);
  EXPECT_EQ(copied.cpu_copied_measured_bytes, kBytes);
  EXPECT_EQ(copied.dirtied_bytes, kBytes);
  EXPECT_EQ(copied.verdict, Verdict::copied);
}

TEST_F(LedgerCopies, RowsThatDifferOnlyInTraitsAreOneRow) {
  zc_row direct{};
  direct.seen = kBytes;
  add(key("write", ZC_USER, ZC_FILE, ZC_NO_PROTOCOL, ZC_DIRECT), direct);
  add(key("write", ZC_USER, ZC_FILE), {});
  const Process both = process();
  ASSERT_EQ(both.rows.size(), 1u);
  EXPECT_EQ(both.rows[0].calls, 2u);
  EXPECT_EQ(both.rows[0].bytes, 2 * kBytes);
  EXPECT_EQ(both.rows[0].cpu_copied_bytes, kBytes);
  // It says what is known: the other row has none.
  EXPECT_EQ(both.rows[0].verdict, Verdict::direct);
}

TEST_F(LedgerCopies, RowsOfSeveralProtocolsAreApartUntilTheyAreShown) {
  add(key("sendfile", ZC_FILE, ZC_SOCKET, ZC_TCP), {});
  add(key("sendfile", ZC_FILE, ZC_SOCKET, ZC_TCP, ZC_NO_GATHER), {});
  add(key("sendfile", ZC_FILE, ZC_SOCKET, ZC_UNIX), {});
  const Process sender = process();
  ASSERT_EQ(sender.rows.size(), 2u);
  EXPECT_EQ(sender.rows[0].protocol, Protocol::tcp);
  EXPECT_EQ(sender.rows[0].cpu_copied_bytes, kBytes);
  EXPECT_EQ(sender.rows[1].protocol, Protocol::unix_socket);
  EXPECT_EQ(shown_rows_by_protocol(sender.rows).size(), 2u);
  const std::vector<Row> shown = shown_rows(sender.rows);
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].protocol, Protocol::mixed);
  EXPECT_EQ(shown[0].bytes, 3 * kBytes);
}

TEST_F(LedgerCopies, TalliesAreErrorsOrNotifications) {
  const zc_key lent = key("sendmsg", ZC_USER, ZC_SOCKET, ZC_TCP, ZC_BY_REFERENCE);
  zc_row row{};
  row.calls = 5;
  row.errors = 1;
  add(lent, row);
  tally(lent, EAGAIN, 1);
  tally(lent, ZC_TALLY_COPIED, 3);
  tally(lent, ZC_TALLY_LENT, 1);
  tally(key("sendmsg", ZC_USER, ZC_SOCKET, ZC_TCP), EPIPE, 9);  // another row's
  const Row sent = process().rows.at(0);
  EXPECT_EQ(sent.errors_by, (std::map<unsigned, std::uint64_t>{{EAGAIN, 1}}));
  EXPECT_EQ(sent.cpu_copied_bytes, kBytes - kBytes / 4);
  EXPECT_EQ(sent.cpu_copied_measured_bytes, 0u);  // the sends may have different lengths
  EXPECT_EQ(sent.verdict, Verdict::mixed);
}

TEST_F(LedgerCopies, WithoutChargesDirectIsARuleWithoutAVerdict) {
  add(key("read", ZC_FILE, ZC_USER, ZC_NO_PROTOCOL, ZC_DIRECT), {});
  EXPECT_EQ(process().rows.at(0).verdict, Verdict::buffered);
  EXPECT_EQ(process(false).rows.at(0).verdict, Verdict::none);
  EXPECT_EQ(process(false).rows.at(0).cpu_copied_bytes, 0u);
}

TEST_F(LedgerCopies, ChargesAreMeasuredOfCallsThatCanUseADisk) {
  zc_row row{};
  row.disk_read = kBytes;
  const auto charges_of = [&](const std::string& name, zc_kind from, zc_kind to,
                              bool charged = true) {
    snapshot_ = {};
    add(key(name, from, to), row);
    const Process one = process(charged);
    const Charges charges = one.rows.at(0).charges;
    EXPECT_EQ(one.disk_read_bytes().has_value(), charges != Charges::unknown) << name;
    EXPECT_EQ(one.dirtied_bytes().has_value(), charges != Charges::unknown) << name;
    return charges;
  };
  for (const zc_kind disk : {ZC_FILE, ZC_FUSE, ZC_DEVICE}) {
    EXPECT_EQ(charges_of("read", disk, ZC_USER), Charges::measured);
    EXPECT_EQ(charges_of("splice", ZC_PIPE, disk), Charges::measured);
    for (const char* operation : {"io_uring:read", "aio:read"})
      EXPECT_EQ(charges_of(operation, disk, ZC_USER), Charges::unknown) << operation;
    EXPECT_EQ(charges_of("read", disk, ZC_USER, false), Charges::unknown);
  }
  EXPECT_EQ(charges_of("read", ZC_PIPE, ZC_USER), Charges::none);
  EXPECT_EQ(charges_of("read", ZC_NULL, ZC_USER), Charges::none);
  EXPECT_EQ(charges_of("io_uring:send", ZC_USER, ZC_SOCKET), Charges::none);
}

TEST_F(LedgerCopies, TheChargesOfAProcessAreUnknownWhereThoseOfOneRowAre) {
  zc_row row{};
  row.disk_read = row.dirtied = kBytes;
  add(key("read", ZC_FILE, ZC_USER), row);
  EXPECT_EQ(process().disk_read_bytes(), kBytes);
  add(key("aio:write", ZC_USER, ZC_FILE), {});
  EXPECT_FALSE(process().disk_read_bytes());
  EXPECT_FALSE(process().dirtied_bytes());
}

TEST_F(LedgerCopies, NothingIsCopiedFromZeroOrIntoNull) {
  add(key("read", ZC_NULL, ZC_USER), {});
  add(key("splice", ZC_PIPE, ZC_NULL), {});
  add(key("recvfrom", ZC_SOCKET, ZC_DISCARD, ZC_TCP), {});
  EXPECT_EQ(process().cpu_copied_bytes(), 0u);
}

TEST_F(LedgerCopies, TheLeastTimeIsThatOfTheRowsWithATime) {
  zc_row timed{};
  timed.min_ns = 50;
  timed.max_ns = 90;
  timed.latency[3] = 1;
  add(key("read", ZC_FILE, ZC_USER), {});
  add(key("read", ZC_FILE, ZC_USER), timed);
  timed.min_ns = 70;
  add(key("read", ZC_FILE, ZC_USER), timed);
  EXPECT_EQ(process().rows.at(0).min_ns, 50u);
}

}  // namespace
}  // namespace zctrace
