// SPDX-License-Identifier: MIT
// `zctrace report FILE`: a report that was saved, printed again.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/reading/saved_grouping.h"
#include "cli/reading/saved_report.h"
#include "cli/recording/recorded_report.h"
#include "cli/views/compare/compare_view.h"
#include "cli/views/html/html_page.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

struct ReportOptions {
  std::string file;
  OutputOptions output;
  RecordingPart part;
};

void write(Outputs& outputs, const SavedFile& file, const SavedReport& saved,
           std::optional<GroupBy> by) {
  if (const auto* const report = std::get_if<Report>(&saved.report)) {
    if (file.intervals)
      outputs.write_saved_interval(*report, saved.text);
    else
      outputs.write_saved(*report, saved.text, saved.json);
    return;
  }
  const CompareResult& compared = std::get<CompareResult>(saved.report);
  outputs.write({[&] { return compare_table(compared, outputs.style(), by); },
                 [&] { return saved.text; }, [&] { return compare_csv(compared, by); },
                 [&] { return compare_markdown(compared, by); },
                 [&] { return html_page(saved.json); }});
}

bool is_whole(const SavedReport& saved) {
  return std::visit([](const auto& report) { return report.completeness.whole(); }, saved.report);
}

int report(const ReportOptions& options) {
  const bool recording = is_recording(options.file);
  if (!recording && !options.part.is_whole())
    throw Error("--from and --to choose a part of a recording (--record)", kExitUsage);
  const SavedFile file =
      recording ? read_recording(options.file, options.part) : read_saved_file(options.file);
  check_by(file, options.output.by);
  if (!options.output.csv.empty()) refuse_estimates(file, "a reader of --csv");
  if (!options.output.html.empty()) refuse_estimates(file, "a reader of --html");
  OutputOptions output = options.output;
  if (output.by.empty()) output.by = saved_by(file.reports.front().json);
  Outputs outputs(output, STDOUT_FILENO);
  bool whole = true;
  for (const SavedReport& saved : file.reports) {
    write(outputs, file, saved, group_by(options.output));
    whole &= is_whole(saved);
  }
  outputs.finish_intervals();
  if (file.cut_off)
    say(fmt::format("warning: the last line of '{}' is cut off; it is left out", file.name));
  return output.strict && !whole ? kExitLost : kExitDone;
}

}  // namespace

void add_report_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "Print a saved report again");
  command->add_option("file", options->file, "What --json or --record saved; '-' is standard input")
      ->check(file_name())
      ->required()
      ->type_name("FILE")
      ->group("Arguments");
  add_duration_option(*command, "--from", options->part.from,
                      "Of a recording, leave out what ended before TIME (since its start)")
      ->group("What to show");
  add_duration_option(*command, "--to", options->part.to,
                      "Of a recording, leave out what began at TIME or later")
      ->group("What to show");
  add_by_option(*command, options->output);
  add_file_options(*command, options->output);
  add_html_option(*command, options->output);
  set_help(
      *command,
      {"[OPTIONS] FILE",
       {"Prints the table of a report that --json or --record saved, or "
        "converts it. Without --by it groups as the report was grouped. Needs neither root nor "
        "BPF."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "FILE is not a report that this version can read"},
          {"2", "Usage error"},
          {"3", "Events were lost when the report was made (with --strict)"}}}},
       {{"Print a saved report", "zctrace report before.json"},
        {"Print the second minute of a recording", "zctrace report --from 1m --to 2m before.db"},

        {"Turn it into a spreadsheet", "zctrace report before.json -q --csv before.csv"}}});
  command->callback([options, &chosen] { chosen = [options] { return report(*options); }; });
}

}  // namespace zctrace
