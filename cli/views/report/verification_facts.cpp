// SPDX-License-Identifier: MIT
// Sentences for equal, different and not compared.
#include "cli/views/report/verification_facts.h"

#include <fmt/format.h>

#include <string_view>

#include "cli/text/units.h"

namespace zctrace {
namespace {

constexpr std::size_t kDifferencesShown = 8;

std::string_view words_for(KernelCounter counter) {
  switch (counter) {
    case KernelCounter::voluntary: return "voluntary switches";
    case KernelCounter::involuntary: return "involuntary switches";
    default: return kernel_counter_name(counter);
  }
}

std::string_view words_for_reason(std::string_view reason) {
  if (reason == "changed_while_read") return "changed while they were read";
  if (reason == "dumped_core") return "dumped core";
  if (reason == "no_room") return "no space for their counts";
  return reason;
}

// What was compared, in words that follow a number of processes.
std::vector<std::string> compared_items(const Verification& verification) {
  std::vector<std::string> items;
  if (!verification.io_not_verified) items = {"syscr", "syscw", "rchar", "wchar"};
  items.push_back(fmt::format("switches of {} {}",
                              plural(verification.compared, "process", "processes"),
                              verification.equal() ? "equal the kernel's own" : "compared"));
  return items;
}

std::vector<std::string> margin_items(const Verification& verification) {
  std::vector<std::string> items;
  for (std::size_t i = verification.io_not_verified ? kIoCounters : 0; i < kKernelCounters; i++) {
    const auto& margin = verification.counters[i].margin;
    if (margin && *margin == 0) continue;
    const std::string_view name = words_for(static_cast<KernelCounter>(i));
    items.push_back(margin ? fmt::format("{} within {}", name, format_count(*margin))
                           : fmt::format("{} with no upper bound", name));
  }
  return items;
}

}  // namespace

std::vector<Fact> verification_facts(const Verification& verification) {
  std::vector<Fact> facts;
  Fact verified{"verified", {}, Tone::plain};
  if (verification.compared != 0) {
    verified.items = compared_items(verification);
    for (std::string& item : margin_items(verification)) verified.items.push_back(std::move(item));
  }
  for (const auto& [reason, count] : verification.not_compared)
    if (count != 0)
      verified.items.push_back(
          fmt::format("{} not compared ({})", format_count(count), words_for_reason(reason)));
  if (verified.items.empty()) verified.items = {"nothing: no process was observed"};
  facts.push_back(std::move(verified));
  if (verification.io_not_verified)
    facts.push_back({"not verified",
                     {"syscr", "syscw", "rchar", "wchar: " + *verification.io_not_verified},
                     Tone::plain});
  if (verification.equal()) return facts;
  Fact unequal{"NOT EQUAL", {}, Tone::warning};
  for (const Verification::Difference& one : verification.differences) {
    if (unequal.items.size() == kDifferencesShown) {
      unequal.items.push_back(fmt::format("and {} more (in --json)",
                                          verification.differences.size() - kDifferencesShown));
      break;
    }
    unequal.items.push_back(fmt::format("{} of process {}{}: the kernel has {} and zctrace {}",
                                        words_for(one.counter), one.pid,
                                        one.with_descendants ? " with its descendants" : "",
                                        format_count(one.kernel), format_count(one.counted)));
  }
  if (verification.lost_operations != 0)
    unequal.items.push_back(fmt::format("{} operations of io_uring or native AIO are not counted",
                                        format_count(verification.lost_operations)));
  facts.push_back(std::move(unequal));
  return facts;
}

}  // namespace zctrace
