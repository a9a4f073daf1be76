// SPDX-License-Identifier: MIT
// Splits a command line, and finds and replaces its placeholders.
#include "transfers/external/program.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>

namespace zctrace::transfers {
namespace {

constexpr std::string_view kBlank = " \t\n";

// Takes the characters of `rest` up to `quote`, which must come, and appends them to `word`.
void take_quoted(std::string_view& rest, char quote, std::string& word) {
  while (!rest.empty()) {
    char next = rest.front();
    rest.remove_prefix(1);
    if (next == quote) return;
    const bool escapes = quote == '"' && next == '\\' && !rest.empty() &&
                         (rest.front() == '"' || rest.front() == '\\');
    if (escapes) {
      next = rest.front();
      rest.remove_prefix(1);
    }
    word += next;
  }
  throw std::invalid_argument(std::string("a ") + quote + " is not closed");
}

std::string take_word(std::string_view& rest) {
  std::string word;
  while (!rest.empty() && kBlank.find(rest.front()) == std::string_view::npos) {
    const char next = rest.front();
    rest.remove_prefix(1);
    if (next == '\'' || next == '"') {
      take_quoted(rest, next, word);
    } else if (next == '\\') {
      if (rest.empty()) throw std::invalid_argument("a backslash is at the end");
      word += rest.front();
      rest.remove_prefix(1);
    } else {
      word += next;
    }
  }
  return word;
}

// How many characters of `text`, which begins with '{', are "{name}"; 0: it is something else.
std::size_t placeholder_size(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
  return at > 1 && at < text.size() && text[at] == '}' ? at + 1 : 0;
}

// Hands `text` over in parts: text, and the names of placeholders.
void read(std::string_view text, const std::function<void(std::string_view)>& add_text,
          const std::function<void(std::string_view name)>& add_placeholder) {
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    add_text(text.substr(0, brace));
    text.remove_prefix(brace);
    if (text.empty()) return;
    const bool doubled = text.starts_with("{{");
    const std::size_t size = placeholder_size(text.substr(doubled ? 1 : 0));
    if (doubled && size != 0 && text.substr(1 + size).starts_with('}')) {
      add_text(text.substr(1, size));
      text.remove_prefix(size + 2);
    } else if (!doubled && size != 0) {
      add_placeholder(text.substr(1, size - 2));
      text.remove_prefix(size);
    } else {
      add_text(text.substr(0, 1));
      text.remove_prefix(1);
    }
  }
}

}  // namespace

std::vector<std::string> split_words(std::string_view command) {
  std::vector<std::string> words;
  for (;;) {
    const std::size_t start = command.find_first_not_of(kBlank);
    if (start == std::string_view::npos) break;
    command.remove_prefix(start);
    words.push_back(take_word(command));
  }
  if (words.empty() || words.front().empty()) throw std::invalid_argument("there is no command");
  return words;
}

std::vector<std::string> placeholders_in(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words)
    read(
        word, [](std::string_view) {},
        [&](std::string_view name) {
          if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
        });
  return names;
}

bool Program::uses(std::string_view placeholder) const {
  if (!has_placeholders) return false;
  const std::vector<std::string> names = placeholders_in(words);
  return std::find(names.begin(), names.end(), placeholder) != names.end();
}

std::vector<std::string> with_values(const std::vector<std::string>& words,
                                     const PlaceholderValues& values) {
  std::vector<std::string> filled;
  for (const std::string& word : words) {
    std::string& text = filled.emplace_back();
    read(
        word, [&](std::string_view part) { text += part; },
        [&](std::string_view name) {
          const auto value = values.find(name);
          text += value != values.end() ? value->second : "{" + std::string(name) + "}";
        });
  }
  return filled;
}

}  // namespace zctrace::transfers
