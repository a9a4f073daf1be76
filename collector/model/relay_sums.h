// SPDX-License-Identifier: MIT
// Relays of several processes added up. Pure.
#pragma once

#include <vector>

#include "collector/model/relays.h"

namespace zctrace {

// By calls and kinds, without channels: however many processes are added up, the sum stays small.
void add_relays(std::vector<Relay>& sum, const std::vector<Relay>& more);

// The same for what was passed on earlier; never below zero.
void subtract_relays(std::vector<Relay>& sum, const std::vector<Relay>& earlier);

}  // namespace zctrace
