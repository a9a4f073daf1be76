// SPDX-License-Identifier: MIT
// Chooses only between rows that differ by more than the spread of their runs.
#include "cli/compare/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/text/units.h"

namespace zctrace {
namespace {

using Lines = std::vector<std::string>;

// The row that the leaders are measured against: the baseline, or the next one if the baseline is
// itself among the leaders. nullptr: no row is clearly worse.
const MethodResult* reference(const CompareResult& compared, const Leaders& leaders) {
  const MethodResult* baseline = compared.baseline_row();
  const bool usable = baseline != nullptr && time_means_something(compared, *baseline);
  return usable && !leaders.include(*baseline) ? baseline : leaders.next;
}

// Of rows that cannot be told apart by time, the first, unless another takes clearly less CPU time.
const MethodResult* least_cpu(const Rows& rows) {
  const MethodResult* best = rows.front();
  for (const MethodResult* row : rows)
    if (clearly_less(cpu_times(*row), cpu_times(*rows.front())) && cpu_ns(*row) < cpu_ns(*best))
      best = row;
  return best;
}

// The distances of both medians from the ends of their intervals, added up as those of independent
// figures are.
Interval speed_interval(const std::vector<double>& mine, const std::vector<double>& other) {
  const double time = median_of(mine);
  const double other_time = median_of(other);
  const Interval of_mine = median_interval(mine).value_or(Interval{time, time});
  const Interval of_other = median_interval(other).value_or(Interval{other_time, other_time});
  const double down =
      std::hypot(std::log(of_mine.high / time), std::log(other_time / of_other.low));
  const double up = std::hypot(std::log(time / of_mine.low), std::log(of_other.high / other_time));
  const double speed = other_time / time;
  return {speed * std::exp(-down), speed * std::exp(up)};
}

void measure(Choice& choice) {
  choice.speed = median_of(choice.against->wall_ns) / median_of(choice.take->wall_ns);
  choice.speed_interval = speed_interval(choice.take->wall_ns, choice.against->wall_ns);
  const double cpu = cpu_ns(*choice.against);
  // A kernel that only counts ticks may say 0.
  if (cpu > 0 && cpu_ns(*choice.take) > 0) choice.cpu = cpu_ns(*choice.take) / cpu;
}

std::size_t comparable_rows(const CompareResult& compared) {
  return static_cast<std::size_t>(
      std::count_if(compared.methods.begin(), compared.methods.end(),
                    [&](const auto& row) { return time_means_something(compared, row); }));
}

std::string with_baseline(const CompareResult& compared, const MethodResult& result) {
  return result.label == compared.baseline ? result.label + ", the baseline" : result.label;
}

std::string cpu_text(double share) {
  return share < 1 ? fmt::format("{:.2f} of", share) : times_text(share) + " times";
}

std::string choice_text(const CompareResult& compared, const Choice& choice) {
  const std::string take = with_baseline(compared, *choice.take);
  if (!choice.by_time)
    return fmt::format(
        "Take {}: no row is clearly faster, but it needs only {} the CPU time of {}.", take,
        cpu_text(*choice.cpu), choice.against->label);
  return fmt::format(
      "Take {}: {} times as fast as {}{}.", take,
      with_interval(choice.speed, choice.speed_interval), choice.against->label,
      choice.cpu ? fmt::format(", with {} the CPU time", cpu_text(*choice.cpu)) : "");
}

std::string alike_text(const Choice& choice) {
  return fmt::format("{} cannot be told apart from it by time.", listed(labels_of(choice.alike)));
}

void say_cheapest(const CompareResult& compared, const Choice& choice, Lines& lines) {
  const Leaders leaders = cheapest_rows(compared);
  if (!leaders.decided() || leaders.include(*choice.take)) return;
  const MethodResult& first = *leaders.rows.front();
  const MethodResult& other = *reference(compared, leaders);
  if (cpu_ns(first) <= 0 || cpu_ns(other) <= 0) return;
  lines.push_back(fmt::format("{} needs the least CPU time: {} that of {}.", first.label,
                              cpu_text(cpu_ns(first) / cpu_ns(other)), other.label));
}

}  // namespace

Choice choose(const CompareResult& compared) {
  Choice choice;
  const Leaders fastest = fastest_rows(compared);
  const Leaders cheapest = cheapest_rows(compared);
  if (fastest.decided()) {
    choice.take = least_cpu(fastest.rows);
    choice.against = reference(compared, fastest);
    choice.by_time = true;
    std::copy_if(fastest.rows.begin(), fastest.rows.end(), std::back_inserter(choice.alike),
                 [&](const MethodResult* row) { return row != choice.take; });
  } else if (cheapest.decided() && cpu_ns(*cheapest.rows.front()) > 0) {
    choice.take = cheapest.rows.front();
    choice.against = reference(compared, cheapest);
  }
  if (choice.take != nullptr) measure(choice);
  return choice;
}

Lines verdict(const CompareResult& compared) {
  const std::size_t rows = comparable_rows(compared);
  if (rows < 2) return {};
  if (compared.rounds_done < kLeastToRank)
    return {fmt::format(
        "{} of each row {} too few to tell which row is fastest{}.",
        plural(compared.rounds_done, "run", "runs"), compared.rounds_done == 1 ? "is" : "are",
        compared.interrupted_by != 0 ? "" : fmt::format("; use --runs {} or more", kLeastToRank))};
  const Choice choice = choose(compared);
  if (choice.take == nullptr)
    return {
        fmt::format("The {} rows cannot be told apart: neither time nor CPU time differs by more "
                    "than the spread. --precision asks for more runs.",
                    rows)};
  Lines lines{choice_text(compared, choice)};
  if (!choice.alike.empty()) lines.push_back(alike_text(choice));
  say_cheapest(compared, choice, lines);
  return lines;
}

}  // namespace zctrace
