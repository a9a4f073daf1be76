// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/stack_reader.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "collector/observe/kernel_records.h"
#include "collector/os/blocked_signals.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kWait(100);
// To read the symbols of a large program may take seconds.
constexpr seconds kPatience(10);
// A server of debug information may be slow.
constexpr seconds kDownloadPatience(120);
// How long finish() may take.
constexpr seconds kFinishPatience(20);
// A child that does not answer, or that crashed, is replaced so many times in all. The others must
// exist before zctrace gives up its rights.
constexpr int kWorkers = 3;
// Of begun_; the upper bits of a sample's number.
constexpr int kCpuShift = 48;

seconds patience() {
  static const bool downloads = std::getenv("DEBUGINFOD_URLS") != nullptr;
  return downloads ? kDownloadPatience : kPatience;
}

// The innermost functions of each kernel stack are the tracepoint and the program that took it.
bool is_of_tracing(std::string_view function) {
  for (const std::string_view beginning :
       {"bpf_", "__bpf_", "zc_", "__traceiter_", "get_perf_callchain", "stack_trace_save",
        "trace_event_", "perf_trace_", "arch_stack_walk"})
    if (function.starts_with(beginning)) return true;
  return false;
}

}  // namespace

StackReader::StackReader(std::uint64_t every, int stacks, const SyscallTable& table)
    : meanings_(table.rows()), buffer_(nullptr, ring_buffer__free), profile_(every) {
  for (int i = 0; i < kWorkers; i++) workers_.emplace_back();
  try {
    symbols_.emplace();
  } catch (const Error&) {  // the user's frames are what matters
  }
  const auto take = [](void* reader, void* record, std::size_t size) noexcept -> int {
    static_cast<StackReader*>(reader)->take({static_cast<const char*>(record), size});
    return 0;
  };
  buffer_.reset(ring_buffer__new(stacks, take, this, nullptr));
  if (!buffer_) throw system_error("--stacks: cannot map the samples", errno, kExitCannotRun);
  start();
}

StackReader::~StackReader() {
  stopped_ = true;  // finish() has not set end_: what is left is not unwound
  if (thread_.joinable()) thread_.join();
}

void StackReader::start() {
  const BlockedSignals blocked;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& error) {
    throw system_error("--stacks: cannot start a thread", error.code().value());
  }
}

const StackProfile& StackReader::finish() {
  if (thread_.joinable()) {
    end_ = (Clock::now() + kFinishPatience).time_since_epoch().count();
    stopped_ = true;
    thread_.join();
  }
  return profile_;
}

void StackReader::work() noexcept {
  try {
    drop_capabilities();
  } catch (const Error&) {
    return;
  }
  while (!stopped_) ring_buffer__poll(buffer_.get(), static_cast<int>(kWait.count()));
  ring_buffer__consume(buffer_.get());
}

void StackReader::take(std::string_view record) {
  std::uint32_t kind = 0;
  if (record.size() < sizeof(kind)) return;
  std::memcpy(&kind, record.data(), sizeof(kind));
  if (kind == ZC_STACK_PAGE && record.size() >= ZC_STACK_PAGE_HEAD) {
    zc_stack_page page;
    std::memcpy(&page, record.data(), ZC_STACK_PAGE_HEAD);
    RawStack& raw = begun_[page.sample >> kCpuShift];
    // Those of a sample that found no space are of no use.
    if (raw.sample.sample != page.sample) raw.parts.clear();
    raw.sample.sample = page.sample;
    raw.parts.push_back(
        {page.address,
         std::string(record.substr(ZC_STACK_PAGE_HEAD,
                                   std::min<std::size_t>(page.bytes, ZC_STACK_PAGE_BYTES)))});
  } else if (kind == ZC_STACK_SAMPLE && record.size() >= sizeof(zc_stack_sample)) {
    zc_stack_sample sample;
    std::memcpy(&sample, record.data(), sizeof(sample));
    RawStack raw = std::exchange(begun_[sample.sample >> kCpuShift], {});
    if (raw.sample.sample != sample.sample) raw.parts.clear();
    raw.sample = sample;
    add(raw);
  }
}

void StackReader::add(const RawStack& raw) {
  const zc_stack_sample& sample = raw.sample;
  const zc_key key{sample.key};
  StackSite site;
  site.pid = sample.pid;
  site.process.assign(sample.name, ::strnlen(sample.name, sizeof(sample.name)));
  site.syscall = meanings_.at(ZC_KEY_ROW(key)).name;
  site.from = kind_of(ZC_KEY_FROM(key));
  site.to = kind_of(ZC_KEY_TO(key));
  CallStack stack;
  // A worker has no user code.
  if ((sample.flags & ZC_STACK_WORKER) != 0)
    stack.whole = true;
  else
    stack = unwind(raw);
  stack.kernel = kernel_frames(sample);
  profile_.add(site, stack, sample.points);
}

CallStack StackReader::unwind(const RawStack& raw) {
  while (!workers_.empty()) {
    auto deadline = Clock::now() + patience();
    if (stopped_) deadline = std::min(deadline, Clock::time_point(Clock::duration(end_.load())));
    // Without time left there is no answer; the child is not to blame.
    if (Clock::now() >= deadline) break;
    if (auto stack = workers_.front().unwind(raw, deadline)) return *stack;
    workers_.pop_front();
    // The same stack would do the same to the next one.
    break;
  }
  return {};
}

std::vector<StackFrame> StackReader::kernel_frames(const zc_stack_sample& sample) const {
  std::vector<StackFrame> frames;
  const unsigned count = std::min<unsigned>(sample.kernel_frames, ZC_STACK_KERNEL_FRAMES);
  for (unsigned i = 0; i < count; i++) {
    StackFrame frame;
    frame.module = "[kernel]";
    if (symbols_) frame.function = symbols_->name(sample.kernel[i]);
    // BPF programs are in no table.
    if (frames.empty() && (frame.function.empty() || is_of_tracing(frame.function))) continue;
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace zctrace
