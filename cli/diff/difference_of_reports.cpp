// SPDX-License-Identifier: MIT
// Pairs the figures of both sides and tests each pair.
#include "cli/diff/difference_of_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "cli/diff/welch.h"
#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// A smaller change is of no use to a reader, however certain it is.
constexpr double kLeastChange = 0.01;

std::optional<double> value_of(const ScopedFigures& scopes, const std::string& scope,
                               const std::string& name) {
  const auto figures = scopes.find(scope);
  // What did not happen at all has counts of 0.
  if (figures == scopes.end())
    return adds_up(name) && !scope.starts_with("method ") ? std::optional(0.0) : std::nullopt;
  const auto value = figures->second.find(name);
  if (value != figures->second.end()) return value->second;
  // Only errors that occurred are listed.
  return name.starts_with("errors_by.") ? std::optional(0.0) : std::nullopt;
}

const std::vector<double>& samples_of(const DiffSide& side, const std::string& scope,
                                      const std::string& name) {
  static const std::vector<double> kNone;
  const auto figures = side.sampled.find(scope);
  if (figures == side.sampled.end()) return kNone;
  const auto values = figures->second.find(name);
  return values == figures->second.end() ? kNone : values->second;
}

// Counts are whole numbers: that three are equal says little about the next. A rate of them is
// rounded as much less as the observation is longer; its own spread says enough.
double least_deviation(const DiffSide& side, const std::string& name) {
  return adds_up(name) && !side.per_second && !varies_by_itself(name) ? 0.5 : 0;
}

using FigureKey = std::pair<std::string, std::string>;  // scope and name

std::set<FigureKey> keys_of(const DiffSide& a, const DiffSide& b) {
  std::set<FigureKey> keys;
  for (const DiffSide* side : {&a, &b})
    for (const auto& [scope, figures] : side->values)
      for (const auto& [name, value] : figures) keys.emplace(scope, name);
  return keys;
}

void warn(ReportDiff& diff, const char* what, const std::string& a, const std::string& b) {
  if (a != b)
    diff.warnings.push_back(
        fmt::format("{} differ: {} and {}", what, a.empty() ? "none" : a, b.empty() ? "none" : b));
}

void warn_of_differences(ReportDiff& diff) {
  const DiffSide& a = diff.a;
  const DiffSide& b = diff.b;
  warn(diff, "the commands", cut_to_width(a.subject, 60, true), cut_to_width(b.subject, 60, true));
  warn(diff, "the kernels", printable(a.host.kernel, true), printable(b.host.kernel, true));
  warn(diff, "the machines",
       fmt::format("{} with {} CPUs", printable(a.host.arch, true), a.host.cpus),
       fmt::format("{} with {} CPUs", printable(b.host.arch, true), b.host.cpus));
  warn(diff, "the versions of zctrace", printable(a.version, true), printable(b.version, true));
  warn(diff, "the selected syscalls (-e)", printable(a.syscalls, true),
       printable(b.syscalls, true));
  for (const auto& [side, name] : {std::pair(&a, "A"), std::pair(&b, "B")})
    if (side->lost_events != 0)
      diff.warnings.push_back(
          fmt::format("{} lost {} events: its counts are too low", name, side->lost_events));
}

void mark_significant(std::vector<FigureChange>& figures, const std::vector<double>& by_chance,
                      const std::vector<std::size_t>& tested) {
  const std::vector<bool> significant = significant_by_holm(by_chance);
  for (std::size_t i = 0; i < tested.size(); ++i) {
    FigureChange& figure = figures[tested[i]];
    const double larger = std::max(std::abs(figure.a.value_or(0)), std::abs(figure.b.value_or(0)));
    figure.significant =
        significant[i] && std::abs(figure.change.value_or(0)) >= kLeastChange * larger;
  }
}

}  // namespace

std::optional<double> FigureChange::relative() const {
  if (!change || !a || *a == 0) return std::nullopt;
  return *change / std::abs(*a);
}

bool FigureChange::is_worse() const { return change && *change * worse_direction(name) > 0; }
bool FigureChange::is_better() const { return change && *change * worse_direction(name) < 0; }

const FigureChange* ReportDiff::find(const std::string& scope, const std::string& name) const {
  const auto place = std::lower_bound(figures.begin(), figures.end(), FigureKey{scope, name},
                                      [](const FigureChange& figure, const FigureKey& key) {
                                        return std::tie(figure.scope, figure.name) <
                                               std::tie(key.first, key.second);
                                      });
  const bool found = place != figures.end() && place->scope == scope && place->name == name;
  return found ? &*place : nullptr;
}

bool ReportDiff::has_scope(const std::string& scope) const {
  return a.values.contains(scope) || b.values.contains(scope);
}

bool ReportDiff::has_statistics() const {
  return std::any_of(figures.begin(), figures.end(),
                     [](const FigureChange& figure) { return figure.significant.has_value(); });
}

ReportDiff diff_of(DiffSide a, DiffSide b) {
  if ((a.command == "compare") != (b.command == "compare"))
    throw Error(fmt::format("A is a report of '{}' and B of '{}': they have no figures in common",
                            a.command, b.command),
                kExitUsage);
  if (a.per_second != b.per_second)
    throw Error(fmt::format("A is a report of '{}' and B of '{}': one is compared as a whole, the "
                            "other per second",
                            a.command, b.command),
                kExitUsage);
  ReportDiff diff{std::move(a), std::move(b), {}, {}};
  std::vector<double> by_chance;
  std::vector<std::size_t> tested;
  for (const auto& [scope, name] : keys_of(diff.a, diff.b)) {
    FigureChange figure{
        scope, name, value_of(diff.a.values, scope, name), value_of(diff.b.values, scope, name), {},
        {},    {}};
    if (figure.a && figure.b) figure.change = *figure.b - *figure.a;
    const auto test = welch_test(samples_of(diff.a, scope, name), samples_of(diff.b, scope, name),
                                 least_deviation(diff.a, name));
    if (test && figure.change) {
      figure.interval = test->interval;
      if (diff.a.command == "run" && varies_by_itself(name) && !diff.took_turns()) {
        // Cannot be known.
      } else if (test->by_chance < 1) {  // one that is equal in all samples has not changed
        tested.push_back(diff.figures.size());
        by_chance.push_back(test->by_chance);
      } else {
        figure.significant = false;
      }
    }
    diff.figures.push_back(std::move(figure));
  }
  mark_significant(diff.figures, by_chance, tested);
  warn_of_differences(diff);
  return diff;
}

std::vector<const FigureChange*> notable_changes(const ReportDiff& diff, bool all) {
  std::vector<const FigureChange*> changes;
  for (const FigureChange& figure : diff.figures) {
    if (!figure.change || *figure.change == 0) continue;
    if (!all) {
      if (!is_headline(figure.name)) continue;
      if (figure.significant ? !*figure.significant : varies_by_itself(figure.name)) continue;
      if (std::abs(figure.relative().value_or(1)) < kLeastChange) continue;
    }
    changes.push_back(&figure);
  }
  const auto rank = [](const FigureChange* figure) {
    const int group = figure->is_worse() ? 0 : figure->is_better() ? 1 : 2;
    const double size = std::abs(figure->relative().value_or(std::numeric_limits<double>::max()));
    return std::pair(group, -size);
  };
  std::stable_sort(changes.begin(), changes.end(),
                   [&](const auto* one, const auto* other) { return rank(one) < rank(other); });
  return changes;
}

}  // namespace zctrace
