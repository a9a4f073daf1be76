// SPDX-License-Identifier: MIT
// The experiment says how often a byte was copied, the counts which of these copies the method's
// own calls made. The rest is the kernel's.
#include "cli/compare/copies.h"

#include <algorithm>
#include <vector>

namespace zctrace {
namespace {

// Copies of each byte that the names of the calls promise.
double promised(const MethodResult& result, bool to_null) {
  if (result.copies_in_user_space) return 1;
  if (result.notifications != 0) return 0;  // the sends lend their pages
  Process calls = result.counts;
  if (to_null) std::erase_if(calls.rows, [](const Row& row) { return row.to == Kind::device; });
  return static_cast<double>(calls.copied_bytes()) / static_cast<double>(result.bytes);
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
  copies.user = std::min(promised(result, circumstances.to_null), made);
  copies.kernel = made - copies.user;
  copies.reader = circumstances.reader_copies ? 1 : 0;
  copies.evidence = evidence_of(result, circumstances);
}

}  // namespace zctrace
