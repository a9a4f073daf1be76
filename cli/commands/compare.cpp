// SPDX-License-Identifier: MIT
// `zctrace compare`: the transfer methods against each other.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/compare/plan.h"
#include "cli/compare/run.h"
#include "cli/options/output_options.h"
#include "cli/output/outputs.h"
#include "cli/views/compare_view.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "transfers/method.h"

namespace zctrace {
namespace {

int compare(const CompareOptions& options, const OutputOptions& output) {
  const ComparePlan plan = plan_compare(options);
  require_observation();
  Outputs outputs(output, STDOUT_FILENO);
  const CompareResult compared = run_compare(plan);
  if (compared.interrupted_by != 0) return 128 + compared.interrupted_by;
  outputs.write({[&] { return compare_table(compared, outputs.style()); },
                 [&] { return compare_json(compared).dump(2) + "\n"; },
                 [&] { return compare_csv(compared); },
                 [&] { return compare_markdown(compared); }});
  const bool any = std::any_of(compared.methods.begin(), compared.methods.end(),
                               [](const MethodResult& result) { return result.timed(); });
  if (!any) return kExitFailed;
  return output.strict && compared.completeness.lost_events() != 0 ? kExitLost : kExitDone;
}

}  // namespace

void add_compare_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<CompareOptions>();
  auto output = std::make_shared<OutputOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Measure the transfer methods against each other, counts beside timings");
  std::string methods = "\nMethods:\n";
  for (const transfers::Method* method : transfers::all_methods())
    methods += fmt::format("  {:<20} {}\n", method->name, method->summary);
  command->footer("Usage: zctrace compare [OPTIONS]\n" + methods);
  command
      ->add_option("--from", options->route.from,
                   "disk, tmpfs or fuse (a file is made), or the path of a file")
      ->type_name("SOURCE")
      ->capture_default_str();
  command
      ->add_option("--to", options->route.to,
                   "unix, tcp, file, file:other-fs, file:DIR, fuse, pipe, pipe:1M, null")
      ->type_name("SINK")
      ->capture_default_str();
  command
      ->add_option("--fuse-splice", options->route.fuse_splice,
                   "Whether the FUSE daemon splices or copies: on, off, both (a row for each)")
      ->check(CLI::IsMember({"on", "off", "both"}))
      ->type_name("WHICH");
  command->add_option("--size", options->route.size, "Size of the file that is made")
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--methods", options->methods, "METHOD or METHOD/BUFFER, with commas; all")
      ->type_name("LIST");
  command->add_option("--buffers", options->buffers, "Sizes for each method, with commas; whole")
      ->type_name("LIST");
  command->add_option("--runs", options->runs, "Timed runs of each")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "Runs before those; the first one verifies")
      ->check(CLI::Range(0U, 10000U))
      ->capture_default_str();
  command->add_option("--drain-read", options->drain_read, "What the reader asks for a read")
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--drain", options->drain, "How the reader takes the bytes: read or splice")
      ->check(CLI::IsMember({"read", "splice"}))
      ->capture_default_str();
  command->add_option("--baseline", options->baseline, "The row that ratios refer to (the first)")
      ->type_name("METHOD/BUFFER");
  command->add_option("--sort", options->sort, "time, cpu, syscalls or switches (as given)")
      ->check(CLI::IsMember({"time", "cpu", "syscalls", "switches"}));
  command->add_flag("--cold", options->cold, "Drop the source from the page cache before each run");
  add_file_options(*command, *output);
  command->callback([options, output, &chosen] {
    chosen = [options, output] { return compare(*options, *output); };
  });
}

}  // namespace zctrace
