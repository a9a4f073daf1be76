// SPDX-License-Identifier: MIT
// Each count has a sum of its own; what is derived from counts is derived from their estimates.
#include "collector/model/duty/duty_estimator.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace zctrace {
namespace {

constexpr std::array kPipeSums = {&Process::delivered_to_pipes,
                                  &Process::delivered_to_pipes_in_kernel,
                                  &Process::spliced_from_user};

std::uint64_t whole(const SliceSum& sum) {
  return static_cast<std::uint64_t>(std::llround(std::max(0.0, sum.sum())));
}

double grown(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(now - std::min(now, before));
}

// What moves as a whole: the bytes of a call.
double unit_of(double amount, double calls) { return calls > 0 ? amount / calls : amount; }

}  // namespace

void DutyEstimator::DutySums::add(const Slice& slice, double calls, double delivered_bytes,
                                  double copied_bytes) {
  syscalls.add(slice, calls, 1);
  delivered.add(slice, delivered_bytes, unit_of(delivered_bytes, calls));
  cpu_copied.add(slice, copied_bytes, unit_of(copied_bytes, calls));
  slices += calls > 0;
}

void DutyEstimator::DutySums::add_tail(double ns) {
  for (SliceSum* sum : {&syscalls, &delivered, &cpu_copied}) sum->add_tail(ns);
}

SlicedSum DutyEstimator::DutySums::variance() const {
  return {syscalls.variance(), delivered.variance(), cpu_copied.variance(), slices};
}

bool DutyEstimator::ProcessEstimate::is_still() const {
  const auto still = [](const SliceSum& sum) { return sum.is_still(); };
  return std::all_of(outside.begin(), outside.end(), still) &&
         std::all_of(pipes.begin(), pipes.end(), still) &&
         std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
           return std::all_of(row.second.figures.begin(), row.second.figures.end(), still);
         });
}

void DutyEstimator::add_rows(ProcessEstimate& estimate, const std::vector<Row>& rows,
                             const Slice& slice) {
  std::map<RowId, const Row*> now;
  for (const Row& row : rows) {
    const RowId id{row.syscall, row.from, row.to, row.protocol};
    now.emplace(id, &row);
    RowEstimate& known = estimate.rows[id];
    if (known.counted.syscall.empty()) {
      // Nothing of it was counted before.
      known.counted = row;
      static_cast<RowFigures&>(known.counted) = {};
      known.counted.errors_by.clear();
    }
  }
  for (auto& [id, known] : estimate.rows) {
    const auto found = now.find(id);
    const Row& row = found == now.end() ? known.counted : *found->second;
    const double calls = grown(row.calls, known.counted.calls);
    for (std::size_t i = 0; i < std::size(kRowFields); i++) {
      const auto& field = kRowFields[i];
      const double count = grown(row.*field.member, known.counted.*field.member);
      known.figures[i].add(slice, count, field.unit == Unit::count ? 1 : unit_of(count, calls));
    }
    for (const auto& [number, count] : row.errors_by) known.errors_by[number];
    for (auto& [number, sum] : known.errors_by) {
      const auto count = [number = number](const Row& of) {
        const auto error = of.errors_by.find(number);
        return error == of.errors_by.end() ? 0 : error->second;
      };
      sum.add(slice, grown(count(row), count(known.counted)), 1);
    }
    known.slices += calls > 0;
    if (found != now.end()) known.counted = row;
  }
}

DutyEstimator::InSlice DutyEstimator::add(ProcessEstimate& estimate, const Process& now,
                                          const Slice& slice) {
  const Process& before = estimate.counted;
  Process rows_before;  // that the sums need
  for (const auto& [id, row] : estimate.rows) rows_before.rows.push_back(row.counted);
  for (const auto sum : kPipeSums) rows_before.*sum = before.*sum;
  const auto since = [&](std::uint64_t (Process::*figure)() const) {
    return grown((now.*figure)(), (rows_before.*figure)());
  };
  const InSlice in{since(&Process::syscalls), since(&Process::delivered_bytes),
                   since(&Process::cpu_copied_bytes)};
  estimate.sums.add(slice, in.calls, in.delivered, in.cpu_copied);
  for (std::size_t i = 0; i < std::size(kOutsideFields); i++) {
    const auto member = kOutsideFields[i].member;
    const double count = grown(now.outside_syscalls.*member, before.outside_syscalls.*member);
    estimate.outside[i].add(slice, count, 1);
  }
  for (std::size_t i = 0; i < kPipeSums.size(); i++)
    estimate.pipes[i].add(
        slice, static_cast<double>(now.*kPipeSums[i]) - static_cast<double>(before.*kPipeSums[i]),
        1);
  add_rows(estimate, now.rows, slice);
  return in;
}

void DutyEstimator::add(const std::vector<Process>& counted, std::uint64_t gap_ns,
                        std::uint64_t slice_ns) {
  const Slice slice{static_cast<double>(gap_ns), static_cast<double>(slice_ns), before_ns_};
  InSlice all;
  for (auto& [account, estimate] : processes_) estimate.missing = true;
  const auto add_one = [&](ProcessEstimate& estimate, const Process& now) {
    const InSlice in = add(estimate, now, slice);
    all.calls += in.calls;
    all.delivered += in.delivered;
    all.cpu_copied += in.cpu_copied;
  };
  for (const Process& process : counted) {
    ProcessEstimate& estimate = processes_[process.account];
    add_one(estimate, process);
    estimate.counted = process;
    estimate.counted.rows.clear();
    estimate.missing = false;
  }
  for (auto& [account, estimate] : processes_) {
    if (!estimate.missing || estimate.is_still()) continue;
    Process same = estimate.counted;
    for (const auto& [id, row] : estimate.rows) same.rows.push_back(row.counted);
    add_one(estimate, same);
  }
  sums_.add(slice, all.calls, all.delivered, all.cpu_copied);
  slices_++;
  observed_ns_ += slice_ns;
  covered_ns_ += gap_ns + slice_ns;
  before_ns_ = slice.ns;
  fold_ended();
}

void DutyEstimator::update(const std::vector<Process>& now) {
  for (const Process& process : now) {
    Process& counted = processes_[process.account].counted;
    const Process before = std::exchange(counted, process);
    counted.rows.clear();
    counted.outside_syscalls = before.outside_syscalls;
    for (const auto sum : kPipeSums) counted.*sum = before.*sum;
  }
}

void DutyEstimator::add_tail(std::uint64_t ns) {
  const auto span = static_cast<double>(ns);
  for (auto& [account, estimate] : processes_) {
    // What has ended does nothing more; what ended in the tail is not known.
    if (estimate.counted.end_ns) continue;
    for (auto& [id, row] : estimate.rows) {
      for (SliceSum& sum : row.figures) sum.add_tail(span);
      for (auto& [number, sum] : row.errors_by) sum.add_tail(span);
    }
    for (SliceSum& sum : estimate.outside) sum.add_tail(span);
    for (SliceSum& sum : estimate.pipes) sum.add_tail(span);
    estimate.sums.add_tail(span);
  }
  sums_.add_tail(span);
  covered_ns_ += ns;
}

Process DutyEstimator::estimated(const ProcessEstimate& estimate) {
  Process process = estimate.counted;
  for (const auto& [id, known] : estimate.rows) {
    Row& row = process.rows.emplace_back(known.counted);
    for (std::size_t i = 0; i < std::size(kRowFields); i++) {
      row.*kRowFields[i].member = whole(known.figures[i]);
      if (kRowFields[i].member == &RowFigures::calls)
        row.sliced.calls_variance = known.figures[i].variance();
      if (kRowFields[i].member == &RowFigures::bytes)
        row.sliced.bytes_variance = known.figures[i].variance();
    }
    row.sliced.slices = known.slices;
    row.errors_by.clear();
    for (const auto& [number, sum] : known.errors_by)
      if (const std::uint64_t count = whole(sum); count != 0) row.errors_by[number] = count;
  }
  for (std::size_t i = 0; i < std::size(kOutsideFields); i++)
    process.outside_syscalls.*kOutsideFields[i].member = whole(estimate.outside[i]);
  for (std::size_t i = 0; i < kPipeSums.size(); i++)
    process.*kPipeSums[i] = std::llround(estimate.pipes[i].sum());
  process.sliced = estimate.sums.variance();
  return process;
}

std::vector<Process> DutyEstimator::processes() const {
  std::vector<Process> processes;
  processes.reserve(processes_.size());
  for (const auto& [account, estimate] : processes_) processes.push_back(estimated(estimate));
  std::stable_sort(processes.begin(), processes.end(),
                   [](const Process& a, const Process& b) { return a.start_ns < b.start_ns; });
  return processes;
}

Duty DutyEstimator::duty() const { return {share_, observed_ns_, slices_, sums_.variance()}; }

void DutyEstimator::forget_ended() {
  std::erase_if(processes_, [](const auto& entry) {
    return entry.second.counted.end_ns && entry.second.missing && entry.second.is_still();
  });
}

// Those that moved the least, a quarter more than necessary, so that not every slice has to.
void DutyEstimator::fold_ended() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ended;  // bytes, account
  for (const auto& [account, estimate] : processes_)
    if (estimate.counted.end_ns && estimate.missing && estimate.is_still()) {
      const Process process = estimated(estimate);
      ended.emplace_back(process.copied_bytes() + process.in_kernel_bytes(), account);
    }
  if (ended.size() <= max_ended_) return;
  std::sort(ended.begin(), ended.end());
  ended.resize(ended.size() - max_ended_ + max_ended_ / 4);
  for (const auto& [bytes, account] : ended) {
    others_.add(estimated(processes_.at(account)));
    processes_.erase(account);
  }
}

}  // namespace zctrace
