// SPDX-License-Identifier: MIT
#include "cli/reading/stacks_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "cli/views/html/flame_json.h"

namespace zctrace {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"all", "process", "user", "call", "kernel"};

// A caller comes before what it calls, so the frames are a tree.
void check_frame(const JsonNode& frame, std::size_t place) {
  const auto parent = frame.count_or_null("parent");
  if (place == 0 && parent) frame.at("parent").refuse("must be null, for the first frame");
  if (place != 0 && (!parent || *parent >= place))
    frame.at("parent").refuse("must be the place of a frame before this one");
  frame.at("name").text();
  const JsonNode kind = frame.at("kind");
  if (std::find(kKinds.begin(), kKinds.end(), kind.text()) == kKinds.end())
    kind.refuse("is not the name of a kind of frame that this version knows");
  for (const char* figure : {"samples", "bytes", "margin_bytes"}) frame.at(figure).count();
}

}  // namespace

void check_stacks(const JsonNode& stacks) {
  for (const char* figure : {"every_bytes", "samples", "left_out"}) stacks.at(figure).count();
  const JsonNode list = stacks.at("frames");
  const std::vector<JsonNode> frames = list.elements();
  if (frames.empty()) list.refuse("must have a frame");
  if (frames.size() > kMostFlameFrames)
    list.refuse(fmt::format("must have at most {} frames", kMostFlameFrames));
  for (std::size_t place = 0; place < frames.size(); ++place) check_frame(frames[place], place);
}

}  // namespace zctrace
