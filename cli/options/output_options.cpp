// SPDX-License-Identifier: MIT
// Opening early, writing late.
#include "cli/options/output_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <utility>

#include "cli/text/units.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount_view.h"
#include "cli/views/table_view.h"
#include "collector/os/error.h"

namespace zctrace {

void add_count_options(CLI::App& command, CountOptions& options) {
  command
      .add_option("-e,--syscalls", options.syscalls,
                  "Syscalls with a row of their own: names, %copy, %zerocopy, %io, %all")
      ->type_name("LIST");
  command.add_flag("--no-latency", options.no_latency,
                   "No clock reads: the cheapest mode, without times inside calls");
  command.add_flag("--no-follow", options.no_follow, "Leave descendants out");
  // Hidden: for tests of what happens when the kernel side is full.
  command.add_option("--room", options.room)->group("");
}

void add_verify_option(CLI::App& command, CountOptions& options) {
  command.add_flag(
      "--verify-counts", options.verify,
      "Compare the counts with the kernel's own, of /proc/PID/io and of switches; with "
      "--strict a difference exits with 3, too");
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--by", options.by, "Group the table by process, thread, syscall or flow")
      ->check(CLI::IsMember({"process", "thread", "syscall", "flow"}))
      ->type_name("WHAT");
  command
      .add_option("--max-processes", options.max_processes,
                  "Ended processes listed apart; those that moved the least are added up")
      ->check(CLI::Range(std::size_t{0}, std::size_t{10000000}))
      ->type_name("N")
      ->capture_default_str();
  add_file_options(command, options);
}

void add_file_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--json", options.json, "Write the report as JSON; - for standard output")
      ->type_name("FILE");
  command.add_option("--csv", options.csv, "Write the rows as CSV; - for standard output")
      ->type_name("FILE");
  command
      .add_option("--markdown", options.markdown,
                  "Write the table as Markdown; - for standard output")
      ->type_name("FILE");
  command.add_flag("-q,--quiet", options.quiet, "No table");
  command.add_flag("--strict", options.strict, "Exit with 3 when any event was lost");
}

std::optional<std::chrono::nanoseconds> duration_option(const char* option, const std::string& text,
                                                        std::chrono::nanoseconds shortest) {
  if (text.empty()) return std::nullopt;
  try {
    const std::chrono::nanoseconds duration(static_cast<std::int64_t>(parse_duration(text)));
    if (duration.count() == 0) throw std::invalid_argument("must be more than nothing");
    if (duration < shortest)
      throw std::invalid_argument("must be at least " +
                                  format_ns(static_cast<std::uint64_t>(shortest.count())));
    return duration;
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(option, text + ": " + error.what());
  }
}

namespace {

std::pair<std::string, std::uint32_t> parse_room(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::uint32_t entries = 0;
  const char* const end = text.data() + text.size();
  if (equals == std::string::npos ||
      std::from_chars(text.data() + equals + 1, end, entries).ptr != end || entries == 0)
    throw Error("--room '" + text + "': NAME=N is wanted", kExitUsage);
  return {text.substr(0, equals), entries};
}

}  // namespace

SessionOptions session_options(const CountOptions& count, const OutputOptions& output) {
  SessionOptions options;
  options.syscalls = count.syscalls;
  options.probes.latency = !count.no_latency;
  options.probes.follow_children = !count.no_follow;
  options.probes.verify = count.verify;
  options.probes.by_thread = output.by == "thread";
  for (const std::string& room : count.room) options.probes.room.insert(parse_room(room));
  return options;
}

std::optional<GroupBy> group_by(const OutputOptions& options) { return parse_group_by(options.by); }

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
  written_ = true;
  const off_t before = ::lseek(file_.get(), 0, SEEK_CUR);
  try {
    write_all(file_.get(), text, "'" + path_ + "'");
    created_ = false;
  } catch (const Error&) {
    // What is no regular file cannot be cut, either; nothing is lost then.
    if (before >= 0 && ::ftruncate(file_.get(), before) == 0)
      ::lseek(file_.get(), before, SEEK_SET);
    throw;
  }
}

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
         [&] { return report_json(report).dump(2) + "\n"; }, [&] { return csv_view(report); },
         [&] { return markdown_view(report, group_by(options_)); }});
}

void Outputs::write(const Report& report, const fuse::FuseReport& mounted) {
  write({[&] {
           return table_view(report, group_by(options_), style()) + "\n" +
                  mount_sections(mounted, style());
         },
         [&] {
           auto json = report_json(report);
           add_mount_json(json, mounted);
           return json.dump(2) + "\n";
         },
         [&] { return csv_view(report); },
         [&] {
           return markdown_view(report, group_by(options_)) + "\n" +
                  mount_markdown_sections(mounted);
         }});
}

void Outputs::write_interval(const Report& report) {
  write({[&] {
           return report.started_at + "\n" + table_view(report, group_by(options_), style()) + "\n";
         },
         [&] { return report_json(report).dump() + "\n"; },
         [&] { return without_repeated_header(csv_view(report)); },
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
