// SPDX-License-Identifier: MIT
// The table of methods. Each is defined in the file of its name. They are constants in
// static storage, so they do not depend on the order of initialization.
#include <algorithm>
#include <array>

#include "transfers/method.h"
#include "transfers/methods/io_loop.h"

namespace zctrace::transfers {

extern const Method kReadWrite, kPreadPwrite, kReadvWritev, kMmapWrite, kMmapSend, kMmapMemcpy,
    kSendfile, kSplice, kVmsplice, kTee, kCopyFileRange, kReflink, kMsgZerocopy, kIoUringReadWrite,
    kIoUringSplice, kIoUringSendZc, kDirectReadWrite, kAsyncHop;

namespace {

constexpr std::array kMethods = {
    &kReadWrite,     &kPreadPwrite,     &kReadvWritev, &kMmapWrite,        &kMmapSend,
    &kMmapMemcpy,    &kSendfile,        &kSplice,      &kVmsplice,         &kTee,
    &kCopyFileRange, &kReflink,         &kMsgZerocopy, &kIoUringReadWrite, &kIoUringSplice,
    &kIoUringSendZc, &kDirectReadWrite, &kAsyncHop,
};

}  // namespace

std::span<const Method* const> all_methods() { return kMethods; }

const Method* find_method(std::string_view name) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const Method* method) { return method->name == name; });
  return found == kMethods.end() ? nullptr : *found;
}

std::uint64_t resolve_buffer_bytes(const Method& method, BufferSize asked, std::uint64_t length) {
  const Needs& needs = method.needs;
  if (needs.fixed_buffer_bytes != 0) return needs.fixed_buffer_bytes;
  const bool whole = !asked.bytes || !needs.takes_buffer_size;
  const std::uint64_t bytes = std::max<std::uint64_t>(whole ? length : *asked.bytes, 1);
  return whole ? divide_up(bytes, needs.buffer_alignment) * needs.buffer_alignment : bytes;
}

}  // namespace zctrace::transfers
