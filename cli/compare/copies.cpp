// SPDX-License-Identifier: MIT
// The experiment says how often a byte was copied; the counts say which of these copies the
// method's own calls made. The rest is the kernel's.
#include "cli/compare/copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zctrace {
namespace {

// Copies for each byte by the calls that `counts`.
template <typename Counts>
double copies_by_calls(const MethodResult& result, Counts counts) {
  std::uint64_t copied = 0;
  for (const Row& row : result.counts.rows)
    if (counts(row)) copied += row.cpu_copied_bytes;
  return static_cast<double>(copied) / static_cast<double>(result.bytes);
}

// Between the method's own memory and the kernel.
double between_user_and_kernel(const MethodResult& result) {
  if (result.copies_in_user_space) return 1;
  if (result.notifications != 0) return 0;  // the sends lend their pages
  return copies_by_calls(result, [](const Row& row) { return row.copy == Copy::copied; });
}

bool goes_to_file(const Row& row) { return row.to == Kind::file; }

// What the counted run says of the bytes' way, like CopiesFound's two together.
double counted_copies(const MethodResult& result, const CopyCircumstances& circumstances) {
  const double in_user_space = result.copies_in_user_space ? 1 : 0;
  const auto to_sinks = [](const Row& row) { return row.copy == Copy::in_kernel; };
  return in_user_space + copies_by_calls(result, [&](const Row& row) { return !to_sinks(row); }) +
         copies_by_calls(result, to_sinks) / static_cast<double>(circumstances.sinks);
}

// Whether the kernel vouches for what the calls into files did with their bytes.
bool is_measured_into_files(const MethodResult& result) {
  std::uint64_t bytes = 0;
  std::uint64_t measured = 0;
  for (const Row& row : result.counts.rows) {
    if (!goes_to_file(row)) continue;
    bytes += row.cpu_copied_bytes + row.uncopied_bytes;
    measured += row.cpu_copied_measured_bytes + row.uncopied_measured_bytes;
  }
  return bytes != 0 && evidence_of(bytes, measured) == Evidence::measured;
}

std::string evidence_of(const MethodResult& result, const transfers::CopiesFound& found,
                        const CopyCircumstances& circumstances) {
  if (circumstances.to_null) return "rule";
  if (found.sink_unseen) return is_measured_into_files(result) ? "counters" : "rule";
  if (circumstances.to_file) return "counters";
  return result.notifications != 0 ? "notifications" : "aliasing";
}

std::string why_not_counted(const MethodResult& result) {
  if (result.counts.pid == 0) return "the calls were not counted";
  if (result.bytes == 0) return "no bytes were moved";
  return "";
}

// Calls beside the method's own bytes, such as those that wake a thread, are within this.
constexpr double kTolerance = 0.1;

}  // namespace

void set_copies(MethodResult& result, const transfers::CopiesFound& found,
                const CopyCircumstances& circumstances) {
  result.copies_unknown = found.unknown;
  if (result.copies_unknown.empty()) result.copies_unknown = why_not_counted(result);
  if (!result.copies_unknown.empty()) return;
  Copies& copies = result.copies.emplace();
  const double into_sink =
      found.sink_unseen ? copies_by_calls(result, goes_to_file) : found.into_sink;
  const double made = found.into_buffer + into_sink;
  copies.user = std::min(between_user_and_kernel(result), made);
  copies.kernel = made - copies.user;
  copies.reader = circumstances.reader_copies ? 1 : 0;
  copies.evidence = evidence_of(result, found, circumstances);
  const double counted = counted_copies(result, circumstances);
  if (std::abs(counted - made) > kTolerance)
    copies.contradiction = fmt::format(
        "the experiment found {:.2f} copies of each byte, the calls of the observed run made "
        "{:.2f}",
        made, counted);
}

void set_counted_copies(MethodResult& result, const CopyCircumstances& circumstances) {
  result.copies_unknown = why_not_counted(result);
  // What a program writes by loads and stores into a mapping is in no call.
  if (result.copies_unknown.empty() && !circumstances.to_null &&
      result.delivered_bytes() < result.bytes)
    result.copies_unknown = "some bytes were moved without a call that shows them";
  if (!result.copies_unknown.empty()) return;
  Copies& copies = result.copies.emplace();
  copies.user = copies_by_calls(result, [](const Row& row) { return row.copy == Copy::copied; });
  copies.kernel = copies_by_calls(result, [](const Row& row) { return row.copy != Copy::copied; }) /
                  static_cast<double>(circumstances.sinks);
  copies.reader = circumstances.reader_copies ? 1 : 0;
  copies.evidence = result.counts.copies_evidence() == Evidence::measured ? "counters" : "rule";
  if (result.notifications == 0) return;
  copies.user = 0;  // the sends lend their pages
  copies.kernel =
      static_cast<double>(result.copied_notifications) / static_cast<double>(result.notifications);
  copies.evidence = "notifications";
}

}  // namespace zctrace
