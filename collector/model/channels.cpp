// SPDX-License-Identifier: MIT
// Text of devices.
#include "collector/model/channels.h"

namespace zctrace {

std::string device_text(std::uint32_t device) {
  constexpr unsigned kMinorBits = 20;
  return std::to_string(device >> kMinorBits) + ":" +
         std::to_string(device & ((1U << kMinorBits) - 1));
}

}  // namespace zctrace
