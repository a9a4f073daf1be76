// SPDX-License-Identifier: MIT
// A program of the user's that moves the bytes, and how its command line is written.
//
// A command line is split into words at spaces, tabs and line ends. '…' keeps everything, "…"
// everything but \" and \\, and a backslash elsewhere keeps the next character. Nothing else is
// special: there is no shell, so no variables, patterns or redirections.
//
// {name}, in lowercase letters, is a placeholder; {{name}} is the text {name}. All other braces are
// text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zctrace::transfers {

struct Program {
  std::string name;
  std::vector<std::string> words;  // the first is the program; placeholders are not replaced yet
  bool has_placeholders = true;    // false: words are text, whatever they look like

  bool uses(std::string_view placeholder) const;
};

// Throws std::invalid_argument: a quote that is not closed, or no word at all.
std::vector<std::string> split_words(std::string_view command);

// The names of the placeholders in `words`, each once, in their order.
std::vector<std::string> placeholders_in(const std::vector<std::string>& words);

using PlaceholderValues = std::map<std::string, std::string, std::less<>>;

// `words` with each placeholder replaced. One that has no value stays as it is.
std::vector<std::string> with_values(const std::vector<std::string>& words,
                                     const PlaceholderValues& values);

}  // namespace zctrace::transfers
