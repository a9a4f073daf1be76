// SPDX-License-Identifier: MIT
// Sums by the direction of an operation's bytes.
#include "collector/fuse/counts/usage.h"

namespace zctrace::fuse {
namespace {

template <typename Counts>
Usage sum_usage(const ByOperation<Counts>& operations) {
  Usage usage;
  for (const auto& [operation, counts] : operations) {
    usage.requests += counts.calls;
    usage.errors += counts.errors;
    usage.spliced_bytes += counts.spliced_bytes;
    usage.copied_bytes += counts.copied_bytes;
    if (is_read(operation)) usage.bytes_read += counts.bytes;
    if (is_write(operation) || operation == Operation::copy_file_range)
      usage.bytes_written += counts.bytes;
  }
  return usage;
}

constexpr std::uint64_t Usage::*kUsageFields[] = {
    &Usage::requests,      &Usage::errors,        &Usage::bytes_read,
    &Usage::bytes_written, &Usage::spliced_bytes, &Usage::copied_bytes,
};

}  // namespace

Usage usage_of(const ByOperation<OperationCounts>& operations) { return sum_usage(operations); }
Usage usage_of(const ByOperation<TimedCounts>& operations) { return sum_usage(operations); }

Usage& Usage::operator+=(const Usage& other) {
  for (const auto field : kUsageFields) this->*field += other.*field;
  return *this;
}

Usage& Usage::operator-=(const Usage& earlier) {
  for (const auto field : kUsageFields) this->*field -= earlier.*field;
  return *this;
}

}  // namespace zctrace::fuse
