// SPDX-License-Identifier: MIT
// Splits what the kernel and users write as lists: "4,8,15", the lines of a /proc file, a path.
#pragma once

#include <string_view>
#include <vector>

namespace zctrace {

// The parts between separators, empty ones too: one more than there are separators. They point
// into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

// The words of a list with commas. Commas may be doubled, and at either end.
std::vector<std::string_view> split_list(std::string_view list);

}  // namespace zctrace
