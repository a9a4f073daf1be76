// SPDX-License-Identifier: MIT
// From a report to advice. Pure: the same report and basis give the same advice.
#pragma once

#include <cstddef>
#include <vector>

#include "cli/advice/basis.h"
#include "cli/advice/draft.h"
#include "collector/model/report.h"

namespace zctrace {

inline constexpr std::size_t kMostAdvice = 10;

// Everything worth saying, by what it saves by rule, at most kMostAdvice, without CPU times. The
// drafts point into the report.
std::vector<AdviceDraft> draft_advice(const Report& report);

// With CPU times where the basis has them, the most useful first. A larger buffer is not advised
// where the basis shows that it saves nothing.
std::vector<Advice> finish_advice(std::vector<AdviceDraft> drafts, const Basis& basis);

std::vector<Advice> advise(const Report& report, const Basis& basis);

}  // namespace zctrace
