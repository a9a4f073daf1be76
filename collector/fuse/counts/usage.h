// SPDX-License-Identifier: MIT
// Totals over the operations of a file, of a process, or of a whole mount.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>

#include "collector/model/requests.h"

namespace zctrace::fuse {

// The totals of a file, of a process, or of all processes.
struct Usage {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes_read = 0;     // read, mmap, read_or_mmap
  std::uint64_t bytes_written = 0;  // write, writeback, copy_file_range
  std::uint64_t spliced_bytes = 0;  // the part that went through pipes of the daemon
  std::uint64_t copied_bytes = 0;   // the part that was copied through memory of the daemon

  Usage& operator+=(const Usage& other);
  Usage& operator-=(const Usage& earlier);
};

// The catalogue of these figures, by their names in JSON.
struct UsageField {
  std::string_view name;
  std::uint64_t Usage::*member;
  bool bytes = true;
};

inline constexpr UsageField kUsageFields[] = {
    {"requests", &Usage::requests, false},    {"errors", &Usage::errors, false},
    {"bytes_read", &Usage::bytes_read},       {"bytes_written", &Usage::bytes_written},
    {"spliced_bytes", &Usage::spliced_bytes}, {"copied_bytes", &Usage::copied_bytes},
};

// A member without an entry would be neither added nor shown.
static_assert(sizeof(Usage) == std::size(kUsageFields) * sizeof(std::uint64_t));

Usage usage_of(const ByOperation<OperationCounts>& operations);
Usage usage_of(const ByOperation<TimedCounts>& operations);

}  // namespace zctrace::fuse
