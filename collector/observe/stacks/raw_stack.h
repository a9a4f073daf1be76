// SPDX-License-Identifier: MIT
// A sample as the kernel side sent it: registers, return addresses, and parts of the user stack.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "bpf/stacks/stack_records.h"

namespace zctrace {

struct RawStack {
  struct Part {
    std::uint64_t address = 0;
    std::string memory;
  };

  zc_stack_sample sample{};
  std::vector<Part> parts;

  // The word at `address`; nullopt: it was not copied.
  std::optional<std::uint64_t> word(std::uint64_t address) const {
    unsigned char bytes[sizeof(std::uint64_t)];
    for (std::size_t i = 0; i < sizeof(bytes); i++) {
      const Part* part = nullptr;
      for (const Part& one : parts)
        if (address + i >= one.address && address + i - one.address < one.memory.size())
          part = &one;
      if (part == nullptr) return std::nullopt;
      // Usually the whole word is in one part.
      const std::size_t at = address + i - part->address;
      const std::size_t count = std::min(sizeof(bytes) - i, part->memory.size() - at);
      std::memcpy(bytes + i, part->memory.data() + at, count);
      i += count - 1;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
};

}  // namespace zctrace
