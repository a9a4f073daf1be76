// SPDX-License-Identifier: MIT
// Reads the options of `compare`.
#include "cli/compare/plan.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cli/compare/programs/program_plan.h"
#include "cli/text/suggestion.h"
#include "cli/text/units.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

constexpr std::string_view kDefaultRows =
    "read_write/4K,read_write/8K,read_write/64K,read_write/1M,readv_writev/64K,mmap_write/whole,"
    "sendfile/64K,sendfile/whole,splice/64K,splice/1M,io_uring_read_write/64K,async_hop";
constexpr unsigned kDefaultRuns = 5;
constexpr unsigned kMostRunsForPrecision = 100;
constexpr std::string_view kDefaultMethods =
    "read_write,readv_writev,mmap_write,sendfile,splice,io_uring_read_write,async_hop";
constexpr std::string_view kDefaultBuffers = "4K,64K,1M";
constexpr std::chrono::minutes kDefaultTimeout(1);

// The size that `text` gives, at least 1. `where` begins the error message: "--size".
std::uint64_t size_in(const std::string& where, const std::string& text) {
  try {
    const std::uint64_t bytes = parse_size(text);
    if (bytes == 0) throw std::invalid_argument("must be greater than 0");
    return bytes;
  } catch (const std::invalid_argument& error) {
    throw Error(fmt::format("{}: {}", where, error.what()), kExitUsage);
  }
}

// "5%" as 0.05; "" as 0.
double parse_precision(const std::string& text) {
  if (text.empty()) return 0;
  double percent = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, percent);
  const bool number = error == std::errc() && (rest == end || std::string_view(rest) == "%");
  if (!number || !(percent > 0 && percent < 100))
    throw Error("--precision: '" + text + "' is not a percentage between 0 and 100, such as 5%",
                kExitUsage);
  return percent / 100;
}

transfers::BufferSize parse_buffer(const std::string& where, const std::string& text) {
  if (text == "whole") return transfers::kWholeSource;
  return {size_in(where, text)};
}

std::string size_name(std::uint64_t bytes) {
  constexpr std::pair<std::uint64_t, char> kUnits[] = {
      {1ULL << 30, 'G'}, {1ULL << 20, 'M'}, {1ULL << 10, 'K'}};
  for (const auto& [unit, letter] : kUnits)
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, letter);
  return fmt::format("{}", bytes);
}

const transfers::Method& method_named(const std::string& name) {
  if (const transfers::Method* method = transfers::find_method(name)) return *method;
  std::vector<std::string> known;
  for (const transfers::Method* method : transfers::all_methods()) known.emplace_back(method->name);
  const std::string near = suggestion(name, known);
  throw Error(fmt::format("--methods: unknown method '{}'{}", name,
                          near.empty() ? "; 'zctrace help compare' lists the methods" : near),
              kExitUsage);
}

std::string buffer_name(transfers::BufferSize buffer) {
  return buffer.bytes ? size_name(*buffer.bytes) : "whole";
}

std::vector<NamedBuffer> named_buffers(const std::string& buffers) {
  std::vector<NamedBuffer> named;
  for (const std::string_view size : split_list(buffers.empty() ? kDefaultBuffers : buffers)) {
    const transfers::BufferSize buffer = parse_buffer("--buffers", std::string(size));
    named.push_back({buffer, buffer_name(buffer)});
  }
  return named;
}

PlannedRow make_row(const transfers::Method& method, transfers::BufferSize buffer) {
  PlannedRow row;
  row.method = &method;
  row.buffer = buffer;
  if (method.needs.fixed_buffer_bytes != 0) {
    row.buffer_bytes = method.needs.fixed_buffer_bytes;
    row.buffer_name = size_name(method.needs.fixed_buffer_bytes);
  } else if (method.needs.takes_buffer_size) {
    row.buffer_bytes = buffer.bytes;
    row.buffer_name = buffer_name(buffer);
  }
  row.label = method.name;
  if (row.buffer_name != "-") row.label += "/" + row.buffer_name;
  return row;
}

// A row for each daemon, if there are any: METHOD/BUFFER/splice-on.
std::vector<PlannedRow> for_each_daemon(std::vector<PlannedRow> rows,
                                        const std::vector<FuseMode>& daemons) {
  if (daemons.empty()) return rows;
  std::vector<PlannedRow> all;
  for (const PlannedRow& row : rows) {
    for (const FuseMode mode : daemons) {
      PlannedRow& added = all.emplace_back(row);
      added.label += fmt::format("/{}", fuse_mode_label(mode));
      added.fuse_mode = mode;
    }
  }
  return all;
}

// The full label of the row that is named. METHOD/BUFFER alone names the first daemon's row.
std::string choose_baseline(const std::string& asked, const std::vector<PlannedRow>& rows) {
  if (asked.empty()) return "";
  for (const PlannedRow& row : rows)
    if (row.label == asked ||
        (row.fuse_mode &&
         row.label == fmt::format("{}/{}", asked, fuse_mode_label(*row.fuse_mode))))
      return row.label;
  std::vector<std::string> labels;
  for (const PlannedRow& row : rows) labels.push_back(row.label);
  throw Error(
      "--baseline: '" + asked + "' is not one of the rows compared" + suggestion(asked, labels),
      kExitUsage);
}

FuseMode parse_fuse_mode(const std::string& name) {
  if (const auto mode = fuse_mode_named(name)) return *mode;
  std::vector<std::string> names = {"all"};
  for (const FuseMode mode : kFuseModes) names.emplace_back(fuse_mode_name(mode));
  throw Error("--fuse-mode: '" + name + "' is not splice, copy, passthrough, uring or all" +
                  suggestion(name, names),
              kExitUsage);
}

void plan_fuse_modes(const RouteOptions& options, RoutePlan& plan) {
  if (options.from != "fuse" && options.to != "fuse") {
    const bool mode = !options.fuse_mode.empty();
    if (!mode && options.fuse_splice.empty()) return;
    throw Error(
        fmt::format("{}: neither --from nor --to is fuse", mode ? "--fuse-mode" : "--fuse-splice"),
        kExitUsage);
  }
  if (options.fuse_mode.empty()) {
    if (options.fuse_splice != "off") plan.fuse_modes.push_back(FuseMode::splice);
    if (options.fuse_splice != "on") plan.fuse_modes.push_back(FuseMode::copy);
    return;
  }
  for (const std::string_view name : split_list(options.fuse_mode)) {
    if (name == "all") {
      plan.all_fuse_modes = true;
      plan.fuse_modes.assign(kFuseModes.begin(), kFuseModes.end());
      continue;
    }
    const FuseMode mode = parse_fuse_mode(std::string(name));
    if (std::ranges::find(plan.fuse_modes, mode) == plan.fuse_modes.end())
      plan.fuse_modes.push_back(mode);
  }
  if (plan.fuse_modes.empty()) throw Error("--fuse-mode: no mode given", kExitUsage);
}

}  // namespace

bool RoutePlan::has_reader() const {
  constexpr transfers::SinkSet kWithout =
      transfers::kFileSinks | transfers::sink_bit(transfers::SinkKind::null);
  return !transfers::contains(kWithout, sink.kind);
}

RoutePlan plan_route(const RouteOptions& options) {
  RoutePlan plan;
  const bool is_made = options.from == "disk" || options.from == "tmpfs" || options.from == "fuse";
  plan.source_kind = is_made ? options.from : "file";
  plan.source_path = is_made ? "" : options.from;
  plan.source_bytes = is_made ? size_in("--size", options.size) : 0;
  // The directory of a FUSE sink is known once its daemon runs.
  const auto sink = options.to == "fuse" ? transfers::SinkSpec{transfers::SinkKind::file}
                                         : transfers::parse_sink(options.to);
  if (!sink)
    throw Error("--to: invalid sink '" + options.to +
                    "'; give unix, tcp, tcp:HOST:PORT, file, file:other-fs, file:DIR, fuse, pipe, "
                    "pipe:1M or null" +
                    suggestion(options.to, {"unix", "tcp", "file", "file:other-fs", "fuse", "pipe",
                                            "pipe:1M", "null"}),
                kExitUsage);
  plan.sink = *sink;
  plan.sink_kind = options.to == "fuse" ? "fuse" : transfers::sink_name(*sink);
  plan_fuse_modes(options, plan);
  return plan;
}

std::vector<PlannedRow> plan_rows(const std::string& methods, const std::string& buffers) {
  std::string names = methods;
  if (methods.empty()) names = buffers.empty() ? kDefaultRows : kDefaultMethods;
  if (names == "none") return {};
  if (names == "all") {
    names.clear();
    for (const transfers::Method* method : transfers::all_methods())
      names += fmt::format("{},", method->name);
  }
  const std::vector<NamedBuffer> sizes = named_buffers(buffers);
  std::vector<PlannedRow> rows;
  const auto add = [&](PlannedRow row) {
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const PlannedRow& other) {
      return other.label == row.label;
    });
    if (!known) rows.push_back(std::move(row));
  };
  for (const std::string_view word : split_list(names)) {
    const std::string name(word);
    const auto slash = name.find('/');
    const transfers::Method& method = method_named(name.substr(0, slash));
    if (slash != std::string::npos)
      add(make_row(method, parse_buffer("--methods " + name, name.substr(slash + 1))));
    else
      for (const NamedBuffer& buffer : sizes) add(make_row(method, buffer.size));
  }
  if (rows.empty()) throw Error("--methods: no method given", kExitUsage);
  return rows;
}

void leave_out(ComparePlan& plan, FuseMode mode, const std::string& reason) {
  if (!plan.route.all_fuse_modes) return;
  plan.route.left_out.push_back({mode, reason});
  std::erase(plan.route.fuse_modes, mode);
  std::erase_if(plan.rows, [mode](const PlannedRow& row) { return row.fuse_mode == mode; });
}

bool ComparePlan::has_programs() const {
  return std::any_of(rows.begin(), rows.end(),
                     [](const PlannedRow& row) { return row.program != nullptr; });
}

namespace {

// Where the bytes go, and the rows that move them.
void plan_transfers(const CompareOptions& options, ComparePlan& plan) {
  plan.route = plan_route(options.route);
  plan.rows = for_each_daemon(plan_rows(options.methods, options.buffers), plan.route.fuse_modes);
  for (PlannedRow& row :
       plan_programs(options.programs, named_buffers(options.buffers), plan.route))
    plan.rows.push_back(std::move(row));
  if (plan.rows.empty())
    throw Error("--methods none: there is nothing to compare without --program", kExitUsage);
  plan.drain_splices = options.drain == "splice";
  if (plan.route.sink.remote &&
      (plan.drain_splices || options.drain_read != CompareOptions().drain_read))
    throw Error(fmt::format("{}: the reader of --to {} is another program",
                            plan.drain_splices ? "--drain" : "--drain-read", options.route.to),
                kExitUsage);
  plan.drain = !plan.route.has_reader() ? "no reader"
               : plan.drain_splices
                   ? "a reader that splices to /dev/null"
                   : fmt::format("a reader that asks for {} at a time", options.drain_read);
}

}  // namespace

ComparePlan plan_compare(const CompareOptions& options) {
  if (options.cold && options.route.from == "tmpfs")
    throw Error("--cold: tmpfs has no disk to read from; use --from disk or the path of a file",
                kExitUsage);
  ComparePlan plan;
  plan.commands = !options.commands.empty();
  if (plan.commands)
    plan.rows = plan_commands(options.commands);
  else
    plan_transfers(options, plan);
  plan.baseline = choose_baseline(options.baseline, plan.rows);
  plan.sort = options.sort;
  plan.precision = parse_precision(options.precision);
  plan.runs = options.runs.value_or(plan.precision > 0 ? kMostRunsForPrecision : kDefaultRuns);
  plan.warmup = options.warmup;
  plan.cold = options.cold;
  plan.textbook = options.textbook;
  plan.drain_read_bytes = size_in("--drain-read", options.drain_read);
  plan.timeout = options.timeout.value_or(kDefaultTimeout);
  plan.as_root = options.as_root;
  return plan;
}

}  // namespace zctrace
