// SPDX-License-Identifier: MIT
// Each view is made only where it is wanted.
#include "cli/output/outputs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/views/csv_view.h"
#include "cli/views/html/flame_json.h"
#include "cli/views/html/html_page.h"
#include "cli/views/html/interval_json.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount/mount_view.h"
#include "cli/views/stacks_view.h"
#include "cli/views/table_view.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// `zctrace mount` has formats of its own. For `run --mount` the mount is a part of the report.
bool is_of_mount(const Report& report) { return report.command == "mount"; }

std::string table_of(const Report& report, const OutputOptions& options, const TableStyle& style) {
  if (is_of_mount(report)) return mount_table(report, style);
  const std::string table = table_view(report, group_by(options), style);
  return report.mount ? table + "\n" + mount_part_table(report, style) : table;
}

nlohmann::ordered_json json_of(const Report& report, const OutputOptions& options,
                               const StackProfile* stacks = nullptr) {
  if (is_of_mount(report)) return mount_json(report);
  nlohmann::ordered_json json = report_json(report, options.by, options.channels);
  if (report.mount) add_mount_json(json, report);
  add_stacks_json(json, stacks);
  return json;
}

std::string csv_of(const Report& report, const OutputOptions& options, std::string_view time = {}) {
  return is_of_mount(report) ? mount_csv(report)
                             : csv_view(report, group_by(options), time, options.channels);
}

std::string markdown_of(const Report& report, const OutputOptions& options) {
  if (is_of_mount(report)) return mount_markdown(report);
  const std::string text = markdown_view(report, group_by(options));
  return report.mount ? text + "\n" + mount_part_markdown(report) : text;
}

// An interval in which nothing was counted, and nothing lost.
bool is_idle(const Report& report) {
  return !report.mount && report.processes.empty() && report.others.processes == 0 &&
         report.completeness.whole() && !report.completeness.verification;
}

// Whether the command wrote to something of the kind that standard output is.
bool may_have_written_to_standard_output(const Report& report) {
  struct stat output {};
  if (::fstat(STDOUT_FILENO, &output) != 0) return false;
  const Kind kind = S_ISFIFO(output.st_mode)   ? Kind::pipe
                    : S_ISREG(output.st_mode)  ? Kind::file
                    : S_ISSOCK(output.st_mode) ? Kind::socket
                                               : Kind::user;
  const std::vector<Row> rows = report.totals().sum.rows;
  return kind != Kind::user && std::any_of(rows.begin(), rows.end(), [kind](const Row& row) {
           return row.to == kind && row.bytes != 0;
         });
}

[[noreturn]] void refuse_same_file(const char* option, const char* other, const std::string& file) {
  const std::string where = file == "-" ? "standard output" : "'" + printable(file, false) + "'";
  throw Error(std::string(option) + " and " + other + " both write to " + where +
                  "; give one of them another file",
              kExitUsage);
}

// Two formats in one file would be neither. Throws Error, before any file is opened: a FIFO of two
// formats would wait for two readers.
const OutputOptions& with_different_names(const OutputOptions& options) {
  const std::pair<const char*, const std::string*> files[] = {{"--json", &options.json},
                                                              {"--csv", &options.csv},
                                                              {"--markdown", &options.markdown},
                                                              {"--html", &options.html},
                                                              {"--stacks", &options.stacks}};
  for (const auto& [option, file] : files) {
    for (const auto& [other, same] : files) {
      if (file == same) break;
      if (!file->empty() && *file == *same) refuse_same_file(other, option, *file);
    }
  }
  return options;
}

}  // namespace

Outputs::Outputs(const OutputOptions& options, int table_fd)
    : options_(with_different_names(options)),
      table_fd_(table_fd),
      json_(options.json),
      csv_(options.csv),
      markdown_(options.markdown),
      html_(options.html),
      stacks_(options.stacks),
      intervals_(options.max_processes) {
  // A file may have two names, and standard output may be a file that is named, too.
  const std::pair<const char*, const OutputFile*> files[] = {{"--json", &json_},
                                                             {"--csv", &csv_},
                                                             {"--markdown", &markdown_},
                                                             {"--html", &html_},
                                                             {"--stacks", &stacks_}};
  for (const auto& [option, file] : files) {
    for (const auto& [other, same] : files) {
      if (file == same) break;
      if (file->same_as(*same)) refuse_same_file(other, option, file->path());
    }
  }
}

TableStyle Outputs::style() const { return table_style_of(table_fd_); }

void Outputs::write(const Views& views) {
  std::optional<Error> failed;
  std::exception_ptr gone;  // prints nothing, so any other error takes precedence
  const auto fail = [&failed](const Error& error) {
    // main() prints the last one.
    if (failed) say(printable(failed->what(), false));
    failed = error;
  };
  const auto attempt = [&](const auto& write) {
    try {
      write();
    } catch (const ReaderGone&) {
      gone = std::current_exception();
    } catch (const Error& error) {
      fail(error);
    } catch (const std::exception& error) {
      fail(Error(error.what()));
    }
  };
  attempt([&] {
    if (!options_.quiet) write_all(table_fd_, views.table(), "the report");
  });
  attempt([&] {
    if (json_.wanted()) json_.write(views.json());
  });
  attempt([&] {
    if (csv_.wanted()) csv_.write(views.csv());
  });
  attempt([&] {
    if (markdown_.wanted()) markdown_.write(views.markdown());
  });
  attempt([&] {
    if (html_.wanted() && views.html) html_.write(views.html());
  });
  attempt([&] {
    if (stacks_.wanted() && views.stacks) stacks_.write(views.stacks());
  });
  if (failed) throw *failed;
  if (gone) std::rethrow_exception(gone);
}

void Outputs::warn_of_mixed_output(const Report& report) const {
  for (const auto& [option, path] :
       {std::pair("--json", options_.json), std::pair("--csv", options_.csv),
        std::pair("--markdown", options_.markdown), std::pair("--html", options_.html),
        std::pair("--stacks", options_.stacks)}) {
    if (path != "-" || !may_have_written_to_standard_output(report)) continue;
    say(std::string("warning: the command may have written to standard output, too; ") + option +
        " FILE keeps the report separate");
    return;
  }
}

std::string Outputs::page_of(nlohmann::ordered_json json) const {
  if (!intervals_.empty()) json["intervals"] = intervals_json(intervals_.intervals());
  return html_page(json);
}

Views Outputs::views_of(const Report& report, const StackProfile* stacks) {
  return {[&] { return table_of(report, options_, style()); },
          [&, stacks] { return json_of(report, options_, stacks).dump(2) + "\n"; },
          [&] { return csv_of(report, options_); }, [&] { return markdown_of(report, options_); },
          [&, stacks] { return page_of(json_of(report, options_, stacks)); }};
}

Views Outputs::interval_views_of(const Report& report) {
  return {[&] {
            if (is_idle(report)) return report.started_at + "  no calls in this interval\n";
            return report.started_at + "\n" + table_of(report, options_, style()) + "\n";
          },
          [&] { return json_of(report, options_).dump() + "\n"; },
          [&] { return csv_of(report, options_, report.started_at); },
          [&] { return markdown_of(report, options_) + "\n"; }};
}

void Outputs::write(const Report& report, const StackProfile* stacks) {
  if (report.command == "run") warn_of_mixed_output(report);
  Views views = views_of(report, stacks);
  if (stacks != nullptr)
    views.stacks = [&] { return stacks_view(*stacks, report, options_.stacks); };
  write(views);
}

void Outputs::write_stacks(const StackProfile* stacks, const Report& report) {
  if (stacks != nullptr) stacks_.write(stacks_view(*stacks, report, options_.stacks));
}

void Outputs::write_interval(Views views) {
  views.csv = [this, csv = std::move(views.csv)] { return without_repeated_header(csv()); };
  write(views);
}

void Outputs::write_interval(const Report& report) {
  if (html_.wanted()) intervals_.add(report);
  write_interval(interval_views_of(report));
}

void Outputs::finish_intervals(const StackProfile* stacks) {
  if (!html_.wanted() || intervals_.empty()) return;
  html_.write(page_of(json_of(intervals_.whole(), options_, stacks)));
}

void Outputs::note_interval(const Report& report) {
  if (html_.wanted()) intervals_.add(report);
}

void Outputs::write_saved(const Report& report, const std::string& text,
                          const nlohmann::ordered_json& json) {
  Views views = views_of(report);
  views.json = [&text] { return text; };
  views.html = [&json] { return html_page(json); };
  write(views);
}

void Outputs::write_saved_interval(const Report& report, const std::string& text) {
  if (html_.wanted()) intervals_.add(report);
  Views views = interval_views_of(report);
  views.json = [&text] { return text; };
  write_interval(std::move(views));
}

std::string Outputs::without_repeated_header(const std::string& csv) {
  if (std::exchange(csv_header_written_, true)) return csv.substr(csv.find('\n') + 1);
  return csv;
}

int Outputs::status(const Report& report) const {
  return options_.strict && !report.completeness.whole() ? kExitLost : kExitDone;
}

}  // namespace zctrace
