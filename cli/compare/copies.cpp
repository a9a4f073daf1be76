// SPDX-License-Identifier: MIT
// The experiment says how often a byte was copied; the counts say which of these copies the
// method's own calls made. The rest is the kernel's.
#include "cli/compare/copies.h"

#include <algorithm>

namespace zctrace {
namespace {

// Copies of each byte between the method's own memory and the kernel, by the counts.
double between_user_and_kernel(const MethodResult& result) {
  if (result.copies_in_user_space) return 1;
  if (result.notifications != 0) return 0;  // the sends lend their pages
  std::uint64_t copied = 0;
  for (const Row& row : result.counts.rows)
    if (row.copy == Copy::copied) copied += row.cpu_copied_bytes;
  return static_cast<double>(copied) / static_cast<double>(result.bytes);
}

const char* evidence_of(const MethodResult& result, const CopyCircumstances& circumstances) {
  if (circumstances.to_null) return "rule";
  if (circumstances.to_file) return "counters";
  return result.notifications != 0 ? "notifications" : "aliasing";
}

}  // namespace

void set_copies(MethodResult& result, const transfers::CopiesFound& found,
                const CopyCircumstances& circumstances) {
  result.copies_unknown = found.unknown;
  if (result.copies_unknown.empty() && result.counts.pid == 0)
    result.copies_unknown = "the calls were not counted";
  if (result.copies_unknown.empty() && result.bytes == 0)
    result.copies_unknown = "no bytes were moved";
  if (!result.copies_unknown.empty()) return;
  Copies& copies = result.copies.emplace();
  const double made = found.into_buffer + found.into_sink;
  copies.user = std::min(between_user_and_kernel(result), made);
  copies.kernel = made - copies.user;
  copies.reader = circumstances.reader_copies ? 1 : 0;
  copies.evidence = evidence_of(result, circumstances);
}

}  // namespace zctrace
