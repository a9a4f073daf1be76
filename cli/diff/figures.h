// SPDX-License-Identifier: MIT
// The figures of a report by what they are of and by their path in its JSON, so that two reports
// can be compared figure by figure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collector/model/report.h"

namespace zctrace {

// By path below the scope: "syscalls", "per_gb.syscalls", "latency_ns.p99". nullopt: null in JSON.
using Figures = std::map<std::string, std::optional<double>>;
// By scope: "totals", "process nginx", "row read file->user", "file /srv/x", "port tcp 80",
// "peer tcp 10.0.0.7:5432".
using ScopedFigures = std::map<std::string, Figures>;

inline constexpr const char* kTotalsScope = "totals";

// Adds reports up: those of the intervals of one observation, or one alone.
class ScopeSums {
 public:
  void add(const Report& report);
  ScopedFigures figures() const;
  std::uint64_t duration_ns() const { return duration_ns_; }

 private:
  struct BytesMoved {
    std::uint64_t in = 0;  // read from a file, received by a port
    std::uint64_t out = 0;
    std::uint64_t cpu_copied = 0;
  };

  std::map<std::string, Totals> processes_;  // with the totals; by scope
  std::map<std::string, BytesMoved> files_;
  std::map<std::string, BytesMoved> peers_;
  std::map<std::string, BytesMoved> ports_;
  std::uint64_t duration_ns_ = 0;
  bool latency_ = true;
  bool charges_ = true;
};

// Whether a figure of two intervals is the sum of both. Others are ratios and peaks.
bool adds_up(std::string_view name);
// 1: more is worse, as of copies and syscalls. -1: less is worse. 0: neither.
int worse_direction(std::string_view name);
// Whether runs of the same command differ in it: times, switches, faults, what the page cache had.
bool varies_by_itself(std::string_view name);
// Whether the table of a difference shows it. JSON has all; most follow from others.
bool is_headline(std::string_view name);

}  // namespace zctrace
