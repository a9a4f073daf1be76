// SPDX-License-Identifier: MIT
#include "cli/views/html/flame_json.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/stacks_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLongestName = 100;  // columns; a function of a template may have thousands

// A frame in the place where it was called. Frames refer to each other by their places in one list.
struct FlameFrame {
  std::string name;
  std::string_view kind;
  std::uint64_t samples = 0;
  std::vector<std::size_t> children{};
};

class FlameTree {
 public:
  void add(const std::vector<FoldedFrame>& frames, std::uint64_t samples) {
    std::size_t place = 0;
    nodes_[place].samples += samples;
    for (const FoldedFrame& frame : frames) {
      place = child(place, frame);
      nodes_[place].samples += samples;
    }
  }

  std::size_t size() const { return nodes_.size(); }

  // The frames with the most samples, the callers of each among them: a caller has as many samples
  // at least, and comes first in the list.
  std::vector<bool> largest(std::size_t most) const {
    std::vector<std::size_t> order(nodes_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [this](std::size_t one, std::size_t other) {
      return nodes_[one].samples > nodes_[other].samples;
    });
    std::vector<bool> chosen(nodes_.size());
    for (std::size_t i = 0; i < std::min(most, order.size()); ++i) chosen[order[i]] = true;
    return chosen;
  }

  // Appends a frame and those that it called. It is as deep as a stack, whose frames StackReader
  // bounds.
  void list(const StackProfile& profile, const std::vector<bool>& chosen, ordered_json& frames,
            std::size_t place = 0, const ordered_json& parent = nullptr) const {
    const FlameFrame& node = nodes_[place];
    const std::size_t own = frames.size();
    frames.push_back({{"parent", parent},
                      {"name", cut_to_width(node.name, kLongestName, true)},
                      {"kind", node.kind},
                      {"samples", node.samples},
                      {"bytes", profile.bytes(node.samples)},
                      {"margin_bytes", profile.margin(node.samples)}});
    std::vector<std::size_t> shown;
    for (const std::size_t one : node.children)
      if (chosen[one]) shown.push_back(one);
    // By name, so that two flame graphs look alike.
    std::sort(shown.begin(), shown.end(), [this](std::size_t one, std::size_t other) {
      return nodes_[one].name < nodes_[other].name;
    });
    for (const std::size_t one : shown) list(profile, chosen, frames, one, own);
  }

 private:
  std::size_t child(std::size_t parent, const FoldedFrame& frame) {
    const auto [found, is_new] = places_.try_emplace({parent, frame.kind, frame.name}, size());
    if (is_new) {
      nodes_.push_back({frame.name, frame.kind});
      nodes_[parent].children.push_back(found->second);
    }
    return found->second;
  }

  std::vector<FlameFrame> nodes_{{"all", "all"}};
  std::map<std::tuple<std::size_t, std::string_view, std::string>, std::size_t> places_;
};

}  // namespace

ordered_json flame_json(const StackProfile& profile) {
  FlameTree tree;
  for (const StackProfile::SampledStack& entry : profile.entries())
    tree.add(folded_frames(entry), entry.samples);
  ordered_json frames = ordered_json::array();
  tree.list(profile, tree.largest(kMostFlameFrames), frames);
  return {{"every_bytes", profile.every()},
          {"samples", profile.samples()},
          {"left_out", tree.size() - frames.size()},
          {"frames", std::move(frames)}};
}

void add_stacks_json(ordered_json& report, const StackProfile* stacks) {
  if (stacks != nullptr && stacks->samples() != 0) report["stacks"] = flame_json(*stacks);
}

}  // namespace zctrace
