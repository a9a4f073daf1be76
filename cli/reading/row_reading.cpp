// SPDX-License-Identifier: MIT
// The inverse of row_json().
#include "cli/reading/row_reading.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "cli/text/errno_name.h"
#include "collector/model/saturating.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kMostCalls = std::uint64_t{1} << 53;  // in a bucket, or not timed
constexpr unsigned kLastErrno = 4095;                         // the kernel's MAX_ERRNO
constexpr std::string_view kUnnamed = "errno ";

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

std::map<std::string, unsigned> errno_numbers() {
  std::map<std::string, unsigned> numbers;
  for (unsigned number = 0; number <= kLastErrno; ++number)
    if (::strerrorname_np(static_cast<int>(number)) != nullptr)
      numbers.emplace(errno_name(number), number);
  return numbers;
}

std::optional<unsigned> errno_number(const std::string& name) {
  static const std::map<std::string, unsigned> kNumbers = errno_numbers();
  if (name.starts_with(kUnnamed)) return parsed<unsigned>(name.substr(kUnnamed.size()));
  const auto found = kNumbers.find(name);
  return found == kNumbers.end() ? std::nullopt : std::optional(found->second);
}

void read_errors(const JsonNode& object, std::string_view name, Row& row) {
  const auto errors = object.find(name);
  if (!errors) return;
  for (const auto& [error, count] : errors->members()) {
    if (error == "other") continue;
    const auto number = errno_number(error);
    if (!number) count.refuse("is not an error that this version knows");
    row.errors_by[*number] = count.count();
  }
}

// Which charges were measured is said by what is null, and by the reasons beside it.
void read_charges(const JsonNode& object, Row& row) {
  const auto unknown = object.find("unknown");
  const bool disk_unknown = unknown && unknown->find("disk_read_bytes");
  if (object.find("disk_read_bytes"))
    row.charges = Charges::measured;
  else if (disk_unknown)
    row.charges = Charges::unknown;
  row.in_memory = unknown && !disk_unknown && unknown->find("dirtied_bytes");
}

void read_latency(const JsonNode& object, Row& row) {
  const auto latency = object.find("latency_ns");
  if (!latency) return;
  row.sample.untimed = latency->count_of("untimed_calls");
  if (row.sample.untimed > kMostCalls) latency->at("untimed_calls").refuse("is too large");
  row.min_ns = latency->count_of("min");
  row.max_ns = latency->count_of("max");
  row.max_is_bound = latency->boolean_of("max_is_bound");
  if (const auto buckets = latency->find("buckets")) row.latency = read_buckets(*buckets);
}

Verdict read_verdict(const JsonNode& object) {
  const auto name = object.find("verdict");
  if (!name) return Verdict::none;
  const Verdict verdict =
      value_named(*name, "verdict", Verdict::copied, Verdict::mixed, verdict_name);
  const bool loopback = verdict == Verdict::zerocopy_copied && object.boolean_of("over_loopback");
  return loopback ? Verdict::zerocopy_loopback : verdict;
}

double read_variance(const JsonNode& estimate, std::string_view error) {
  return sliced_variance(estimate.count_or_null(error).value_or(0), estimate.at("slices").count());
}

}  // namespace

Kind read_kind(const JsonNode& name) {
  return value_named(name, "kind", Kind::user, Kind::other, kind_name);
}

Protocol read_protocol(const JsonNode& object) {
  const auto name = object.find("protocol");
  if (!name) return Protocol::none;
  return value_named(*name, "protocol", Protocol::tcp, Protocol::other, protocol_name);
}

Histogram read_buckets(const JsonNode& object) {
  Histogram histogram;
  for (const auto& [bound, count] : object.members()) {
    const auto number = parsed<std::uint64_t>(bound);
    std::size_t bucket = 0;
    while (number && bucket < Histogram::kBuckets && Histogram::lower_bound_ns(bucket) != *number)
      ++bucket;
    if (!number || bucket == Histogram::kBuckets) count.refuse("is not the bound of a bucket");
    // So that no sum of buckets wraps to 0, which would mean that no call was timed.
    if (count.count() > kMostCalls) count.refuse("is too large");
    histogram.add(bucket, count.count());
  }
  return histogram;
}

CpuProfile read_cpu_profile(const JsonNode& object) {
  CpuProfile profile;
  const auto found = object.find("cpu_profile");
  if (!found) return profile;
  const std::uint64_t hz = found->at("hz").count();
  if (hz == 0 || hz > UINT32_MAX) found->at("hz").refuse("is not a rate");
  profile.hz = static_cast<unsigned>(hz);
  const std::uint64_t samples = found->at("samples").count();
  const auto share = found->find("share");
  for (std::size_t i = 0; share && i < kCpuClasses; ++i) {
    const auto part = share->find(cpu_class_name(static_cast<CpuClass>(i)));
    if (!part) continue;
    const double of_all = part->number();
    if (!(of_all >= 0 && of_all <= 1)) part->refuse("must be from 0 to 1");
    // Beyond 2^53 a share could not be exact; no observation takes so many samples.
    if (samples > (std::uint64_t{1} << 53)) found->at("samples").refuse("is too large");
    profile.samples[i] =
        static_cast<std::uint64_t>(std::llround(of_all * static_cast<double>(samples)));
  }
  return profile;
}

Row read_row(const JsonNode& object) {
  Row row;
  row.syscall = object.at("syscall").wording();
  row.from = read_kind(object.at("from"));
  row.to = read_kind(object.at("to"));
  row.copy = value_named(object.at("copy"), "copy", Copy::none, Copy::lent, copy_name);
  row.protocol = read_protocol(object);
  row.asynchronous = object.boolean_of("asynchronous");
  object.at("calls").count();
  object.at("bytes").count();
  read_fields<RowFigures>(object, row, kRowFields);
  row.zeroed_bytes = object.count_of("zeroed_bytes");
  row.discarded_bytes = object.count_of("discarded_bytes");
  read_charges(object, row);
  read_errors(object, "errors_by", row);
  read_errors(object, "more_errors_by", row);
  row.verdict = read_verdict(object);
  row.wall_variance = variance_of(object.count_of("wall_error_ns"));
  if (const auto estimate = object.find("estimate")) {
    row.sliced.slices = estimate->at("slices").count();
    row.sliced.calls_variance = read_variance(*estimate, "calls_error");
    row.sliced.bytes_variance = read_variance(*estimate, "bytes_error");
  }
  read_latency(object, row);
  row.cpu = read_cpu_profile(object);
  row.shown = object.boolean_of("listed", true);
  return row;
}

SlicedSum read_sliced_sum(const JsonNode& object) {
  const auto estimate = object.find("estimate");
  if (!estimate) return {};
  return {read_variance(*estimate, "syscalls_error"),
          read_variance(*estimate, "delivered_bytes_error"),
          read_variance(*estimate, "cpu_copied_bytes_error"), estimate->at("slices").count()};
}

std::vector<Row> read_rows(const JsonNode& object, std::string_view name) {
  std::vector<Row> rows;
  const JsonNode array = object.at(name);
  for (const JsonNode& row : array.elements()) rows.push_back(read_row(row));
  return rows;
}

void read_pipes(const JsonNode& object, Process& process) {
  const auto pipes = object.find("pipes");
  if (!pipes) return;
  process.delivered_to_pipes = pipes->at("delivered_bytes").whole_number();
  process.delivered_to_pipes_in_kernel = pipes->at("delivered_in_kernel_bytes").whole_number();
  process.spliced_from_user = pipes->at("spliced_from_user_bytes").whole_number();
}

void set_switches_outside(const JsonNode& object, Process& process) {
  const std::uint64_t voluntary = object.count_of("voluntary_switches");
  const std::uint64_t involuntary = object.count_of("involuntary_switches");
  process.outside_syscalls.voluntary = not_below_zero(voluntary, process.voluntary_switches());
  process.outside_syscalls.involuntary =
      not_below_zero(involuntary, process.involuntary_switches());
}

}  // namespace zctrace
