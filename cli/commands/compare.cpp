// SPDX-License-Identifier: MIT
// `zctrace compare`: the transfer methods against each other.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands/action.h"
#include "cli/compare/plan.h"
#include "cli/compare/programs/program_list.h"
#include "cli/compare/route.h"
#include "cli/compare/run.h"
#include "cli/options/compare_options.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/views/compare/compare_view.h"
#include "cli/views/html/html_page.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "transfers/method.h"

namespace zctrace {
namespace {

int compare(const CompareOptions& options, const OutputOptions& output) {
  ComparePlan plan = plan_compare(options);
  const std::optional<GroupBy> by = group_by(output);
  plan.channels = is_by_channel(by);
  plan.profile_hz = profile_hz(options.profile);
  require_observation();
  require_fuse_modes(plan);
  Outputs outputs(output, STDOUT_FILENO);
  const CompareResult compared = run_compare(plan);
  const int interrupted = compared.interrupted_by != 0 ? 128 + compared.interrupted_by : 0;
  if (interrupted != 0 && compared.rounds_done == 0)
    throw Error("interrupted before the first round was complete; nothing to report", interrupted);
  outputs.write({[&] { return compare_table(compared, outputs.style(), by); },
                 [&] { return compare_json(compared).dump(2) + "\n"; },
                 [&] { return compare_csv(compared, by); },
                 [&] { return compare_markdown(compared, by); },
                 [&] { return html_page(compare_json(compared)); }});
  const bool any = std::any_of(compared.methods.begin(), compared.methods.end(),
                               [](const MethodResult& result) { return result.timed(); });
  if (interrupted != 0) return interrupted;
  if (!any) return kExitFailed;
  return output.strict && compared.completeness.lost_events() != 0 ? kExitLost : kExitDone;
}

}  // namespace

void add_compare_command(CLI::App& app, const Separated& separated, Action& chosen) {
  auto options = std::make_shared<CompareOptions>();
  auto output = std::make_shared<OutputOptions>();
  auto programs = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("compare", "Measure the transfer methods against each other");
  add_compare_options(*command, *options);
  add_programs_option(*command, *programs);
  command
      ->add_option("--by", output->by,
                   "Also show the calls of each method and their times (syscall), or the files or "
                   "peers that it used (file, peer)")
      ->check(one_of({"syscall", "file", "peer"}))
      ->type_name("WHAT")
      ->group("Output");
  add_file_options(*command, *output);
  add_html_option(*command, *output);
  HelpList methods{"Methods", {}};
  for (const transfers::Method* method : transfers::all_methods())
    methods.entries.emplace_back(method->name, method->summary);
  set_help(*command,
           {"[OPTIONS] [-- COMMAND ::: COMMAND...]",
            {"Moves a file to a sink with each method, and verifies the bytes. The times come from "
             "interleaved rounds without observation, the counts from a separate round with it.",
             "By default it moves 256 MiB 84 times, which is 21 GiB, and needs 256 MiB of disk "
             "space; --size and --runs reduce both. See docs/cost.md.",
             "With commands, it compares these instead, by time, CPU time and counts."},
            {methods,
             {"Placeholders of --program (docs/programs.md)",
              {{"{source}", "The file to read; also the standard input"},
               {"{sink}", "A file to write, a socket to connect to, or the standard output"},
               {"{host}, {port}", "Of a TCP sink"},
               {"{size}, {buffer}", "Numbers of bytes; a row for each of --buffers"}}},
             {"Exit status",
              {{"0", "Success"},
               {"1", "No method works from this source to this sink, or zctrace failed"},
               {"2", "Usage error"},
               {"3", "Events were lost (with --strict)"},
               {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
            {{"Compare the usual methods from a file to a Unix socket", "sudo zctrace compare"},
             {"Find the best way to send a file over TCP",
              "sudo zctrace compare --to tcp --methods all --sort time"},
             {"Send to another machine, which runs 'zctrace drain --listen 0.0.0.0:9000'",
              "sudo zctrace compare --to tcp:192.0.2.1:9000"},
             {"Compare a program of your own with them",
              "sudo zctrace compare --program 'mine=./send {source} {sink}'"},
             {"Compare commands with each other",
              "sudo zctrace compare -- cp a b ::: dd if=a of=b bs=64K"},
             {"Compare two methods with a cold page cache",
              "sudo zctrace compare --cold --methods read_write/64K,sendfile/whole"}}});
  command->callback([command, options, output, programs, &separated, &chosen] {
    if (separated) {
      refuse_transfer_options(*command);
      options->commands = *separated;
      if (separated->empty()) throw Error("no command given", kExitUsage);
    }
    chosen = [options, output, programs] {
      const std::string missing = add_listed_programs(*options, *programs);
      if (!missing.empty()) say(missing);
      return compare(*options, *output);
    };
  });
}

}  // namespace zctrace
