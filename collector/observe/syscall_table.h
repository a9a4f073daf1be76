// SPDX-License-Identifier: MIT
// What each syscall and io_uring operation is: its name, its row, where its bytes come from and
// where they go. The BPF programs get this as read-only data and contain no syscall numbers, so one
// object serves every architecture.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "collector/model/report.h"
#include "collector/os/error.h"

namespace zctrace {

// What a row's number stands for.
struct RowMeaning {
  std::string name;
  Copy copy = Copy::none;
  bool asynchronous = false;
  bool shown = true;     // selected by -e; the others are counted, too
  bool claimed = false;  // its bytes are read from memory that the process can write
};

// A name in -e that this architecture does not have.
class UnknownSyscall : public Error {
 public:
  explicit UnknownSyscall(std::string name)
      : Error("-e: unknown syscall '" + name + "'; give names, or %copy, %zerocopy, %io, %all",
              kExitUsage),
        name_(std::move(name)) {}

  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

// The names that `selection` stands for, as SyscallTable takes it; sorted. Throws Error (usage).
std::vector<std::string> syscall_names(std::string_view selection);

class SyscallTable {
 public:
  // `selection` is what -e takes: names and the groups %copy, %zerocopy, %io and %all, with
  // commas. Each data call has its own row even if it is not selected, so that every byte is
  // counted. Unless selected, calls that wait count in the row "wait" and all others in the row
  // "other". Throws Error (usage) for a name that this architecture does not have.
  explicit SyscallTable(std::string_view selection = "%io");

  const std::array<zc_call, ZC_MAX_SYSCALLS>& calls() const { return calls_; }
  const std::array<zc_call, ZC_MAX_URING_OPS>& uring_ops() const { return uring_ops_; }
  // Indexed by the row numbers in the two tables above.
  const std::vector<RowMeaning>& rows() const { return rows_; }
  // For a kernel that does not tell the lengths of the messages of sendmmsg and recvmmsg.
  void claim_message_lengths();

  std::uint16_t ficlone_row() const { return ficlone_row_; }
  std::uint16_t ficlonerange_row() const { return ficlonerange_row_; }
  std::uint16_t aio_read_row() const { return aio_read_row_; }
  std::uint16_t aio_write_row() const { return aio_write_row_; }
  // More rows than a task holds by default: one for every syscall.
  bool wide() const { return wide_; }

  static constexpr std::uint16_t kOtherRow = 0;
  // The rows of a process that found no space, added up.
  static constexpr std::uint16_t kFoldedRow = 1;

 private:
  std::uint16_t add_row(std::string name, Copy copy, bool asynchronous, bool shown);

  std::array<zc_call, ZC_MAX_SYSCALLS> calls_{};
  std::array<zc_call, ZC_MAX_URING_OPS> uring_ops_{};
  std::vector<RowMeaning> rows_;
  std::uint16_t ficlone_row_ = kOtherRow;
  std::uint16_t ficlonerange_row_ = kOtherRow;
  std::uint16_t aio_read_row_ = kOtherRow;
  std::uint16_t aio_write_row_ = kOtherRow;
  bool wide_ = false;
};

}  // namespace zctrace
