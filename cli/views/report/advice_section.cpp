// SPDX-License-Identifier: MIT
// Names in the sentences are untrusted.
#include "cli/views/report/advice_section.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/text/printable.h"

namespace zctrace {

Section advice_section(const std::vector<Advice>& advice, const Wording& wording) {
  Section section;
  if (advice.empty()) {
    section.facts.push_back({"advice", {"nothing to change was found"}});
    return section;
  }
  section.title = "What could be done better";
  for (const Advice& one : advice) {
    std::string text = one.sentence;
    if (!one.stack.empty()) text += fmt::format("; called from {}", fmt::join(one.stack, " < "));
    section.facts.push_back(
        {std::string(advice_kind_name(one.kind)), {printable(text, wording.unicode)}});
  }
  const bool relays = std::any_of(advice.begin(), advice.end(),
                                  [](const Advice& one) { return one.kind == AdviceKind::relay; });
  const bool unmeasured = std::any_of(advice.begin(), advice.end(), [](const Advice& one) {
    return !one.saves.cpu_ns && (one.saves.syscalls > 0 || one.saves.cpu_copied_bytes != 0);
  });
  std::vector<std::string> notes;
  if (advice.size() > 1) notes.push_back("each counts what it saves by itself");
  if (relays) notes.push_back("bytes that are read and written unchanged are a lower bound");
  if (unmeasured)
    notes.push_back("--advise=measure or --basis gives the CPU time where compare can measure it");
  if (!notes.empty())
    section.facts.push_back({"", {fmt::format("{}", fmt::join(notes, "; "))}, Tone::dim});
  return section;
}

}  // namespace zctrace
