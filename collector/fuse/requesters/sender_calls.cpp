// SPDX-License-Identifier: MIT
// The program writes its notes into memory that is mapped here.
#include "collector/fuse/requesters/sender_calls.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/capability.h>
#include <sys/sysmacros.h>

#include "bpf/fuse/sender_records.h"
#include "collector/os/capabilities.h"
#include "collector/os/descriptor.h"
#include "senders.skel.h"

namespace zctrace::fuse {
namespace {

// Of the kernel's dev_t.
constexpr unsigned kMinorBits = 20;

}  // namespace

void SenderCalls::UnloadSenders::operator()(senders_bpf* bpf) const { senders_bpf__destroy(bpf); }

std::shared_ptr<SenderCalls> SenderCalls::load() {
  // A try would read all of the kernel's type information first.
  if (!has_capability(CAP_BPF) || !has_capability(CAP_PERFMON)) return nullptr;
  // Loads the kernel's module, which has the tracepoint.
  const Descriptor opened(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  auto calls = std::make_shared<SenderCalls>();
  // If the kernel refuses, that is not an error: the daemon has another way.
  const libbpf_print_fn_t printer = libbpf_set_print(nullptr);
  calls->bpf_.reset(senders_bpf__open());
  const bool works = calls->bpf_ && senders_bpf__load(calls->bpf_.get()) == 0 &&
                     senders_bpf__attach(calls->bpf_.get()) == 0;
  libbpf_set_print(printer);
  return works ? calls : nullptr;
}

void SenderCalls::watch(dev_t device) noexcept {
  const std::uint32_t number = major(device) << kMinorBits | minor(device);
  __atomic_store_n(&bpf_->bss->device, number, __ATOMIC_RELEASE);
}

std::optional<int> SenderCalls::take(pid_t thread, std::uint64_t handle,
                                     std::uint64_t offset) noexcept {
  const std::uint64_t key = zc_sender_key(static_cast<std::uint32_t>(thread), handle, offset);
  __u64& slot = bpf_->bss->notes[zc_sender_slot(key)];
  __u64 note = __atomic_load_n(&slot, __ATOMIC_ACQUIRE);
  const auto call = static_cast<std::int16_t>(note);
  if (note == 0 || note != zc_sender_note(key, call)) return std::nullopt;
  __atomic_compare_exchange_n(&slot, &note, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  if (call == ZC_SENDER_UNKNOWN) return std::nullopt;
  return call;
}

}  // namespace zctrace::fuse
