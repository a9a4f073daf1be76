// SPDX-License-Identifier: MIT
// The clocks are software events (hrtimers), so that no performance counters are needed: virtual
// machines often have none.
#include "collector/observe/profile/sampler.h"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/skeleton.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// Samples wait at most this long, even on a machine that is too busy to poll each second.
constexpr std::uint64_t kLongestWait_s = 4;
constexpr std::uint64_t kRecordHeader = 8;  // BPF_RINGBUF_HDR_SZ
constexpr std::uint64_t kLeastBufferBytes = 1 << 18;
constexpr std::uint64_t kMostBufferBytes = 1 << 26;

int open_clock(int cpu, unsigned hz) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.freq = 1;
  attributes.sample_freq = hz;
  attributes.exclude_idle = 1;
  attributes.disabled = 1;
  return static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

Error clock_error(int error, unsigned hz) {
  if (error == EMFILE) return too_few_files("--profile");
  if (error == EACCES || error == EPERM)
    return Error(
        "--profile: the kernel refuses a clock on each CPU; use sudo, or give zctrace "
        "CAP_PERFMON",
        kExitCannotRun);
  if (error == EINVAL) {
    std::ifstream file("/proc/sys/kernel/perf_event_max_sample_rate");
    if (unsigned highest = 0; file >> highest && hz > highest)
      return Error("--profile=" + std::to_string(hz) + ": this kernel allows at most " +
                       std::to_string(highest) +
                       " samples a second (kernel.perf_event_max_sample_rate)",
                   kExitUsage);
  }
  return system_error("--profile: cannot open a clock (perf_event_open)", error, kExitCannotRun);
}

// Of every CPU that is online.
std::vector<Descriptor> open_clocks(unsigned hz) {
  std::vector<Descriptor> clocks;
  for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
    Descriptor clock(open_clock(cpu, hz));
    const int error = errno;
    if (!clock && error == ENODEV) continue;
    if (!clock) throw clock_error(error, hz);
    clocks.push_back(std::move(clock));
  }
  return clocks;
}

}  // namespace

std::uint32_t sample_buffer_bytes(unsigned hz) {
  const auto cpus = static_cast<std::uint64_t>(std::max(libbpf_num_possible_cpus(), 1));
  const std::uint64_t wanted = cpus * hz * kLongestWait_s * (sizeof(zc_sample) + kRecordHeader);
  return static_cast<std::uint32_t>(
      std::bit_ceil(std::clamp(wanted, kLeastBufferBytes, kMostBufferBytes)));
}

std::string why_no_profile() {
  try {
    open_clocks(kDefaultProfileHz);
    const KernelSymbols symbols;
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void Sampler::FreeRingBuffer::operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }

Sampler::Sampler(unsigned hz, int program, int samples) : clocks_(open_clocks(hz)) {
  const auto add = [](void* sampler, void* record, std::size_t size) noexcept -> int {
    auto* const self = static_cast<Sampler*>(sampler);
    zc_sample sample;
    if (size < sizeof(sample)) return 0;
    std::memcpy(&sample, record, sizeof(sample));
    // Its account may be newer than what the caller read last.
    if (!self->add(sample)) self->unowned_.push_back(sample);
    return 0;
  };
  buffer_.reset(ring_buffer__new(samples, add, this, nullptr));
  if (!buffer_) throw system_error("--profile: cannot map the samples", errno, kExitCannotRun);
  for (const Descriptor& clock : clocks_)
    if (::ioctl(clock.get(), PERF_EVENT_IOC_SET_BPF, program) != 0 ||
        ::ioctl(clock.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
      throw system_error("--profile: cannot attach to a clock", errno, kExitCannotRun);
}

void Sampler::read(ProfileLedger& into, const AccountOf& account_of) {
  into_ = &into;
  account_of_ = &account_of;
  for (const zc_sample& sample : std::exchange(unowned_, {}))
    if (!add(sample)) lost_++;
  ring_buffer__consume(buffer_.get());
  into_ = nullptr;
  account_of_ = nullptr;
}

bool Sampler::add(zc_sample sample) {
  if (sample.account == 0)
    sample.account = (*account_of_)(static_cast<pid_t>(sample.pid), static_cast<pid_t>(sample.tid));
  if (sample.account != 0) into_->add(sample, classify(sample));
  return sample.account != 0;
}

void Sampler::stop() {
  for (const Descriptor& clock : clocks_) ::ioctl(clock.get(), PERF_EVENT_IOC_DISABLE, 0);
}

CpuClass Sampler::classify(const zc_sample& sample) const {
  if (sample.frames == 0) return CpuClass::user;
  for (unsigned i = 0; i < std::min<unsigned>(sample.frames, ZC_FRAMES); i++)
    if (const auto found = classes_.find(symbols_.name(sample.ip[i]))) return *found;
  return CpuClass::other;
}

}  // namespace zctrace
