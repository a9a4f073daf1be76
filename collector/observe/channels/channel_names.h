// SPDX-License-Identifier: MIT
// What files and sockets are called, as the kernel side tells it when they are first used.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "bpf/abi.h"
#include "collector/model/channels.h"

struct ring_buffer;

namespace zctrace {

// nullopt: the record is cut. Text is as the kernel has it, not checked.
std::optional<std::pair<ChannelId, ChannelName>> parse_channel_name(std::string_view record);

// Owns the mapped records of the kernel side. One thread at a time.
class ChannelNames {
 public:
  // `names` is the map. Throws Error (cannot run here): it cannot be mapped.
  explicit ChannelNames(int names);
  ChannelNames(const ChannelNames&) = delete;  // the buffer refers to it
  ChannelNames& operator=(const ChannelNames&) = delete;

  // Takes what the kernel side told since the last time.
  void read();
  // nullptr: not told, or forgotten. Valid until the next call of read() or forget().
  const ChannelName* find(const ChannelId& channel) const;
  // Whether there are more than a few, so that some should be forgotten.
  bool are_many() const { return names_.size() > most_; }
  // Forgets the names for which `unneeded` is true. If more than half of a few are left, it takes
  // twice as many to be many again.
  template <typename Unneeded>
  void forget(Unneeded unneeded) {
    std::erase_if(names_, [&](const auto& entry) { return unneeded(entry.first); });
    most_ = std::max(kFew, 2 * names_.size());
  }

 private:
  struct FreeNames {
    void operator()(ring_buffer* buffer) const;
  };
  static constexpr std::size_t kFew = 65536;

  std::size_t most_ = kFew;
  std::unique_ptr<ring_buffer, FreeNames> buffer_;
  std::map<ChannelId, ChannelName> names_;
};

}  // namespace zctrace
