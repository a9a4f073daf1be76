// SPDX-License-Identifier: MIT
// The names are an interface: JSON and the schema have them.
#include "collector/model/advice.h"

namespace zctrace {

std::string_view advice_kind_name(AdviceKind kind) {
  switch (kind) {
    case AdviceKind::relay: return "relay";
    case AdviceKind::small_buffer: return "small_buffer";
    case AdviceKind::fallback: return "fallback";
    case AdviceKind::direct_fallback: return "direct_fallback";
    case AdviceKind::zerocopy_copied: return "zerocopy_copied";
    case AdviceKind::tls_software: return "tls_software";
    case AdviceKind::blocked: return "blocked";
  }
  return "relay";  // a value out of range
}

}  // namespace zctrace
