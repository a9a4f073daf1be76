// SPDX-License-Identifier: MIT
// FUSE requests: their kinds, as the report names them, and what is counted of each kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>

#include "collector/model/histogram.h"

namespace zctrace {

enum class Operation : std::uint8_t {
  // Bytes.
  read,          // a read call caused it
  mmap,          // a page-in of a mapping: no call requested these bytes
  read_or_mmap,  // could be either of the two
  write,
  writeback,  // dirty pages of a mapping, which the kernel writes on its own
  copy_file_range,
  // Files.
  open,
  create,
  flush,
  release,
  fsync,
  fallocate,
  lseek,
  // Names.
  lookup,
  forget,
  mknod,
  mkdir,
  unlink,
  rmdir,
  symlink,
  link,
  rename,
  readlink,
  // Directories.
  opendir,
  readdir,
  readdirplus,
  releasedir,
  fsyncdir,
  // Attributes.
  getattr,
  setattr,
  access,
  statfs,
  getxattr,
  setxattr,
  listxattr,
  removexattr,
  // Locks.
  getlk,
  setlk,
  flock,
};

inline constexpr std::size_t kOperations = static_cast<std::size_t>(Operation::flock) + 1;

// "read", "copy_file_range" …
std::string_view operation_name(Operation operation);

// Whether the bytes of a request go from the file system to the requester, or from the requester to
// the file system.
constexpr bool is_read(Operation operation) {
  return operation == Operation::read || operation == Operation::mmap ||
         operation == Operation::read_or_mmap;
}
constexpr bool is_write(Operation operation) {
  return operation == Operation::write || operation == Operation::writeback;
}

struct OperationCounts {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;
  std::uint64_t spliced_bytes = 0;  // the part of `bytes` that the daemon spliced
  std::uint64_t copied_bytes = 0;   // the part that it copied through its own memory
  std::uint64_t wall_ns = 0;        // from receiving the request to having replied
  std::uint64_t max_ns = 0;

  OperationCounts& operator+=(const OperationCounts& other);
  OperationCounts& operator-=(const OperationCounts& other);  // max_ns stays
};

// The catalogue of these figures, like collector/model/fields.h for rows: sums, differences, CSV
// and JSON loop over it; a test compares the schema and docs/counting-fuse.md with it.
struct OperationField {
  std::string_view name;  // in CSV, and in JSON but for the times, which are under "latency_ns"
  std::uint64_t OperationCounts::*member;
  bool largest = false;  // a high-water mark: it does not add up, and an interval shows it as it is
  bool time = false;
};

inline constexpr OperationField kOperationFields[] = {
    {"count", &OperationCounts::calls},
    {"errors", &OperationCounts::errors},
    {"bytes", &OperationCounts::bytes},
    {"spliced_bytes", &OperationCounts::spliced_bytes},
    {"copied_bytes", &OperationCounts::copied_bytes},
    {"wall_ns", &OperationCounts::wall_ns, false, true},
    {"max_ns", &OperationCounts::max_ns, true, true},
};

// A member without an entry would be neither added nor shown.
static_assert(sizeof(OperationCounts) == std::size(kOperationFields) * sizeof(std::uint64_t));

struct TimedCounts : OperationCounts {
  Histogram latency;
};

template <typename Counts>
using ByOperation = std::map<Operation, Counts>;

// What a process has requested.
using ProcessRequests = ByOperation<TimedCounts>;
// Adds the requests of one process to those of others.
void add_requests(ProcessRequests& sum, const ProcessRequests& more);

}  // namespace zctrace
