// SPDX-License-Identifier: MIT
// Reads reports of `compare`, and finds the rows that fit.
#include "cli/advice/basis.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/json_view.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestFile = 64ULL << 20;  // a report of all methods has 1 MiB
constexpr double kFarthest = 4;                    // times the size asked for

constexpr const char* kByCounts = "syscalls and copies by arithmetic from the counts";

// "pipe:1M" and "pipe" are both pipes.
std::string sink_kind(const std::string& sink) { return sink.starts_with("pipe") ? "pipe" : sink; }

std::string source_kind(const json& source) {
  const std::string kind = source.at("kind").get<std::string>();
  if (kind != "file") return kind;
  return source.value("filesystem", "") == "tmpfs" ? "tmpfs" : "disk";
}

Basis costs_of(const json& report, const std::string& name) {
  MethodCost cost;
  cost.origin = name;
  cost.source = source_kind(report.at("source"));
  cost.sink = sink_kind(report.at("sink").at("kind").get<std::string>());
  Basis basis;
  for (const json& method : report.at("methods")) {
    if (!method.at("supported").get<bool>() || !method.contains("wall_ns")) continue;
    const auto bytes = method.at("bytes").get<std::uint64_t>();
    if (bytes == 0) continue;
    const json& buffer = method.at("buffer_bytes");
    cost.method = method.at("method").get<std::string>();
    cost.buffer_bytes = buffer.is_null() ? bytes : buffer.get<std::uint64_t>();
    // Reports of before there was cpu_ns have both others.
    const double cpu_ns = method.contains("cpu_ns") ? method.at("cpu_ns").get<double>()
                                                    : method.at("user_ns").get<double>() +
                                                          method.at("system_ns").get<double>();
    cost.cpu_ns_per_byte = cpu_ns / static_cast<double>(bytes);
    basis.push_back(cost);
  }
  return basis;
}

// How many times one size is the other.
double distance(std::uint64_t one, std::uint64_t other) {
  const auto a = static_cast<double>(std::max<std::uint64_t>(one, 1));
  const auto b = static_cast<double>(std::max<std::uint64_t>(other, 1));
  return std::max(a / b, b / a);
}

const MethodCost* nearest(const Basis& basis, const std::string& origin, const MethodPair& pair,
                          const std::string& method, std::uint64_t bytes) {
  const MethodCost* best = nullptr;
  for (const MethodCost& cost : basis) {
    if (cost.origin != origin || cost.source != pair.source || cost.sink != pair.sink ||
        cost.method != method || distance(cost.buffer_bytes, bytes) > kFarthest)
      continue;
    if (best == nullptr || distance(cost.buffer_bytes, bytes) < distance(best->buffer_bytes, bytes))
      best = &cost;
  }
  return best;
}

// A file can say anything.
std::int64_t whole_ns(double ns) {
  constexpr double kMost = 9e18;
  return std::isfinite(ns) ? std::llround(std::clamp(ns, -kMost, kMost)) : 0;
}

std::string cost_text(const MethodCost& cost) {
  return fmt::format("{} with {} takes {:.3f} ns a byte", cost.method,
                     format_bytes(cost.buffer_bytes), cost.cpu_ns_per_byte);
}

}  // namespace

Basis parse_basis(const std::string& text, const std::string& name) {
  const auto refuse = [&name](const std::string& why) {
    return Error("--basis: '" + printable(name, false) + "' " + why +
                     "; write one with 'zctrace compare --json FILE'",
                 kExitUsage);
  };
  const json report = json::parse(text, nullptr, false);
  if (report.is_discarded() || !report.is_object()) throw refuse("is not a JSON report");
  Basis basis;
  try {
    if (report.value("schema", "") != kSchema || report.value("command", "") != "compare")
      throw refuse("is not a report of 'zctrace compare'");
    basis = costs_of(report, name);
  } catch (const json::exception&) {
    throw refuse("is not a whole report of 'zctrace compare'");
  }
  if (basis.empty()) throw refuse("has no method that was timed");
  return basis;
}

Basis read_basis(const std::string& path) {
  const std::string what = "--basis: cannot read '" + printable(path, false) + "'";
  std::ifstream file(path, std::ios::binary);
  if (!file) throw system_error(what, errno, kExitUsage);
  std::string text;
  std::array<char, 65536> block;
  errno = 0;
  while (file.read(block.data(), block.size()) || file.gcount() != 0) {
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > kLargestFile)
      throw Error(what + ": it is larger than " + format_bytes(kLargestFile), kExitUsage);
  }
  if (!file.eof()) throw system_error(what, errno != 0 ? errno : EIO, kExitUsage);
  return parse_basis(text, path);
}

void set_cpu_time(AdviceDraft& draft, const Basis& basis) {
  Savings& saves = draft.advice.saves;
  saves.basis = kByCounts;
  saves.cpu_ns = std::nullopt;
  if (!draft.methods) {
    saves.basis += "; CPU time unknown, because compare has no methods for this";
    return;
  }
  const MethodPair& pair = *draft.methods;
  std::vector<std::string> origins;
  for (const MethodCost& cost : basis)
    if (std::find(origins.begin(), origins.end(), cost.origin) == origins.end())
      origins.push_back(cost.origin);
  for (const std::string& origin : origins) {
    const MethodCost* const now = nearest(basis, origin, pair, pair.now, pair.now_bytes);
    const MethodCost* const then = nearest(basis, origin, pair, pair.instead, pair.instead_bytes);
    if (now == nullptr || then == nullptr) continue;
    saves.cpu_ns = whole_ns((now->cpu_ns_per_byte - then->cpu_ns_per_byte) *
                            static_cast<double>(draft.advice.bytes));
    saves.basis += fmt::format("; CPU time by {}: from {} to {}, {}, {}", origin, pair.source,
                               pair.sink, cost_text(*now), cost_text(*then));
    return;
  }
  saves.basis += basis.empty()
                     ? "; CPU time not measured (--advise=measure or --basis)"
                     : fmt::format(
                           "; CPU time unknown: no measurement from {} to {} of {} near {} "
                           "and {} near {}",
                           pair.source, pair.sink, pair.now, format_bytes(pair.now_bytes),
                           pair.instead, format_bytes(pair.instead_bytes));
}

}  // namespace zctrace
