// SPDX-License-Identifier: MIT
// Everything comes from CLI11 and set_help(), so that a new option is in it by itself.
#include "cli/options/definition.h"

#include <nlohmann/json.hpp>

#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/views/json_view.h"
#include "collector/observe/syscall_table.h"
#include "transfers/method.h"

namespace zctrace {
namespace {

using Json = nlohmann::ordered_json;

Json names_with_dashes(const CLI::Option& option) {
  Json names = Json::array();
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

Json option_json(CLI::Option& option) {
  const bool has_value = !option.get_type_name().empty();  // a flag has none
  return {{"names", names_with_dashes(option)},
          {"value", has_value ? Json(option.get_type_name()) : Json()},
          {"repeatable", option.get_expected_max() > 1},
          {"meaning", option_meaning(option)},
          {"offers", has_value ? Json(offered(option)) : Json::array()}};
}

// In the order of --help.
Json groups_json(CLI::App& command) {
  Json groups = Json::array();
  for (const std::string& title : help_groups(command)) {
    Json options = Json::array();
    for (CLI::Option* const option : command.get_options())
      if (option->get_group() == title) options.push_back(option_json(*option));
    groups.push_back({{"title", title}, {"options", std::move(options)}});
  }
  return groups;
}

Json lists_json(const std::vector<HelpList>& lists) {
  Json all = Json::array();
  for (const HelpList& list : lists)
    all.push_back({{"title", list.title}, {"entries", list.entries}});
  return all;
}

Json command_json(CLI::App& command) {
  const HelpText& help = help_text(command);
  Json examples = Json::array();
  for (const HelpExample& example : help.examples)
    examples.push_back({{"purpose", example.purpose}, {"command", example.command}});
  return {{"name", command.get_name()},
          {"summary", command.get_description()},
          {"usage", help.usage},
          {"about", help.about},
          {"groups", groups_json(command)},
          {"lists", lists_json(help.lists)},
          {"examples", std::move(examples)},
          {"runs_a_command", command.get_prefix_command()}};
}

}  // namespace

std::string definition_json(CLI::App& app) {
  Json commands = Json::array({command_json(app)});
  for (CLI::App* const command : app.get_subcommands({}))
    if (!command->get_group().empty()) commands.push_back(command_json(*command));
  Json methods = Json::array();
  for (const transfers::Method* const method : transfers::all_methods())
    methods.push_back(method->name);
  const Json definition = {
      {"version", version()},
      {"commands", std::move(commands)},
      {"kinds", {{"@syscall", syscall_names("%all")}, {"@method", std::move(methods)}}}};
  return definition.dump(1) + "\n";
}

}  // namespace zctrace
