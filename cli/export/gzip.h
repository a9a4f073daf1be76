// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace zctrace {

// `text` in gzip's format. Throws Error.
std::string gzip(std::string_view text);

}  // namespace zctrace
