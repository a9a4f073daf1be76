// SPDX-License-Identifier: MIT
// From what was counted in slices of time to estimates of all that happened. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

#include "collector/model/duty/slice_sum.h"
#include "collector/model/report.h"

namespace zctrace {

// Owns the estimates of every process that was counted and not forgotten. No estimate decreases,
// except of bytes that looked delivered. What the kernel itself counts of a process (CPU time,
// faults, memory, threads) is exact and stays as it is. One thread.
class DutyEstimator {
 public:
  // `share`: of the time, 0 to 1. Beyond `max_ended`, processes that have ended are added up.
  explicit DutyEstimator(double share,
                         std::size_t max_ended = std::numeric_limits<std::size_t>::max())
      : share_(share), max_ended_(max_ended) {}

  // At the end of a slice of `slice_ns` that began `gap_ns` after the end of the one before:
  // `counted` since the observation began. A process that is missing has ended, and is complete
  // in an earlier one. Requires slice_ns != 0.
  void add(const std::vector<Process>& counted, std::uint64_t gap_ns, std::uint64_t slice_ns);
  // What is exact of processes, and processes that began since the latest slice. Their rows are
  // those of slices.
  void update(const std::vector<Process>& now);
  // The time that no slice follows. Call it once, at the end.
  void add_tail(std::uint64_t ns);

  std::vector<Process> processes() const;  // sorted by start time
  const Totals& others() const { return others_; }
  Duty duty() const;
  // The time that the estimates are of.
  std::uint64_t covered_ns() const { return covered_ns_; }
  // Drops processes that have ended and of which the next slice adds nothing.
  void forget_ended();

 private:
  using RowId = std::tuple<std::string, Kind, Kind, Protocol>;

  struct RowEstimate {
    Row counted;
    std::array<SliceSum, std::size(kRowFields)> figures;
    std::map<unsigned, SliceSum> errors_by;
    std::uint64_t slices = 0;
  };
  struct DutySums {
    SliceSum syscalls, delivered, cpu_copied;
    std::uint64_t slices = 0;

    void add(const Slice& slice, double calls, double delivered_bytes, double copied_bytes);
    void add_tail(double ns);
    SlicedSum variance() const;
  };
  struct ProcessEstimate {
    Process counted;  // without rows
    std::map<RowId, RowEstimate> rows;
    std::array<SliceSum, std::size(kOutsideFields)> outside;
    std::array<SliceSum, 3> pipes;
    DutySums sums;
    bool missing = true;  // from the latest slice

    bool is_still() const;
  };
  // What the latest slice had of a process, for the sums of all.
  struct InSlice {
    double calls = 0;
    double delivered = 0;
    double cpu_copied = 0;
  };

  static InSlice add(ProcessEstimate& estimate, const Process& now, const Slice& slice);
  static void add_rows(ProcessEstimate& estimate, const std::vector<Row>& rows, const Slice& slice);
  static Process estimated(const ProcessEstimate& estimate);
  void fold_ended();

  double share_;
  std::size_t max_ended_;
  std::map<std::uint64_t, ProcessEstimate> processes_;  // by account
  Totals others_;
  DutySums sums_;
  std::uint64_t slices_ = 0;
  std::uint64_t observed_ns_ = 0;
  std::uint64_t covered_ns_ = 0;
  double before_ns_ = 0;
};

}  // namespace zctrace
