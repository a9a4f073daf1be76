// SPDX-License-Identifier: MIT
// utf8proc knows UTF-8 and Unicode; what is safe to show is decided here.
#include "cli/text/printable.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cstdint>

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
  utf8proc_int32_t code = 0;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                       static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  if (length <= 0) return {};
  return {static_cast<char32_t>(code), static_cast<std::size_t>(length), true};
}

// More of them would run over the lines above.
constexpr std::size_t kMostMarks = 2;

// Decides for each character of a text, in order, whether to escape it: those that break a line,
// are invisible, or reorder others.
class Hidden {
 public:
  bool operator()(char32_t code) {
    const utf8proc_property_t* const property =
        utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
    const bool hidden = hides(*property);
    if (!is_mark(*property)) marks_left_ = hidden || !carries_marks(*property) ? 0 : kMostMarks;
    return hidden;
  }

 private:
  static bool is_mark(const utf8proc_property_t& property) {
    return property.category == UTF8PROC_CATEGORY_MN || property.category == UTF8PROC_CATEGORY_ME;
  }

  static bool carries_marks(const utf8proc_property_t& property) {
    switch (property.category) {
      case UTF8PROC_CATEGORY_LU:
      case UTF8PROC_CATEGORY_LL:
      case UTF8PROC_CATEGORY_LT:
      case UTF8PROC_CATEGORY_LM:
      case UTF8PROC_CATEGORY_LO:
      case UTF8PROC_CATEGORY_MC: return true;
      default: return false;
    }
  }

  bool hides(const utf8proc_property_t& property) {
    if (property.ignorable) return true;
    switch (property.category) {
      case UTF8PROC_CATEGORY_CN:
      case UTF8PROC_CATEGORY_CC:
      case UTF8PROC_CATEGORY_CF:
      case UTF8PROC_CATEGORY_CS:
      case UTF8PROC_CATEGORY_CO:
      case UTF8PROC_CATEGORY_ZL:
      case UTF8PROC_CATEGORY_ZP: return true;
      case UTF8PROC_CATEGORY_MN:
      case UTF8PROC_CATEGORY_ME:  // as letters of Thai or Hindi have them
        if (marks_left_ == 0) return true;
        --marks_left_;
        return false;
      default: return false;
    }
  }

  std::size_t marks_left_ = 0;  // that the last letter may still carry
};

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
  Hidden is_hidden;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode(text, at);
    if (!c.valid) is_hidden = Hidden();
    const bool hidden = !c.valid || is_hidden(c.code);
    if (c.valid && c.code == '\\') {
      escaped.text += "\\\\";
    } else if (!hidden && (unicode || c.code < 0x80)) {
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
    width +=
        c.valid
            ? static_cast<std::size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(c.code)))
            : 1;
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

std::string cut_in_middle(std::string_view printable_text, std::size_t width, bool unicode) {
  const std::size_t whole = display_width(printable_text);
  if (whole <= width) return std::string(printable_text);
  std::string cut = cut_to_width(printable_text, width / 3, unicode);  // with the mark
  const std::size_t room = width - display_width(cut);
  std::size_t at = 0;
  for (std::size_t left = whole; left > room;) {
    const std::size_t length = decode(printable_text, at).length;
    left -= display_width(printable_text.substr(at, length));
    at += length;
  }
  cut += printable_text.substr(at);
  return cut;
}

}  // namespace zctrace
