// SPDX-License-Identifier: MIT
// A strict UTF-8 decoder (Unicode 15, table 3-7) and what is built on it.
#include "cli/text/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace zctrace {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Decoded {
  char32_t code = 0;
  std::size_t length = 1;  // bytes; of a broken sequence, the one to step over
  bool valid = false;
};

// Requires at < text.size().
Decoded decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, length, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in_any(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](Range r) { return code >= r.first && code <= r.last; });
}

// Controls, line separators, combining marks, invisible and bidirectional format characters:
// they break a line, hide text or swap its order.
constexpr std::array<Range, 19> kHidden{{{0x00, 0x1F},
                                         {0x7F, 0x9F},
                                         {0xAD, 0xAD},
                                         {0x300, 0x36F},
                                         {0x61C, 0x61C},
                                         {0x180B, 0x180F},
                                         {0x1AB0, 0x1AFF},
                                         {0x1DC0, 0x1DFF},
                                         {0x200B, 0x200F},
                                         {0x2028, 0x202E},
                                         {0x2060, 0x206F},
                                         {0x20D0, 0x20FF},
                                         {0xFE00, 0xFE0F},
                                         {0xFE20, 0xFE2F},
                                         {0xFEFF, 0xFEFF},
                                         {0xFFF0, 0xFFFB},
                                         {0xFFFE, 0xFFFF},
                                         {0xE0000, 0xE0FFF},
                                         {0xF0000, 0x10FFFF}}};

// East Asian wide and full-width blocks and emoji, coarsely: a column off is harmless.
constexpr std::array<Range, 13> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x4DBF},
                                       {0x4E00, 0x9FFF},
                                       {0xA000, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};

std::string escape(char32_t code) {
  switch (code) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  const auto number = static_cast<std::uint32_t>(code);
  if (code < 0x80) return fmt::format("\\x{:02x}", number);
  return code < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

struct Escaped {
  std::string text;
  bool changed = false;  // something other than a backslash was escaped
};

Escaped escape_all(std::string_view text, bool unicode) {
  Escaped escaped;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode(text, at);
    if (c.valid && c.code == '\\') {
      escaped.text += "\\\\";
    } else if (c.valid && !in_any(kHidden, c.code) && (unicode || c.code < 0x80)) {
      escaped.text += text.substr(at, c.length);
    } else {
      escaped.changed = true;
      escaped.text +=
          c.valid ? escape(c.code) : fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    }
    at += c.length;
  }
  return escaped;
}

std::string with_quotes_replaced(std::string_view text, std::string_view replacement) {
  std::string replaced;
  for (const char c : text) {
    if (c == '\'') {
      replaced += replacement;
    } else {
      replaced += c;
    }
  }
  return replaced;
}

std::string shell_word(std::string_view word, bool unicode) {
  static constexpr std::string_view kSpecial = " !\"#$&'()*;<>?[\\]^`{|}~";
  const Escaped escaped = escape_all(word, unicode);
  if (escaped.changed) return "$'" + with_quotes_replaced(escaped.text, "\\'") + "'";
  if (!word.empty() && word.find_first_of(kSpecial) == std::string_view::npos) {
    return std::string(word);
  }
  return "'" + with_quotes_replaced(word, "'\\''") + "'";
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode(text, at);
    valid += c.valid ? text.substr(at, c.length) : kReplacement;
    at += c.length;
  }
  return valid;
}

std::string printable(std::string_view text, bool unicode) {
  return escape_all(text, unicode).text;
}

std::string shell_words(const std::vector<std::string>& argv, bool unicode) {
  std::string line;
  for (const std::string& word : argv) {
    if (!line.empty()) line += ' ';
    line += shell_word(word, unicode);
  }
  return line;
}

std::size_t display_width(std::string_view printable_text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < printable_text.size();) {
    const Decoded c = decode(printable_text, at);
    width += c.valid && in_any(kWide, c.code) ? 2 : 1;
    at += c.length;
  }
  return width;
}

std::string cut_to_width(std::string_view printable_text, std::size_t width, bool unicode) {
  if (display_width(printable_text) <= width) return std::string(printable_text);
  if (width == 0) return {};
  std::string cut;
  std::size_t used = 0;
  for (std::size_t at = 0; at < printable_text.size();) {
    const std::size_t length = decode(printable_text, at).length;
    const std::string_view character = printable_text.substr(at, length);
    used += display_width(character);
    if (used > width - 1) break;
    cut += character;
    at += length;
  }
  return cut + (unicode ? std::string(kEllipsis) : "~");
}

}  // namespace zctrace
