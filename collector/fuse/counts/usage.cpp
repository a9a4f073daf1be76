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

}  // namespace

Usage usage_of(const ByOperation<OperationCounts>& operations) { return sum_usage(operations); }
Usage usage_of(const ByOperation<TimedCounts>& operations) { return sum_usage(operations); }

Usage& Usage::operator+=(const Usage& other) {
  for (const UsageField& field : kUsageFields) this->*field.member += other.*field.member;
  return *this;
}

Usage& Usage::operator-=(const Usage& earlier) {
  for (const UsageField& field : kUsageFields) this->*field.member -= earlier.*field.member;
  return *this;
}

}  // namespace zctrace::fuse
