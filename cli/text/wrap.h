// SPDX-License-Identifier: MIT
// Prose in lines that fit a terminal.
#pragma once

#include <cstddef>
#include <string>

namespace zctrace {

// Columns for text on this descriptor: the terminal's, at most 100; 80 for anything else.
std::size_t text_width(int fd);

// Breaks `text` between words into lines of at most `width` columns; all but the first begin with
// `indent` spaces.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace zctrace
