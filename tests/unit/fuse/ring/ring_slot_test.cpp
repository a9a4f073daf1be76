// SPDX-License-Identifier: MIT
// A slot of FUSE over io_uring: what the kernel puts into it, and what it finds there.
#include "collector/fuse/ring/ring_slot.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "collector/fuse/ring/request_ring.h"

namespace zctrace::fuse {
namespace {

struct Owner final : SlotOwner {
  void answered_later(RingSlot& slot) noexcept override { later = &slot; }
  bool may_hold_up_others() const noexcept override { return busy; }

  RingSlot* later = nullptr;
  bool busy = false;
};

class RingSlots : public ::testing::Test {
 protected:
  RingHeaders& headers() { return *static_cast<RingHeaders*>(slot.areas()[0].iov_base); }
  std::string_view payload(std::size_t size) {
    return {reinterpret_cast<const char*>(slot.payload().data()), size};
  }
  // As the kernel does.
  void deliver(std::uint64_t unique, std::string_view arguments, std::string_view rest) {
    fuse_in_header header = {};
    header.len = static_cast<std::uint32_t>(sizeof(header) + arguments.size() + rest.size());
    header.opcode = FUSE_WRITE;
    header.unique = unique;
    std::memcpy(headers().header, &header, sizeof(header));
    std::memcpy(headers().arguments, arguments.data(), arguments.size());
    std::memcpy(slot.payload().data(), rest.data(), rest.size());
    headers().commit_id = unique;
    headers().payload_bytes = static_cast<std::uint32_t>(rest.size());
  }
  fuse_out_header answer() {
    fuse_out_header header;
    std::memcpy(&header, headers().header, sizeof(header));
    return header;
  }

  Owner owner;
  RingSlot slot{owner, 3, 8192};
};

TEST_F(RingSlots, HeadersAndPayloadAreOneRequest) {
  deliver(26, "arguments of the opcode.", "content");
  const std::span<std::byte> request = slot.request();
  const std::string text(reinterpret_cast<const char*>(request.data()) + sizeof(fuse_in_header),
                         request.size() - sizeof(fuse_in_header));
  EXPECT_EQ(text, "arguments of the opcode.content");
  EXPECT_EQ(slot.unique(), 26U);
  EXPECT_EQ(slot.commit_id(), 26U);
  EXPECT_FALSE(slot.is_token());
  // The payload is not copied.
  EXPECT_EQ(request.data() + request.size(), slot.payload().data() + 7);
}

TEST_F(RingSlots, SizesThatContradictEachOtherAreAnsweredWithAnError) {
  deliver(4, "", "content");
  headers().payload_bytes = 9000;
  EXPECT_TRUE(slot.request().empty());
  EXPECT_EQ(answer().error, -EIO);
  deliver(6, "", "content");
  headers().payload_bytes = 8;  // more than the whole request
  EXPECT_TRUE(slot.request().empty());
  deliver(8, "", std::string(200, 'x'));
  headers().payload_bytes = 7;  // leaves more than the arguments hold
  EXPECT_TRUE(slot.request().empty());
  EXPECT_EQ(answer().unique, 8U);
}

TEST_F(RingSlots, TheReplyOfTheServingThreadGoesIntoTheSlot) {
  deliver(10, "", "");
  slot.request();
  begin_serving(slot);
  fuse_out_header header = {sizeof(header) + 6, 0, 10};
  std::string one = "one";
  std::string two = "two";
  const iovec parts[] = {{&header, sizeof(header)}, {one.data(), 3}, {two.data(), 3}};
  ssize_t result = 0;
  ASSERT_TRUE(reply_by_ring(10, parts, 3, result));
  EXPECT_EQ(result, static_cast<ssize_t>(sizeof(header) + 6));
  EXPECT_TRUE(end_serving());
  EXPECT_EQ(answer().unique, 10U);
  EXPECT_EQ(headers().payload_bytes, 6U);
  EXPECT_EQ(payload(6), "onetwo");
}

TEST_F(RingSlots, OtherMessagesGoToTheDevice) {
  deliver(10, "", "");
  slot.request();
  begin_serving(slot);
  fuse_out_header header = {sizeof(header), 0, 0};
  const iovec part = {&header, sizeof(header)};
  ssize_t result = 0;
  EXPECT_FALSE(reply_by_ring(0, &part, 1, result));   // a notification
  EXPECT_FALSE(reply_by_ring(11, &part, 1, result));  // an interrupt's
  EXPECT_TRUE(end_serving());
  EXPECT_EQ(answer().error, -EIO);  // the kernel must not wait forever
}

TEST_F(RingSlots, ARequestIsAnsweredLater) {
  deliver(12, "", "");
  slot.request();
  begin_serving(slot);
  defer_reply();
  EXPECT_EQ(served_slot(), nullptr);
  EXPECT_FALSE(end_serving());
  fuse_out_header header = {sizeof(header), -EINTR, 12};
  const iovec part = {&header, sizeof(header)};
  ssize_t result = 0;
  EXPECT_TRUE(reply_by_ring(12, &part, 1, result));
  EXPECT_EQ(owner.later, &slot);
  EXPECT_EQ(answer().error, -EINTR);
  EXPECT_FALSE(reply_by_ring(12, &part, 1, result));  // only once
}

TEST_F(RingSlots, AReplyThatDoesNotFitIsAnError) {
  deliver(14, "", "");
  slot.request();
  begin_serving(slot);
  std::string large(8193, 'x');
  fuse_out_header header = {static_cast<std::uint32_t>(sizeof(header) + large.size()), 0, 14};
  const iovec parts[] = {{&header, sizeof(header)}, {large.data(), large.size()}};
  ssize_t result = 0;
  EXPECT_TRUE(reply_by_ring(14, parts, 2, result));
  EXPECT_EQ(result, -1);
  EXPECT_TRUE(end_serving());
  EXPECT_EQ(answer().error, -EIO);
}

TEST_F(RingSlots, AThreadKnowsWhetherOthersWaitForIt) {
  EXPECT_FALSE(others_wait_for_this_thread());
  begin_serving(slot);
  EXPECT_FALSE(others_wait_for_this_thread());
  owner.busy = true;
  EXPECT_TRUE(others_wait_for_this_thread());
  end_serving();
  EXPECT_FALSE(others_wait_for_this_thread());
}

TEST(RingQueues, EachHasAThreadAndEachThreadHasOne) {
  using Queues = std::vector<std::uint16_t>;
  EXPECT_EQ(queues_of(0, 1, 3), (Queues{0, 1, 2}));
  EXPECT_EQ(queues_of(1, 2, 5), (Queues{1, 3}));
  EXPECT_EQ(queues_of(4, 7, 3), (Queues{1}));
  EXPECT_EQ(threads_of_each_queue(7, 3), 2U);
  EXPECT_EQ(threads_of_each_queue(2, 5), 1U);
}

TEST(RingQueues, ThePayloadHoldsTheLargestWriteInWholePages) {
  EXPECT_EQ(ring_payload(1), 8192U);
  EXPECT_EQ(ring_payload(524288), 524288U);
  EXPECT_EQ(ring_payload(524289) % 4096, 0U);
  EXPECT_GT(ring_payload(524289), 524288U);
}

}  // namespace
}  // namespace zctrace::fuse
