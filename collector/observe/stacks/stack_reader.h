// SPDX-License-Identifier: MIT
// Reads the stacks that the kernel side samples, on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "collector/observe/profile/kernel_symbols.h"
#include "collector/observe/stacks/raw_stack.h"
#include "collector/observe/stacks/stack_profile.h"
#include "collector/observe/stacks/stack_worker.h"
#include "collector/observe/syscall_table.h"

struct ring_buffer;

namespace zctrace {

constexpr std::uint64_t kDefaultStackBytes = 1 << 20;
constexpr std::uint64_t kLeastStackBytes = 4 << 10;
constexpr std::uint64_t kMostStackBytes = 1 << 30;

// Reads each sample as soon as it comes, because the process may end. Its thread waits only for the
// kernel side and, for a bounded time, for children of zctrace. Construct it with the capabilities
// that the children need; its thread drops all.
class StackReader {
 public:
  // `stacks` is the kernel side's map; it must outlive this object. Throws Error.
  StackReader(std::uint64_t every, int stacks, const SyscallTable& table);
  ~StackReader();
  StackReader(const StackReader&) = delete;
  StackReader& operator=(const StackReader&) = delete;

  // Ends the reading, after what has been sent so far. The first call may take some seconds.
  const StackProfile& finish();

 private:
  using Clock = StackWorker::Clock;

  void start();
  void work() noexcept;
  void take(std::string_view record);
  void add(const RawStack& raw);
  CallStack unwind(const RawStack& raw);
  std::vector<StackFrame> kernel_frames(const zc_stack_sample& sample) const;

  std::vector<RowMeaning> meanings_;
  std::optional<KernelSymbols> symbols_;  // absent where the kernel hides them
  std::list<StackWorker> workers_;        // the first one works, the others replace it
  std::unique_ptr<ring_buffer, void (*)(ring_buffer*)> buffer_;
  std::map<std::uint64_t, RawStack> begun_;  // by CPU: the pages of a sample that is to come
  StackProfile profile_;
  std::atomic<bool> stopped_ = false;
  std::atomic<Clock::rep> end_ = 0;  // when all must be done, once it is stopped
  std::thread thread_;
};

}  // namespace zctrace
