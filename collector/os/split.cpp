// SPDX-License-Identifier: MIT
#include "collector/os/split.h"

#include <algorithm>

namespace zctrace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::string_view> split_list(std::string_view list) {
  std::vector<std::string_view> words = split(list, ',');
  std::erase(words, std::string_view{});
  return words;
}

}  // namespace zctrace
