// SPDX-License-Identifier: MIT
// Sites and frames are kept once, and stacks refer to them by number.
#include "collector/observe/stacks/stack_profile.h"

#include <algorithm>
#include <cmath>

#include "collector/model/wilson.h"

namespace zctrace {
namespace {

// Of processes; those beyond share one name.
constexpr std::size_t kMostSites = 20'000;

template <typename Value>
std::vector<const Value*> by_number(const std::map<Value, std::uint32_t>& numbers) {
  std::vector<const Value*> values(numbers.size());
  for (const auto& [value, number] : numbers) values[number] = &value;
  return values;
}

bool is_of_c_library(const StackFrame& frame) {
  const std::string_view name =
      std::string_view(frame.module).substr(frame.module.find_last_of('/') + 1);
  return name.starts_with("libc.") || name.starts_with("libc-") || name.starts_with("ld-") ||
         name.starts_with("libpthread") || name.starts_with("[");
}

}  // namespace

std::uint32_t StackProfile::frame(const StackFrame& frame) {
  const auto number = static_cast<std::uint32_t>(frames_.size());
  if (number < kMostFrames || frames_.contains(frame))
    return frames_.try_emplace(frame, number).first->second;
  return frames_.try_emplace(StackFrame{}, number).first->second;
}

void StackProfile::add(const StackSite& site, const CallStack& stack, std::uint64_t samples) {
  samples_ += samples;
  StackSite place = site;
  if (sites_.size() >= kMostSites && !sites_.contains(site)) {
    place.pid = 0;
    place.process = "(others)";
  }
  const auto number = static_cast<std::uint32_t>(sites_.size());
  StackKey key{sites_.try_emplace(place, number).first->second, stack.whole, false, 0, {}};
  if (stacks_.size() < kMostStacks) {
    for (const StackFrame& one : stack.user) key.frames.push_back(frame(one));
    key.kernel_begin = key.frames.size();
    for (const StackFrame& one : stack.kernel) key.frames.push_back(frame(one));
  } else {
    key.whole = false;
    key.summed = true;
  }
  stacks_[std::move(key)] += samples;
}

std::vector<StackProfile::SampledStack> StackProfile::entries() const {
  const std::vector<const StackSite*> sites = by_number(sites_);
  const std::vector<const StackFrame*> frames = by_number(frames_);
  std::vector<SampledStack> entries;
  entries.reserve(stacks_.size());
  for (const auto& [key, samples] : stacks_) {
    SampledStack entry{sites[key.site], {}, {}, key.whole, key.summed, samples};
    for (std::size_t i = 0; i < key.frames.size(); i++)
      (i < key.kernel_begin ? entry.user : entry.kernel).push_back(frames[key.frames[i]]);
    entries.push_back(std::move(entry));
  }
  std::stable_sort(
      entries.begin(), entries.end(),
      [](const SampledStack& a, const SampledStack& b) { return a.samples > b.samples; });
  return entries;
}

std::uint64_t StackProfile::margin(std::uint64_t samples) const {
  if (samples_ == 0) return 0;
  const auto all = static_cast<double>(samples_);
  const double share = static_cast<double>(samples) / all;
  const double margin = wilson_margin(share, all) * all * static_cast<double>(every_);
  return static_cast<std::uint64_t>(std::llround(margin));
}

std::vector<std::string> StackProfile::innermost(std::int64_t pid, std::string_view syscall,
                                                 Kind from, Kind to, std::size_t most) const {
  // Of the program itself, and of libraries.
  std::map<std::vector<std::string>, std::uint64_t> chains[2];
  for (const SampledStack& entry : entries()) {
    const StackSite& site = *entry.site;
    if (site.pid != pid || site.syscall != syscall || site.from != from || site.to != to) continue;
    std::vector<std::string> found[2];
    for (const StackFrame* frame : entry.user) {
      if (frame->function.empty() || is_of_c_library(*frame)) continue;
      std::vector<std::string>& chain = found[frame->own ? 0 : 1];
      if (chain.size() < most) chain.push_back(frame->function);
    }
    for (std::size_t i = 0; i < std::size(chains); i++)
      if (!found[i].empty()) chains[i][found[i]] += entry.samples;
  }
  for (const auto& of : chains)
    if (!of.empty())
      return std::max_element(of.begin(), of.end(),
                              [](const auto& a, const auto& b) { return a.second < b.second; })
          ->first;
  return {};
}

}  // namespace zctrace
