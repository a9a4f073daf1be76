// SPDX-License-Identifier: MIT
// The network devices of this process's network namespace.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace zctrace {

struct NetworkDevice {
  std::string name;
  std::optional<bool> gathers;  // sends from several places in memory; nullopt: it does not say
};

// Asks the kernel, because /sys may belong to another namespace. nullopt: it does not answer.
std::optional<std::vector<NetworkDevice>> network_devices();

}  // namespace zctrace
