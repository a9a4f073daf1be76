// SPDX-License-Identifier: MIT
// CLI11's own formatter shows types, ranges and validators instead of words, and wraps nothing.
#include "cli/options/help_formatter.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "cli/text/wrap.h"

namespace zctrace {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kTermColumns = 26;  // of a term beside its meaning
constexpr const char* kHelpGroup = "Help";

// "zctrace run"
std::string full_name(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

std::string entry(const std::string& term, const std::string& meaning, std::size_t term_columns,
                  std::size_t width) {
  std::string line = std::string(kIndent, ' ') + term;
  const std::size_t column = kIndent + term_columns;
  const bool beside = line.size() + 2 <= column;
  if (!beside) line += '\n';
  line.append(beside ? column - line.size() : column, ' ');
  return wrapped(line + meaning, width, column) + "\n";
}

std::string list_text(const HelpList& list, std::size_t width) {
  std::size_t longest = 0;
  for (const auto& [term, meaning] : list.entries) longest = std::max(longest, term.size());
  std::string text = "\n" + list.title + ":\n";
  for (const auto& [term, meaning] : list.entries)
    text += entry(term, meaning, std::min(longest + 2, kTermColumns), width);
  return text;
}

// "-e, --syscalls LIST", "    --strict"
std::string option_term(const CLI::Option& option) {
  if (option.get_positional()) return option.get_type_name();
  std::string term = "    ";
  if (!option.get_snames().empty()) {
    term = "-" + option.get_snames().front();
    if (!option.get_lnames().empty()) term += ", ";
  }
  if (!option.get_lnames().empty()) term += "--" + option.get_lnames().front();
  if (option.get_type_size() != 0) term += " " + option.get_type_name();
  return term;
}

class HelpFormatter : public CLI::FormatterBase {
 public:
  explicit HelpFormatter(HelpText text) : text_(std::move(text)) {}

  std::string make_help(const CLI::App* command, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    return text(*command, text_width(STDOUT_FILENO));
  }

  std::string usage(const CLI::App& command) const {
    return "Usage: " + full_name(command) + (text_.usage.empty() ? "" : " ") + text_.usage;
  }

  const HelpText& parts() const { return text_; }

  std::string text(const CLI::App& command, std::size_t width) const {
    std::string help = wrapped(command.get_description(), width, 0) + "\n\n";
    help += wrapped(usage(command), width, kIndent) + "\n";
    for (const std::string& paragraph : text_.about)
      help += "\n" + wrapped(paragraph, width, 0) + "\n";
    help += commands(command, width);
    help += options(command, width);
    for (const HelpList& list : text_.lists) help += list_text(list, width);
    if (!text_.examples.empty()) help += "\nExamples:\n";
    for (const HelpExample& example : text_.examples) {
      if (&example != &text_.examples.front()) help += "\n";
      help += "  # " + example.purpose + "\n  " + example.command + "\n";
    }
    return help;
  }

 private:
  static std::string commands(const CLI::App& command, std::size_t width) {
    HelpList list{"Commands", {}};
    for (const CLI::App* const sub : command.get_subcommands({}))
      if (!sub->get_group().empty())
        list.entries.emplace_back(sub->get_name(), sub->get_description());
    return list.entries.empty() ? "" : list_text(list, width);
  }

  static std::string options(const CLI::App& command, std::size_t width) {
    std::string text;
    for (const std::string& group : help_groups(command)) {
      text += "\n" + group + ":\n";
      for (const CLI::Option* const option : command.get_options())
        if (option->get_group() == group)
          text += entry(option_term(*option), option_meaning(*option), kTermColumns, width);
    }
    return text;
  }

  HelpText text_;
};

const HelpFormatter& formatter_of(const CLI::App& command) {
  return dynamic_cast<const HelpFormatter&>(*command.get_formatter());
}

}  // namespace

void set_help(CLI::App& command, HelpText text) {
  command.formatter(std::make_shared<HelpFormatter>(std::move(text)));
  if (CLI::Option* const help = command.get_help_ptr())
    help->description("Print this help")->group(kHelpGroup);
}

std::string help_of(const CLI::App& command, std::size_t width) {
  return formatter_of(command).text(command, width);
}

const HelpText& help_text(const CLI::App& command) { return formatter_of(command).parts(); }

std::vector<std::string> help_groups(const CLI::App& command) {
  std::vector<std::string> groups = command.get_groups();
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != kHelpGroup; });
  const auto options = command.get_options();
  std::erase_if(groups, [&](const std::string& group) {
    return group.empty() || std::none_of(options.begin(), options.end(), [&](const auto* option) {
             return option->get_group() == group;
           });
  });
  return groups;
}

std::string option_meaning(const CLI::Option& option) {
  std::string meaning = option.get_description();
  if (option.get_type_size() != 0 && !option.get_default_str().empty())
    meaning += " (default: " + option.get_default_str() + ")";
  return meaning;
}

std::string usage_line(const CLI::App& command) { return formatter_of(command).usage(command); }

}  // namespace zctrace
