// SPDX-License-Identifier: MIT
// Many calls that move few bytes each: a larger buffer needs fewer of them.
#include <algorithm>

#include "cli/advice/finders.h"
#include "transfers/methods/io_loop.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kSmall = 8192;
constexpr std::uint64_t kBuffer = 64ULL << 10;
// Of one file: reading many small files whole takes a call or two for each, however large the
// buffer is.
constexpr std::uint64_t kLeastCalls = 16;

// Whether the program chooses how much each call moves. A read of a pipe or socket returns what is
// there, and a message is sent when there is one. Positioned calls (pread64) go to places that
// need not follow one another.
bool chooses_size(const Row& row) {
  const auto is_file = [](Kind kind) { return kind == Kind::file || kind == Kind::fuse; };
  if (row.asynchronous) return false;
  if (row.syscall == "read" || row.syscall == "readv") return is_file(row.from);
  if (row.syscall == "write" || row.syscall == "writev")
    return is_file(row.to) || row.to == Kind::pipe;
  return false;
}

std::uint64_t saved_calls(const Row& row) {
  const std::uint64_t calls = successes(row);
  if (!chooses_size(row) || row.bytes == 0 || calls < kLeastCalls || row.bytes / calls >= kSmall)
    return 0;
  const std::uint64_t needed = transfers::divide_up(row.bytes, kBuffer);
  return calls > needed ? calls - needed : 0;
}

// The calls of one process that are small, all together.
class SmallCalls {
 public:
  explicit SmallCalls(const Process& process)
      : process_(process), draft_(new_draft(AdviceKind::small_buffer, process)) {}

  void add(const Row& row, const ChannelId& from, const ChannelId& to) {
    const std::uint64_t saved = saved_calls(row);
    if (saved == 0) return;
    draft_.advice.saves.syscalls += static_cast<std::int64_t>(saved);
    draft_.via[row.syscall] += row.bytes;
    draft_.calls += successes(row);
    draft_.advice.bytes += row.bytes;
    AdviceEnd& end = row.to == Kind::user ? draft_.advice.from : draft_.advice.to;
    std::uint64_t& most = row.to == Kind::user ? most_read_ : most_written_;
    if (row.bytes > most) {
      most = row.bytes;
      end.kind = row.to == Kind::user ? row.from : row.to;
    }
    if (from) draft_.from.insert(from);
    if (to) draft_.to.insert(to);
  }

  void take(const Report& report, Drafts& drafts) {
    if (draft_.calls == 0) return;
    Advice& advice = draft_.advice;
    draft_.processes[&process_] = advice.bytes;
    advice.instead = "a buffer of 64 KiB";
    advice.legal = true;
    advice.why = "a call moves as much as it is asked to";
    advice.saves.syscalls_most = advice.saves.syscalls;
    set_methods(report);
    drafts.push_back(std::move(draft_));
  }

 private:
  // compare measures reading and writing together.
  void set_methods(const Report& report) {
    if (most_read_ == 0 || most_written_ == 0) return;
    PassedOn ends;
    ends.from = draft_.advice.from.kind;
    ends.to = draft_.advice.to.kind;
    if (draft_.from.size() == 1) ends.from_channel = *draft_.from.begin();
    if (draft_.to.size() == 1) ends.to_channel = *draft_.to.begin();
    draft_.methods = methods_of(report, ends, "read", "write", "read_write");
    if (draft_.methods) {
      draft_.methods->instead = "read_write";
      draft_.methods->instead_bytes = kBuffer;
    }
  }

  const Process& process_;
  AdviceDraft draft_;
  std::uint64_t most_read_ = 0;
  std::uint64_t most_written_ = 0;
};

}  // namespace

void find_small_buffers(const Report& report, const Process& process, Drafts& drafts) {
  SmallCalls calls(process);
  if (process.flows.empty())
    for (const Row& row : process.rows) calls.add(row, {}, {});
  for (const Flow& flow : process.flows) calls.add(flow.row, flow.from, flow.to);
  calls.take(report, drafts);
}

}  // namespace zctrace
