// SPDX-License-Identifier: MIT
// What a program sees of source and sink: descriptors, and the values of its placeholders.
#pragma once

#include <memory>
#include <optional>

#include "collector/os/descriptor.h"
#include "transfers/drain.h"
#include "transfers/external/program_run.h"

namespace zctrace::transfers {

// Owns the ends of one run. Open one, fork the program, call close_own_ends().
class ProgramEnds {
 public:
  // Starts the drain, if the sink has one. Throws Error.
  ProgramEnds(const Program& program, const ProgramJob& job, const TransferOptions& options,
              int directory);
  ~ProgramEnds();

  const PlaceholderValues& values() const { return values_; }
  // In the forked program: makes the descriptors its own. Makes only system calls. Returns an
  // errno.
  int enter(int error_output) const noexcept;
  void close_own_ends();

  // After the program's end: sets what arrived, how that compares with the source, and when.
  void take_result(std::uint64_t exec_ns, const TransferOptions& options, TransferResult& outcome);

 private:
  void open_sink(const Program& program, const TransferOptions& options);
  void start_drain(const Descriptor& in, bool accept, const TransferOptions& options);

  const ProgramJob& job_;
  int directory_;
  std::string socket_path_;  // to be removed
  Descriptor in_;
  Descriptor out_;          // for the standard output, or to be written through {sink}
  bool is_output_ = false;  // `out_` is the standard output
  std::unique_ptr<Drain> drain_;
  PlaceholderValues values_;
};

}  // namespace zctrace::transfers
