// SPDX-License-Identifier: MIT
// Names and command lines are untrusted. They must pass through here before they reach a terminal
// or a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zctrace {

// Every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

// One line without control characters, escape sequences, invisible or direction-changing
// characters: these, broken UTF-8 and the backslash itself appear as \n, \x1b, \u202e, \\.
// Without `unicode` all that is not ASCII is escaped as well.
std::string printable(std::string_view text, bool unicode);

// A command line to read, and to paste into bash: words quoted where needed.
std::string shell_words(const std::vector<std::string>& argv, bool unicode);

// Columns that printable() text takes on a terminal.
std::size_t display_width(std::string_view printable_text);

// At most `width` columns of it; the last one shows that something is missing.
std::string cut_to_width(std::string_view printable_text, std::size_t width, bool unicode);

// At most `width` columns of it; where something is missing in the middle, a character shows it.
// Of a path, most of what is left is the end.
std::string cut_in_middle(std::string_view printable_text, std::size_t width, bool unicode);

}  // namespace zctrace
