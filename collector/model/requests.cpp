// SPDX-License-Identifier: MIT
// The operations' names, in the order of the enumeration, and sums.
#include "collector/model/requests.h"

#include <algorithm>
#include <array>

namespace zctrace {

std::string_view operation_name(Operation operation) {
  static constexpr std::array<std::string_view, kOperations> kNames = {
      "read",    "mmap",        "read_or_mmap", "write",    "writeback", "copy_file_range",
      "open",    "create",      "flush",        "release",  "fsync",     "fallocate",
      "lseek",   "lookup",      "forget",       "mknod",    "mkdir",     "unlink",
      "rmdir",   "symlink",     "link",         "rename",   "readlink",  "opendir",
      "readdir", "readdirplus", "releasedir",   "fsyncdir", "getattr",   "setattr",
      "access",  "statfs",      "getxattr",     "setxattr", "listxattr", "removexattr",
      "getlk",   "setlk",       "flock",
  };
  static_assert(!kNames.back().empty(), "an operation has no name");
  return kNames[static_cast<std::size_t>(operation)];
}

OperationCounts& OperationCounts::operator+=(const OperationCounts& other) {
  for (const OperationField& field : kOperationFields) {
    std::uint64_t& figure = this->*field.member;
    figure = field.largest ? std::max(figure, other.*field.member) : figure + other.*field.member;
  }
  return *this;
}

OperationCounts& OperationCounts::operator-=(const OperationCounts& other) {
  for (const OperationField& field : kOperationFields)
    if (!field.largest) this->*field.member -= other.*field.member;
  return *this;
}

void add_requests(ProcessRequests& sum, const ProcessRequests& more) {
  for (const auto& [operation, counts] : more) {
    sum[operation] += counts;
    sum[operation].latency += counts.latency;
  }
}

}  // namespace zctrace
