// Opening early, writing late.
#include "cli/output_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "cli/csv_view.h"
#include "cli/json_view.h"
#include "cli/markdown_view.h"
#include "cli/mount_view.h"
#include "cli/table_view.h"
#include "cli/units.h"
#include "collector/error.h"

namespace zctrace {

void add_count_options(CLI::App& command, CountOptions& options) {
  command.add_option("-e,--syscalls", options.syscalls,
                     "Syscalls with a row of their own: names, %copy, %zerocopy, %io, %all")
      ->type_name("LIST");
  command.add_flag("--no-latency", options.no_latency,
                   "No clock reads: the cheapest mode, without times inside calls");
  command.add_flag("--no-follow", options.no_follow, "Leave descendants out");
}

void add_verify_option(CLI::App& command, CountOptions& options) {
  command.add_flag("--verify-counts", options.verify,
                   "Compare the counts with the kernel's own, of /proc/PID/io and of switches; with "
                   "--strict a difference exits with 3, too");
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--by", options.by, "Group the table by process, thread, syscall or flow")
      ->check(CLI::IsMember({"process", "thread", "syscall", "flow"}))
      ->type_name("WHAT");
  add_file_options(command, options);
}

void add_file_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--json", options.json, "Write the report as JSON; - for standard output")
      ->type_name("FILE");
  command.add_option("--csv", options.csv, "Write the rows as CSV; - for standard output")
      ->type_name("FILE");
  command.add_option("--markdown", options.markdown,
                     "Write the table as Markdown; - for standard output")
      ->type_name("FILE");
  command.add_flag("-q,--quiet", options.quiet, "No table");
  command.add_flag("--strict", options.strict, "Exit with 3 when any event was lost");
}

std::optional<std::chrono::nanoseconds> duration_option(const char* option,
                                                        const std::string& text) {
  if (text.empty()) return std::nullopt;
  try {
    const std::uint64_t ns = parse_duration(text);
    if (ns == 0) throw std::invalid_argument("must be more than nothing");
    return std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(option, text + ": " + error.what());
  }
}

SessionOptions session_options(const CountOptions& count, const OutputOptions& output) {
  SessionOptions options;
  options.syscalls = count.syscalls;
  options.probes.latency = !count.no_latency;
  options.probes.follow_children = !count.no_follow;
  options.probes.verify = count.verify;
  options.probes.by_thread = output.by == "thread";
  return options;
}

std::optional<GroupBy> group_by(const OutputOptions& options) {
  if (options.by == "process") return GroupBy::process;
  if (options.by == "thread") return GroupBy::thread;
  if (options.by == "syscall") return GroupBy::syscall;
  if (options.by == "flow") return GroupBy::flow;
  return std::nullopt;
}

void write_all(int fd, const std::string& text, const std::string& what) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("cannot write " + what, errno);
    done += static_cast<std::size_t>(n);
  }
}

void tell(const std::string& text) noexcept {
  const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  (void)ignored;
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty() || path == "-") return;
  file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  created_ = static_cast<bool>(file_);
  if (!file_ && errno == EEXIST)
    file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file_) throw system_error("cannot write '" + path + "'", errno);
}

OutputFile::~OutputFile() {
  if (file_ && created_) ::unlink(path_.c_str());
}

void OutputFile::write(const std::string& text) {
  if (!wanted()) return;
  if (path_ == "-") {
    write_all(STDOUT_FILENO, text, "to standard output");
    return;
  }
  // Not a regular file (a pipe, /dev/stdout): nothing to cut.
  if (!written_ && ::ftruncate(file_.get(), 0) != 0 && errno != EINVAL)
    throw system_error("cannot write '" + path_ + "'", errno);
  created_ = false;
  written_ = true;
  write_all(file_.get(), text, "'" + path_ + "'");
}

Outputs::Outputs(const OutputOptions& options, int table_fd)
    : options_(options),
      table_fd_(table_fd),
      json_(options.json),
      csv_(options.csv),
      markdown_(options.markdown) {}

void Outputs::write(const Report& report) {
  if (!options_.quiet)
    write_all(table_fd_, table_view(report, group_by(options_), table_style_of(table_fd_)),
              "the report");
  if (json_.wanted()) json_.write(report_json(report).dump(2) + "\n");
  if (csv_.wanted()) csv_.write(csv_view(report));
  if (markdown_.wanted()) markdown_.write(markdown_view(report, group_by(options_)));
}

void Outputs::write(const Report& report, const fuse::FuseReport& mounted) {
  const TableStyle style = table_style_of(table_fd_);
  if (!options_.quiet)
    write_all(table_fd_,
              table_view(report, group_by(options_), style) + "\n" + mount_sections(mounted, style),
              "the report");
  if (json_.wanted()) {
    auto json = report_json(report);
    add_mount_json(json, mounted);
    json_.write(json.dump(2) + "\n");
  }
  if (csv_.wanted()) csv_.write(csv_view(report));
  if (markdown_.wanted())
    markdown_.write(markdown_view(report, group_by(options_)) + "\n" +
                    mount_markdown_sections(mounted));
}

void Outputs::write_interval(const Report& report) {
  if (!options_.quiet)
    write_all(table_fd_,
              report.started_at + "\n" +
                  table_view(report, group_by(options_), table_style_of(table_fd_)) + "\n",
              "the report");
  if (json_.wanted()) json_.write(report_json(report).dump() + "\n");
  if (csv_.wanted()) {
    const std::string csv = csv_view(report);
    csv_.write(csv_header_written_ ? csv.substr(csv.find('\n') + 1) : csv);
    csv_header_written_ = true;
  }
  if (markdown_.wanted()) markdown_.write(markdown_view(report, group_by(options_)) + "\n");
}

int Outputs::status(const Report& report) const {
  return options_.strict && !report.completeness.whole() ? kExitLost : kExitDone;
}

}  // namespace zctrace
