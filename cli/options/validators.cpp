// SPDX-License-Identifier: MIT
// A validator returns why it refuses a value, or "". Without a description of its own it leaves
// no trace in --help.
#include "cli/options/validators.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "cli/text/suggestion.h"
#include "cli/text/units.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

// A validator carries its words in its name, which CLI11 shows nowhere: an option has no other
// place for them.
const std::string kOffers = "offers ";

CLI::Validator checked(std::function<std::string(std::string&)> check) {
  return CLI::Validator(std::move(check), "");
}

}  // namespace

CLI::Validator offers(const std::vector<std::string>& words) {
  CLI::Validator all = checked([](const std::string&) { return std::string(); });
  return all.name(kOffers + fmt::format("{}", fmt::join(words, " ")));
}

std::vector<std::string> offered(CLI::Option& option) {
  try {
    for (int i = 0;; ++i) {
      const std::string name = option.get_validator(i)->get_name();
      if (!name.starts_with(kOffers)) continue;
      std::vector<std::string> words;
      for (const std::string_view word : split(std::string_view(name).substr(kOffers.size()), ' '))
        words.emplace_back(word);
      return words;
    }
  } catch (
      const CLI::OptionNotFound&) {  // the index of the last validator is known in no other way
  }
  if (option.get_type_name() == "FILE") return {"@file"};
  if (option.get_type_name() == "DIR") return {"@directory"};
  return {};
}

CLI::Validator one_of(std::vector<std::string> values) {
  const std::string name = offers(values).get_name();
  CLI::Validator one =
      checked([values = std::move(values)](const std::string& text) -> std::string {
        std::string list;
        for (const std::string& value : values) {
          if (text == value) return "";
          list += (list.empty() ? "" : ", ") + value;
        }
        return fmt::format("'{}' is not one of {}{}", text, list, suggestion(text, values));
      });
  return one.name(name);
}

CLI::Validator number_from(std::uint64_t least, std::uint64_t most) {
  return checked([least, most](const std::string& text) -> std::string {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    const bool digits = parsed.ptr == end && parsed.ec != std::errc::invalid_argument;
    if (digits && parsed.ec == std::errc() && number >= least && number <= most) return "";
    return fmt::format("'{}' is not a number from {} to {}", text, least, most);
  });
}

CLI::Validator size_in_bytes() {
  return checked([](const std::string& text) -> std::string {
    try {
      return parse_size(text) == 0 ? "must be greater than 0" : "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  });
}

CLI::Validator duration_in_ns(std::chrono::nanoseconds shortest) {
  return checked([shortest](std::string& text) -> std::string {
    try {
      const std::uint64_t ns = parse_duration(text);
      const auto least = static_cast<std::uint64_t>(shortest.count());
      if (ns == 0) return "must be greater than 0";
      if (ns < least) return "must be at least " + format_ns(least);
      text = std::to_string(ns);
      return "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  });
}

CLI::Validator file_name() {
  CLI::Validator file = checked([](const std::string& text) -> std::string {
    return text.empty() ? "needs the name of a file; '-' is standard output" : "";
  });
  return file.name(offers({"@file"}).get_name());
}

CLI::Validator not_empty() {
  return checked(
      [](const std::string& text) -> std::string { return text.empty() ? "needs a value" : ""; });
}

CLI::Option* add_duration_option(CLI::App& command, const std::string& names,
                                 std::optional<std::chrono::nanoseconds>& value,
                                 const std::string& description,
                                 std::chrono::nanoseconds shortest) {
  return command
      .add_option_function<std::uint64_t>(
          names,
          [&value](const std::uint64_t& ns) {
            value = std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
          },
          description)
      ->transform(duration_in_ns(shortest))
      ->type_name("TIME");
}

}  // namespace zctrace
