// SPDX-License-Identifier: MIT
// Each view is made only where it is wanted.
#include "cli/output/outputs.h"

#include <unistd.h>

#include <exception>
#include <utility>

#include "cli/output/write.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount_view.h"
#include "cli/views/table_view.h"
#include "collector/os/error.h"

namespace zctrace {

Outputs::Outputs(const OutputOptions& options, int table_fd)
    : options_(options),
      table_fd_(table_fd),
      json_(options.json),
      csv_(options.csv),
      markdown_(options.markdown) {}

TableStyle Outputs::style() const { return table_style_of(table_fd_); }

void Outputs::write(const Views& views) {
  std::exception_ptr first;
  const auto attempt = [&first](const auto& write) {
    try {
      write();
    } catch (...) {
      if (!first) first = std::current_exception();
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
  if (first) std::rethrow_exception(first);
}

void Outputs::write(const Report& report) {
  write({[&] { return table_view(report, group_by(options_), style()); },
         [&] { return report_json(report, options_.by).dump(2) + "\n"; },
         [&] { return csv_view(report, group_by(options_)); },
         [&] { return markdown_view(report, group_by(options_)); }});
}

void Outputs::write(const Report& report, const fuse::FuseReport& mounted) {
  write({[&] {
           return table_view(report, group_by(options_), style()) + "\n" +
                  mount_sections(mounted, style());
         },
         [&] {
           auto json = report_json(report, options_.by);
           add_mount_json(json, mounted);
           return json.dump(2) + "\n";
         },
         [&] { return csv_view(report, group_by(options_)); },
         [&] {
           return markdown_view(report, group_by(options_)) + "\n" +
                  mount_markdown_sections(mounted);
         }});
}

void Outputs::write_interval(const Report& report) {
  write({[&] {
           return report.started_at + "\n" + table_view(report, group_by(options_), style()) + "\n";
         },
         [&] { return report_json(report, options_.by).dump() + "\n"; },
         [&] {
           return without_repeated_header(csv_view(report, group_by(options_), report.started_at));
         },
         [&] { return markdown_view(report, group_by(options_)) + "\n"; }});
}

std::string Outputs::without_repeated_header(const std::string& csv) {
  if (std::exchange(csv_header_written_, true)) return csv.substr(csv.find('\n') + 1);
  return csv;
}

int Outputs::status(const Report& report) const {
  return options_.strict && !report.completeness.whole() ? kExitLost : kExitDone;
}

}  // namespace zctrace
