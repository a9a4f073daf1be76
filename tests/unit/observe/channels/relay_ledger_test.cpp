// SPDX-License-Identifier: MIT
// What accounts passed on, after the kernel side has forgotten it, and as a report has it.
#include "collector/observe/channels/relay_ledger.h"

#include <gtest/gtest.h>

#include "collector/observe/snapshot.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 7;

class RelayLedgerTest : public ::testing::Test {
 protected:
  zc_key key(const std::string& name, zc_kind from, zc_kind to, unsigned traits = 0) const {
    for (std::size_t i = 0; i < table_.rows().size(); i++)
      if (table_.rows()[i].name == name)
        return ZC_KEY_WITH(i, from, to, to == ZC_SOCKET ? ZC_TCP : ZC_NO_PROTOCOL, traits);
    ADD_FAILURE() << "no row " << name;
    return {};
  }
  // From the file with this inode to the socket with that one.
  void add(std::uint64_t file, std::uint64_t socket, std::uint64_t bytes, unsigned traits = 0,
           std::uint64_t appends = 0) {
    zc_relay_key relay{};
    relay.account = kAccount;
    relay.read = key("pread64", ZC_FILE, ZC_USER, traits);
    relay.write = key("writev", ZC_USER, ZC_SOCKET);
    relay.from.inode = file;
    relay.to.inode = socket;
    snapshot_.relays.emplace_back(relay, zc_relay_sums{bytes, 2, 3, appends});
  }
  void read() {
    ledger_.add(snapshot_);
    snapshot_ = {};
  }
  std::vector<Relay> relays() const { return ledger_.relays_of(kAccount, table_.rows()); }

  SyscallTable table_;
  Snapshot snapshot_;
  RelayLedger ledger_;
};

TEST_F(RelayLedgerTest, NamesTheCallsAndBothEnds) {
  add(1, 2, 100);
  read();
  ASSERT_EQ(relays().size(), 1u);
  const Relay relay = relays().front();
  EXPECT_EQ(relay.from.syscall, "pread64");
  EXPECT_EQ(relay.from.kind, Kind::file);
  EXPECT_EQ(relay.from.protocol, Protocol::none);
  EXPECT_EQ(relay.from.channel.inode, 1u);
  EXPECT_EQ(relay.to.syscall, "writev");
  EXPECT_EQ(relay.to.kind, Kind::socket);
  EXPECT_EQ(relay.to.protocol, Protocol::tcp);
  EXPECT_EQ(relay.to.channel.inode, 2u);
  EXPECT_EQ(relay.bytes, 100u);
  EXPECT_EQ(relay.reads, 2u);
  EXPECT_EQ(relay.writes, 3u);
}

TEST_F(RelayLedgerTest, RowsThatDifferInTheirTraitsOnlyAreOne) {
  add(1, 2, 100);
  add(1, 2, 20, ZC_DIRECT);
  add(1, 3, 3);
  read();
  ASSERT_EQ(relays().size(), 2u);
  EXPECT_EQ(relays()[0].bytes, 120u);
  EXPECT_EQ(relays()[0].writes, 6u);
  EXPECT_EQ(relays()[1].bytes, 3u);
}

TEST_F(RelayLedgerTest, SaysThatTheSinkAppends) {
  add(1, 2, 100);
  add(1, 3, 100, 0, 1);
  read();
  ASSERT_EQ(relays().size(), 2u);
  EXPECT_FALSE(relays()[0].appends);
  EXPECT_TRUE(relays()[1].appends);
}

TEST_F(RelayLedgerTest, KeepsWhatTheKernelSideForgot) {
  add(1, 2, 100);
  read();
  add(1, 2, 150);
  read();
  read();
  EXPECT_EQ(relays().at(0).bytes, 150u);
  ledger_.forget(kAccount);
  EXPECT_TRUE(relays().empty());
}

}  // namespace
}  // namespace zctrace
