// SPDX-License-Identifier: MIT
// What changed between two sides, figure by figure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/compare/statistics.h"
#include "cli/diff/side.h"

namespace zctrace {

struct FigureChange {
  std::string scope;
  std::string name;
  std::optional<double> a;  // nullopt: null, or not there
  std::optional<double> b;
  std::optional<double> change;      // b - a
  std::optional<Interval> interval;  // of the change, with 95% certainty; nullopt: too few samples
  std::optional<bool> significant;   // nullopt: cannot be known

  // The change as a share of a. nullopt: there is none, or a is 0.
  std::optional<double> relative() const;
  bool is_worse() const;
  bool is_better() const;
};

struct ReportDiff {
  DiffSide a;
  DiffSide b;
  std::vector<FigureChange> figures;  // by scope and name
  std::vector<std::string> warnings;  // why the sides may not be comparable

  const FigureChange* find(const std::string& scope, const std::string& name) const;
  bool has_scope(const std::string& scope) const;
  // Whether the runs of both sides took turns. Otherwise a machine that was busier during one of
  // them looks like slower programs, however alike the runs of each side are.
  bool took_turns() const {
    return a.started_at <= b.last_started_at && b.started_at <= a.last_started_at;
  }
  // Whether both sides have enough samples to tell a change from chance.
  bool has_statistics() const;
};

// Throws Error (usage): the sides have no figures in common.
ReportDiff diff_of(DiffSide a, DiffSide b);

// The changes to show, what became worse first and the largest first. With statistics only those
// that are significant, otherwise those of figures that do not vary by themselves; `all` leaves out
// none but what is equal.
std::vector<const FigureChange*> notable_changes(const ReportDiff& diff, bool all);

}  // namespace zctrace
