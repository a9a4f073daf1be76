// SPDX-License-Identifier: MIT
// CLI11 parses; the error messages are zctrace's own.
#include "cli/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/options/definition.h"
#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/text/suggestion.h"
#include "cli/text/wrap.h"
#include "cli/views/json_view.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

void print(const std::string& text) { write_all(STDOUT_FILENO, text, "to standard output"); }

std::string version_line() { return "zctrace " + version() + "\n"; }

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* const command : commands) names.push_back(command->get_name());
  return names;
}

// With their dashes.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

const CLI::Option* find_option(const CLI::App& command, const std::string& cli11_name) {
  const auto options = command.get_options();
  const auto found = std::find_if(options.begin(), options.end(), [&](const CLI::Option* option) {
    return option->get_name() == cli11_name;
  });
  return found == options.end() ? nullptr : *found;
}

bool is_number(const std::string& word) {
  return word.find_first_not_of("0123456789,") == std::string::npos;
}

void set_main_help(CLI::App& app) {
  set_help(app,
           {"COMMAND [OPTIONS]",
            {"Run 'zctrace help COMMAND' for the options of a command."},
            {{"Exit status",
              {{"0", "Success"},
               {"1", "Failure"},
               {"2", "Usage error"},
               {"3", "Events were lost (with --strict)"},
               {"77", "This machine or user cannot observe; 'zctrace doctor' says why"},
               {"other", "'run' exits with the status of its command"}}}},
            {{"Count how cp moves the bytes of a file", "sudo zctrace run -- cp big copy"},
             {"Watch every nginx process for ten seconds", "sudo zctrace attach -n nginx -d 10"},
             {"Measure the ways to send a file over TCP", "sudo zctrace compare --to tcp"}}});
}

}  // namespace

CommandLine::CommandLine(std::vector<std::string> words)
    : words_(std::move(words)),
      app_("See how bytes really move: syscalls, bytes, copies and context switches", "zctrace") {
  // The arguments of an observed command are never parsed here, whatever they look like.
  const auto separator = std::find(words_.begin(), words_.end(), "--");
  if (separator != words_.end()) {
    separated_.emplace(separator + 1, words_.end());
    words_.erase(separator, words_.end());
  }
  app_.require_subcommand(0, 1);
  app_.set_version_flag("-V,--version", "", "Print the version")->group("Help");

  add_run_command(app_, separated_, chosen_);
  add_attach_command(app_, chosen_);
  add_top_command(app_, chosen_);
  add_export_command(app_, chosen_);
  add_compare_command(app_, separated_, chosen_);
  add_drain_command(app_, chosen_);
  add_mount_command(app_, chosen_);
  add_report_command(app_, chosen_);
  add_diff_command(app_, chosen_);
  add_fuse_command(app_, chosen_);
  add_doctor_command(app_, chosen_);

  CLI::App* const help = app_.add_subcommand("help", "Print the help of a command");
  help->add_option("command", help_topic_, "The command to explain (default: zctrace itself)")
      ->check(offers({"@command"}))
      ->type_name("COMMAND")
      ->group("Arguments");
  // Hidden: the build makes the man pages and the completions of shells from it.
  help->add_flag("--json", help_as_json_)->group("");
  set_help(*help, {"[COMMAND]",
                   {},
                   {},
                   {{"List the commands", "zctrace help"},
                    {"Print the options and examples of run", "zctrace help run"}}});
  help->callback([this] {
    require_known(help_topic_);
    chosen_ = [this] {
      if (help_as_json_)
        print(definition_json(app_));
      else
        print(this->help(help_topic_, text_width(STDOUT_FILENO)));
      return kExitDone;
    };
  });
  CLI::App* const version = app_.add_subcommand("version", "Print the version");
  set_help(*version, {"", {}, {}, {{"Print the version", "zctrace version"}}});
  version->callback([this] {
    chosen_ = [] {
      print(version_line());
      return kExitDone;
    };
  });
  set_main_help(app_);
}

Action CommandLine::parse() {
  // As git does: print the help for a person, and exit with a status that stops a script.
  if (words_.empty())
    return [this] {
      print(help("", text_width(STDOUT_FILENO)));
      return kExitUsage;
    };
  if (!words_.front().starts_with('-')) require_known(words_.front());
  try {
    // CLI11 takes them from the back.
    app_.parse(std::vector<std::string>(words_.rbegin(), words_.rend()));
  } catch (const CLI::CallForHelp&) {
    return [this] {
      print(help_of(chosen_command(), text_width(STDOUT_FILENO)));
      return kExitDone;
    };
  } catch (const CLI::CallForVersion&) {
    return [] {
      print(version_line());
      return kExitDone;
    };
  } catch (const CLI::ParseError& error) {
    throw Error(message(error), kExitUsage);
  }
  if (!chosen_) throw Error("no command given", kExitUsage);
  return chosen_;
}

std::string CommandLine::usage() const { return usage_line(chosen_command()); }

std::string CommandLine::help(const std::string& command, std::size_t width) const {
  require_known(command);
  return help_of(command.empty() ? app_ : *app_.get_subcommand(command), width);
}

const CLI::App& CommandLine::chosen_command() const {
  const std::vector<CLI::App*> parsed = app_.get_subcommands();
  return parsed.empty() ? app_ : *parsed.back();
}

void CommandLine::require_known(const std::string& command) const {
  const std::vector<std::string> known = names_of(app_.get_subcommands({}));
  if (command.empty() || std::find(known.begin(), known.end(), command) != known.end()) return;
  const std::string near = suggestion(command, known);
  throw Error("unknown command '" + command + "'" +
                  (near.empty() ? "; 'zctrace help' lists the commands" : near),
              kExitUsage);
}

std::string CommandLine::message(const CLI::ParseError& error) const {
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return unexpected();
  // "NAME: why" or "NAME is required"; the name is the option's long one, whatever was typed.
  const std::size_t end = text.find_first_of(": ");
  const CLI::Option* const option = find_option(chosen_command(), text.substr(0, end));
  if (option == nullptr) return text;
  const std::string wanted = option->get_type_name();
  if (error.get_name() == "RequiredError") return "missing " + wanted;
  if (error.get_name() == "ArgumentMismatch" && option->get_type_size() != 0)
    return "option '" + as_typed(*option) + "' needs a value: " + as_typed(*option) + " " + wanted;
  return as_typed(*option) + text.substr(end);
}

// The first unexpected argument, and what may have been meant.
std::string CommandLine::unexpected() const {
  const CLI::App& command = app_.remaining().empty() ? chosen_command() : app_;
  const std::vector<std::string> words = command.remaining();
  const std::string word = words.empty() ? "" : words.front();
  if (!word.starts_with('-')) {
    std::string hint;
    if (command.get_option_no_throw("--pid") != nullptr)
      hint = is_number(word)              ? "; a process is chosen with -p " + word
             : word.ends_with(".service") ? "; a unit is chosen with --unit " + word
                                          : "; processes are chosen by name with -n " + word;
    return "unexpected argument '" + word + "'" + hint;
  }
  std::vector<std::string> known;
  for (const CLI::Option* const option : command.get_options())
    if (!option->get_group().empty())
      for (const std::string& name : names_of(*option)) known.push_back(name);
  const std::string name = word.substr(0, word.find('='));
  return "unknown option '" + name + "'" + (name.starts_with("--") ? suggestion(name, known) : "");
}

std::string CommandLine::as_typed(const CLI::Option& option) const {
  const std::vector<std::string> names = names_of(option);
  for (const std::string& word : words_)
    for (const std::string& name : names)
      if (word == name || word.starts_with(name.starts_with("--") ? name + "=" : name)) return name;
  return option.get_name();
}

}  // namespace zctrace
