// SPDX-License-Identifier: MIT
// Samples what the CPUs do for observed tasks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "collector/observe/profile/kernel_symbols.h"
#include "collector/observe/profile/profile_ledger.h"
#include "collector/observe/profile/symbol_classes.h"
#include "collector/os/descriptor.h"

struct ring_buffer;

namespace zctrace {

constexpr unsigned kDefaultProfileHz = 997;  // a prime, so that it follows no periodic work
constexpr unsigned kHighestProfileHz = 10000;

// How many bytes of samples the kernel side must be able to hold until they are read.
std::uint32_t sample_buffer_bytes(unsigned hz);

// Why this machine cannot take samples, with what to do about it; "" if it can. Opens a clock and
// reads /proc/kallsyms.
std::string why_no_profile();

// Owns a clock for each CPU that runs now, and a copy of the kernel's symbols. One thread at a
// time. It needs no capability once it is constructed.
class Sampler {
 public:
  // `program` is zc_sample, `samples` its map. Throws Error: usage if the kernel does not allow so
  // many samples, cannot-run if it allows none, or hides its symbols.
  Sampler(unsigned hz, int program, int samples);
  Sampler(const Sampler&) = delete;  // the buffer refers to it
  Sampler& operator=(const Sampler&) = delete;

  // The account of a process, or of a thread if threads have accounts of their own; 0: unknown.
  using AccountOf = std::function<std::uint64_t(pid_t pid, pid_t tid)>;

  // Adds the samples since the last time. Of a task that had ended before, it adds every sample.
  void read(ProfileLedger& into, const AccountOf& account_of);
  // Samples that belong to no known account.
  std::uint64_t lost() const { return lost_; }
  void stop();  // takes no more samples

 private:
  struct FreeRingBuffer {
    void operator()(ring_buffer* buffer) const;
  };

  bool add(zc_sample sample);  // false: to no known account
  CpuClass classify(const zc_sample& sample) const;

  KernelSymbols symbols_;
  SymbolClasses classes_;
  std::vector<Descriptor> clocks_;
  std::unique_ptr<ring_buffer, FreeRingBuffer> buffer_;
  ProfileLedger* into_ = nullptr;  // during read()
  const AccountOf* account_of_ = nullptr;
  std::vector<zc_sample> unowned_;  // tried once more by the next read()
  std::uint64_t lost_ = 0;
};

}  // namespace zctrace
