// SPDX-License-Identifier: MIT
// How far a share of samples may be from the truth.
#pragma once

namespace zctrace {

// With 95 % confidence the true share is this close to `share`, a share of `samples` samples: the
// bound of Wilson's interval that is farthest from the share.
double wilson_margin(double share, double samples);

}  // namespace zctrace
