// SPDX-License-Identifier: MIT
// Chooses only between rows that differ by more than the spread of their runs.
#include "cli/compare/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

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
const MethodResult* least_cpu(const Rows& rows, const MethodResult* first) {
  const MethodResult* best = first;
  for (const MethodResult* row : rows)
    if (clearly_less(cpu_times(*row), cpu_times(*first)) && cpu_ns(*row) < cpu_ns(*best))
      best = row;
  return best;
}

Rows all_but(const Rows& rows, const MethodResult* row) {
  Rows others;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(others),
               [row](const MethodResult* other) { return other != row; });
  return others;
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

Rows comparable_rows(const CompareResult& compared) {
  Rows rows;
  for (const MethodResult& row : compared.methods)
    if (time_means_something(compared, row)) rows.push_back(&row);
  return rows;
}

// Sets what to take of rows that cannot be told apart by time: one that takes clearly less CPU time
// than the baseline, or the baseline if all others take clearly more.
void choose_by_cpu(const CompareResult& compared, const Rows& rows, Choice& choice) {
  const MethodResult* const baseline = compared.baseline_row();
  const MethodResult* const cheapest = least_cpu(rows, baseline);
  const Leaders leaders = cheapest_rows(compared);
  const bool baseline_alone = leaders.decided() && leaders.rows == Rows{baseline};
  if ((cheapest == baseline && !baseline_alone) || cpu_ns(*cheapest) <= 0) return;
  choice.take = cheapest;
  choice.against = baseline_alone ? leaders.next : baseline;
}

std::string with_baseline(const CompareResult& compared, const MethodResult& result) {
  return result.label == compared.baseline ? result.label + ", the baseline" : result.label;
}

std::string cpu_text(double share) {
  if (share < 0.01) return "a hundredth of";
  return share < 1 ? fmt::format("{:.2f} of", share) : times_text(share) + " times";
}

std::string choice_text(const CompareResult& compared, const Choice& choice) {
  const std::string take = with_baseline(compared, *choice.take);
  if (!choice.by_time)
    return fmt::format(
        "Take {}: no row is clearly faster, and it needs only {} the CPU time of {}.", take,
        cpu_text(*choice.cpu), choice.against->label);
  return fmt::format(
      "Take {}: {} times as fast as {}{}.", take,
      with_interval(choice.speed, choice.speed_interval), choice.against->label,
      choice.cpu ? fmt::format(", with {} the CPU time", cpu_text(*choice.cpu)) : "");
}

// Where no row is clearly better than the baseline.
std::string undecided_text(const CompareResult& compared, const Rows& rows) {
  const Leaders fastest = fastest_rows(compared);
  if (!fastest.decided() && !cheapest_rows(compared).decided())
    return fmt::format(
        "The {} rows cannot be told apart: neither time nor CPU time differs by more "
        "than the spread. --precision asks for more runs.",
        rows.size());
  const std::string no_cheaper = fmt::format(
      "none of them needs clearly less CPU time than {}, the baseline", compared.baseline);
  if (!fastest.decided())
    return fmt::format(
        "The {} rows cannot be told apart by time, and {}. --precision asks for "
        "more runs.",
        rows.size(), no_cheaper);
  Rows behind;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(behind),
               [&](const MethodResult* row) { return !fastest.include(*row); });
  return fmt::format(
      "{} of the {} rows cannot be told apart by time, and {}. Only {} {} clearly "
      "slower.",
      fastest.rows.size(), rows.size(), no_cheaper, listed(labels_of(behind)),
      behind.size() == 1 ? "is" : "are");
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
  const MethodResult* const baseline = compared.baseline_row();
  const bool usable = baseline != nullptr && time_means_something(compared, *baseline);
  const bool baseline_leads = usable && fastest.include(*baseline);
  if (fastest.decided() && (!baseline_leads || fastest.rows.size() == 1)) {
    choice.take = least_cpu(fastest.rows, fastest.rows.front());
    choice.against = reference(compared, fastest);
    choice.by_time = true;
  } else if (baseline_leads) {
    choose_by_cpu(compared, fastest.rows, choice);
  } else if (const Leaders cheapest = cheapest_rows(compared);
             !usable && cheapest.decided() && cpu_ns(*cheapest.rows.front()) > 0) {
    choice.take = cheapest.rows.front();
    choice.against = cheapest.next;
  }
  if (choice.take == nullptr) return choice;
  if (fastest.decided() && fastest.include(*choice.take))
    choice.alike = all_but(fastest.rows, choice.take);
  measure(choice);
  return choice;
}

Lines verdict(const CompareResult& compared) {
  const Rows rows = comparable_rows(compared);
  if (rows.size() < 2) return {};
  if (compared.rounds_done < kLeastToRank)
    return {fmt::format(
        "{} of each row {} too few to tell which row is fastest{}.",
        plural(compared.rounds_done, "run", "runs"), compared.rounds_done == 1 ? "is" : "are",
        compared.interrupted_by != 0 ? "" : fmt::format("; use --runs {} or more", kLeastToRank))};
  const Choice choice = choose(compared);
  if (choice.take == nullptr) return {undecided_text(compared, rows)};
  Lines lines{choice_text(compared, choice)};
  if (!choice.alike.empty()) lines.push_back(alike_text(choice));
  say_cheapest(compared, choice, lines);
  return lines;
}

}  // namespace zctrace
