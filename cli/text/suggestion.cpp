// SPDX-License-Identifier: MIT
// The edit distance counts a swap of neighbours, the most common typo, as one edit.
#include "cli/text/suggestion.h"

#include <algorithm>
#include <cstddef>

#include "cli/text/letter_case.h"

namespace zctrace {
namespace {

// Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> distance(a.size() + 1,
                                                 std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        distance[i][j] = i + j;
        continue;
      }
      std::size_t least = std::min(distance[i - 1][j], distance[i][j - 1]) + 1;
      least = std::min(least, distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, distance[i - 2][j - 2] + 1);
      distance[i][j] = least;
    }
  }
  return distance[a.size()][b.size()];
}

constexpr std::size_t kLongest = 64;  // no name is longer; the distance costs its square

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > kLongest) return "";
  const std::string* best = nullptr;
  // One edit in three characters; what is further off is another word.
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(lower_case(word), lower_case(candidate));
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    best = &candidate;
  }
  return best == nullptr ? "" : "; did you mean '" + *best + "'?";
}

}  // namespace zctrace
