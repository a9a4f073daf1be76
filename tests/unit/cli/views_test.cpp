// SPDX-License-Identifier: MIT
// Every view of a report: golden output, narrow terminals, many processes, hostile names.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_schema.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/table_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

const std::string kEvil = "a\x1b[31m\nb|\"c\",\xff`<i>\xE2\x80\xAE\\";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// No byte that a terminal acts upon, but the newline between lines.
bool is_harmless(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c == '\n' || (c >= 0x20 && c != 0x7F); }) &&
         valid_utf8(text) == text;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

Row make_row(std::string syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
             std::uint64_t bytes) {
  Row row;
  row.syscall = std::move(syscall);
  row.from = from;
  row.to = to;
  row.copy = copy;
  row.calls = calls;
  row.bytes = bytes;
  row.wall_ns = calls * 2000;
  row.max_ns = 2000;
  row.latency.add(11, calls);  // [1536, 2048)
  return row;
}

Process make_process(std::int64_t pid) {
  Process process;
  process.pid = pid;
  process.parent_pid = 1;
  process.name = "server";
  process.argv = {"./server", "--root", "/srv/a b"};
  process.start_ns = 5;
  process.end_ns = 10;
  process.exit_code = 0;
  process.threads = 1;
  process.user_ns = 1'200'000;
  process.system_ns = 34'000'000;
  process.minor_faults = 120;
  process.max_rss_bytes = 2u << 20;
  process.outside_syscalls = {3, 9};
  process.rows = {
      make_row("read", Kind::file, Kind::user, Copy::copied, 1'000, 10u << 20),
      make_row("other", Kind::other, Kind::other, Copy::none, 30, 0),
      make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 15, 30u << 20),
      make_row("write", Kind::user, Kind::socket, Copy::copied, 1'234, 10u << 20),
  };
  process.rows[2].voluntary_switches = 1'010;
  return process;
}

Report make_report(std::size_t processes = 1) {
  Report report;
  report.command = "run";
  report.host = {"6.18.0", "x86_64", 2};
  report.argv = {"./server", "--root", "/srv/a b"};
  report.exit_code = 0;
  report.started_at = "2025-11-22T03:00:00Z";
  report.duration_ns = 1'230'000'000;
  report.completeness.lost_by_reason = {{"no_room", 0}, {"too_deep", 0}};
  for (std::size_t i = 0; i < processes; ++i) {
    report.processes.push_back(make_process(static_cast<std::int64_t>(100 + i)));
  }
  return report;
}

Report evil_report() {
  Report report = make_report(2);
  report.argv = {kEvil};
  report.host.kernel = kEvil;
  report.processes[0].name = kEvil;
  report.processes[0].argv = {kEvil, ""};
  report.processes[0].rows[0].syscall = kEvil;
  report.completeness.lost_by_reason[kEvil] = 1;
  return report;
}

// ---- text

TEST(ValidUtf8, replaces_what_is_not_well_formed) {
  EXPECT_EQ(valid_utf8("käse 😀"), "käse 😀");
  EXPECT_EQ(valid_utf8("a\xff"), "a\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80").size(), 12u);                          // > 10FFFF
  EXPECT_EQ(valid_utf8("x\xE2\x82"), "x\xEF\xBF\xBD\xEF\xBF\xBD");                // cut off
}

TEST(Printable, shows_what_would_act_on_a_terminal) {
  EXPECT_EQ(printable("a\x1b[31m\n\t\r", true), "a\\x1b[31m\\n\\t\\r");
  EXPECT_EQ(printable(std::string_view("a\0b", 3), true), "a\\x00b");
  EXPECT_EQ(printable("\xff", true), "\\xff");
  EXPECT_EQ(printable("\xC2\x9B", true), "\\u009b");      // CSI as one character
  EXPECT_EQ(printable("\xE2\x80\xAE", true), "\\u202e");  // right-to-left override
  EXPECT_EQ(printable("\xE2\x80\xA8", true), "\\u2028");  // line separator
  EXPECT_EQ(printable("\\n", true), "\\\\n");
  EXPECT_EQ(printable("é", true), "é");
  EXPECT_EQ(printable("é😀", false), "\\u00e9\\U0001f600");
}

TEST(ShellWords, quotes_only_where_needed) {
  EXPECT_EQ(shell_words({}, true), "");
  EXPECT_EQ(shell_words({"cp", "-r", "/a/b.c", "x=1"}, true), "cp -r /a/b.c x=1");
  EXPECT_EQ(shell_words({"sh", "-c", "a b", ""}, true), "sh -c 'a b' ''");
  EXPECT_EQ(shell_words({"it's", "a\\.b"}, true), "'it'\\''s' 'a\\.b'");
  EXPECT_EQ(shell_words({"a\nb'c\\"}, true), "$'a\\nb\\'c\\\\'");
}

TEST(CutToWidth, counts_columns_and_not_bytes) {
  EXPECT_EQ(cut_to_width("abc", 3, true), "abc");
  EXPECT_EQ(cut_to_width("abcd", 3, true), "ab…");
  EXPECT_EQ(cut_to_width("abcd", 3, false), "ab~");
  EXPECT_EQ(cut_to_width("日本語", 4, true), "日…");
  EXPECT_EQ(cut_to_width("abc", 0, true), "");
  EXPECT_EQ(display_width("日本é"), 5u);
}

// ---- table

TEST(TableView, of_one_process_is_as_expected) {
  const std::string expected =
      R"(zctrace run: ./server --root '/srv/a b'
exit 0, 1.23 s, pid 100, 1 thread, Linux 6.18.0 x86_64, 2 CPUs
1.20 ms user, 34.0 ms system, 120 minor and 0 major faults, peak RSS 2.0 MiB,
1,013 voluntary and 9 involuntary switches

SYSCALL        FLOW            CALLS  ERRORS     BYTES     TIME  OFF-CPU
sendfile       file -> socket     15       0  30.0 MiB  30.0 us     0 ns
write          user -> socket  1,234       0  10.0 MiB  2.47 ms     0 ns
read           file -> user    1,000       0  10.0 MiB  2.00 ms     0 ns
other          -                  30       0         -  60.0 us     0 ns
outside calls                                                       0 ns
total                          2,279       0            4.56 ms     0 ns

crossings        4,558, two for each of 2,279 syscalls
copied           20.0 MiB through user space
in kernel        30.0 MiB
delivered        40.0 MiB, 30.0 MiB of it without passing through user space
zero-copy share  75.0 % [###############.....]
per GB           54,336 syscalls, 108,671 crossings, 476.8 MiB copied,
                 28.6 ms user, 811 ms system, 0 ns off CPU,
                 24,152 voluntary and 215 involuntary switches, 2,861 faults
completeness     lost 0, in flight 0/0, compat 0, unfollowed 0
)";
  EXPECT_EQ(table_view(make_report(), std::nullopt, {false, false, 80}), expected);
}

TEST(TableView, of_an_empty_report_says_so) {
  Report report;
  report.command = "attach";
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(table, "no syscall was observed"));
  EXPECT_TRUE(contains(table, "nothing was delivered"));
  EXPECT_TRUE(contains(table, "lost 0, in flight 0/0, compat 0, unfollowed 0"));
}

TEST(TableView, keeps_every_line_inside_the_terminal) {
  for (const std::size_t width : {40u, 60u, 80u, 120u, 200u}) {
    for (const std::size_t processes : {1u, 2u, 3u, 300u}) {
      for (const std::optional<GroupBy> by :
           {std::optional<GroupBy>(), std::optional(GroupBy::process),
            std::optional(GroupBy::thread), std::optional(GroupBy::syscall),
            std::optional(GroupBy::flow)}) {
        for (const bool unicode : {false, true}) {
          const std::string table = table_view(make_report(processes), by, {false, unicode, width});
          for (const std::string& line : lines_of(table)) {
            EXPECT_LE(display_width(line), width) << line;
          }
          EXPECT_TRUE(by == GroupBy::flow || contains(table, "sendfile"));
        }
      }
    }
  }
}

TEST(TableView, shows_exact_calls_at_forty_columns) {
  Report report = make_report();
  report.processes[0].rows[0].calls = 1'234'567;
  report.processes[0].rows[0].syscall = "ioctl:FICLONERANGE";
  const std::string table = table_view(report, std::nullopt, {false, false, 40});
  EXPECT_TRUE(contains(table, "1,234,567"));
  EXPECT_TRUE(contains(table, "file>sock"));
  for (const std::string& line : lines_of(table)) EXPECT_LE(line.size(), 40u) << line;
}

TEST(TableView, shows_more_columns_on_a_wider_terminal) {
  const Report report = make_report();
  const std::string narrow = table_view(report, std::nullopt, {false, false, 80});
  const std::string wide = table_view(report, std::nullopt, {false, false, 200});
  EXPECT_FALSE(contains(narrow, "P90"));
  for (const char* title : {"AVG/CALL", "SW V/I", "P50", "P90", "P99", "MAX"}) {
    EXPECT_TRUE(contains(wide, title)) << title;
  }
  EXPECT_FALSE(contains(wide, "RESTARTS"));
}

TEST(TableView, shows_restarts_when_there_are_any) {
  Report report = make_report();
  report.processes[0].rows[0].restarts = 4;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "RESTARTS"));
}

TEST(TableView, has_no_times_inside_calls_without_latency) {
  Report report = make_report();
  report.latency = false;
  const std::string table = table_view(report, std::nullopt, {});
  for (const char* absent : {"TIME", "OFF-CPU", "P50", "P99", "MAX", "off CPU"}) {
    EXPECT_FALSE(contains(table, absent)) << absent;
  }
  EXPECT_TRUE(contains(table, "1.20 ms user"));
}

TEST(TableView, of_300_processes_shows_twenty) {
  Report report = make_report(300);
  report.processes[250].rows[2].bytes = 1ULL << 40;
  for (const std::optional<GroupBy> by :
       {std::optional<GroupBy>(), std::optional(GroupBy::process)}) {
    const std::string table = table_view(report, by, {false, false, 120});
    EXPECT_LT(lines_of(table).size(), 50u);
    EXPECT_TRUE(contains(table, "... and 280 more (in --json)"));
    EXPECT_TRUE(contains(table, "300 processes"));
    EXPECT_TRUE(contains(table, "370,200"));  // writes of all, 300 * 1,234
    const std::size_t biggest = table.find("\n350  server");
    ASSERT_NE(biggest, std::string::npos);
    EXPECT_LT(biggest, table.find("\n100  server"));
  }
}

TEST(TableView, by_process_shows_the_rows_of_a_few) {
  const std::string table = table_view(make_report(2), GroupBy::process, {false, false, 100});
  EXPECT_TRUE(contains(table, "server 100: ./server --root '/srv/a b'\n"));
  EXPECT_TRUE(contains(table, "server 101: "));
  EXPECT_TRUE(contains(table, "all together"));
}

TEST(TableView, by_thread_names_the_threads) {
  Report report = make_report(30);
  for (Process& process : report.processes) {
    process.tid = process.pid + 1000;
    process.pid = 100;
  }
  const std::string table = table_view(report, GroupBy::thread, {false, false, 120});
  EXPECT_TRUE(contains(table, "TID"));
  EXPECT_TRUE(contains(table, "1100"));
  EXPECT_TRUE(contains(table, "30 threads"));
}

TEST(TableView, by_syscall_adds_the_flows_of_one_up) {
  Report report = make_report();
  report.processes[0].rows.push_back(
      make_row("read", Kind::socket, Kind::user, Copy::copied, 11, 10));
  const std::string table = table_view(report, GroupBy::syscall, {false, false, 100});
  EXPECT_TRUE(contains(table, "1,011"));
  EXPECT_FALSE(contains(table, "FLOW"));
}

TEST(TableView, by_flow_adds_the_syscalls_of_one_up_and_names_them) {
  Report report = make_report();
  report.processes[0].rows.push_back(
      make_row("pread64", Kind::file, Kind::user, Copy::copied, 11, 10));
  report.processes[0].rows.push_back(make_row("mmap", Kind::other, Kind::other, Copy::none, 4, 0));
  const std::string table = table_view(report, GroupBy::flow, {false, false, 120});
  EXPECT_TRUE(contains(table, "1,011"));
  EXPECT_TRUE(contains(table, "read, pread64"));
  EXPECT_TRUE(contains(table, "mmap, other"));
  EXPECT_FALSE(contains(table, "SYSCALL"));
}

TEST(TableView, says_100_percent_only_of_everything) {
  Report report = make_report();
  report.processes[0].rows = {
      make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 99'999'999)};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "100.0 % [####################]"));
  report.processes[0].rows.push_back(
      make_row("write", Kind::user, Kind::socket, Copy::copied, 1, 1));
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "99.9 % [###################.]"));
}

TEST(TableView, does_not_extrapolate_from_a_few_bytes) {
  Report report = make_report();
  report.processes[0].rows = {make_row("write", Kind::user, Kind::pipe, Copy::copied, 1, 3)};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "too little was delivered"));
}

TEST(TableView, shows_a_row_without_a_call) {
  Report report = make_report();
  Row killed_inside;
  killed_inside.syscall = "read";
  killed_inside.from = Kind::pipe;
  killed_inside.to = Kind::user;
  killed_inside.copy = Copy::copied;
  killed_inside.voluntary_switches = 1;
  report.processes[0].rows = {killed_inside};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "pipe -> user      0"));
}

TEST(TableView, names_every_loss) {
  Report report = make_report();
  report.completeness.lost_by_reason = {{"no_room", 12}, {"quiet", 0}, {"too_deep", 1'000}};
  report.completeness.compat_syscalls = 5;
  report.completeness.in_flight_at_end = 2;
  const std::string plain = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(plain, "lost 1,012, in flight 0/2, compat 5, unfollowed 0"));
  EXPECT_TRUE(contains(plain, "LOST             no_room 12, too_deep 1,000"));
  EXPECT_FALSE(contains(plain, "quiet"));
  EXPECT_TRUE(
      contains(table_view(report, std::nullopt, {true, true, 100}), "\x1b[1;31mcompleteness"));
}

TEST(TableView, explains_io_uring_operations) {
  Report report = make_report();
  Row read = make_row("io_uring:read", Kind::file, Kind::user, Copy::copied, 500, 1u << 20);
  read.asynchronous = true;
  report.processes[0].rows.push_back(read);
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(table, "two for each of 2,279 syscalls, none for io_uring operations"));
}

TEST(TableView, is_plain_ascii_unless_told_otherwise) {
  EXPECT_TRUE(is_ascii(table_view(make_report(300), std::nullopt, {false, false, 40})));
  EXPECT_TRUE(is_harmless(table_view(make_report(3), GroupBy::process, {false, false, 80})));
  EXPECT_TRUE(
      contains(table_view(make_report(), std::nullopt, {true, true, 100}), "file → socket"));
}

TEST(TableView, passes_no_escape_sequence_on) {
  for (const bool unicode : {false, true}) {
    for (const std::size_t width : {0u, 40u, 80u, 200u}) {
      const std::string table =
          table_view(evil_report(), GroupBy::process, {false, unicode, width});
      EXPECT_TRUE(is_harmless(table)) << table;
      EXPECT_FALSE(contains(table, "\xE2\x80\xAE"));
      EXPECT_EQ(is_ascii(table), !unicode);
    }
  }
}

TableStyle style_in(bool is_terminal, std::size_t columns,
                    const std::map<std::string, std::string>& environment) {
  return table_style(is_terminal, columns, [&environment](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(TableStyle, is_rich_only_on_a_utf8_terminal) {
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "en_US.UTF-8"}}).colour);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.utf8"}}).unicode);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "en_US.UTF-8"}, {"LC_ALL", "C"}}).unicode);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"LC_ALL", ""}}).unicode);
  EXPECT_TRUE(style_in(true, 100, {}).colour);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}}).colour);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"NO_COLOR", ""}}).colour);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"TERM", "dumb"}}).colour);
  EXPECT_FALSE(style_in(false, 100, {{"LANG", "C.UTF-8"}}).unicode);
}

TEST(TableStyle, takes_the_width_from_the_terminal_then_from_columns) {
  EXPECT_EQ(style_in(true, 100, {{"COLUMNS", "70"}}).width, 100u);
  EXPECT_EQ(style_in(true, 0, {{"COLUMNS", "70"}}).width, 70u);
  EXPECT_EQ(style_in(true, 0, {{"COLUMNS", "wide"}}).width, 80u);
  EXPECT_EQ(style_in(false, 0, {{"COLUMNS", "70"}}).width, 0u);
}

TEST(GroupByNames, are_those_of_the_option) {
  EXPECT_EQ(parse_group_by("process"), GroupBy::process);
  EXPECT_EQ(parse_group_by("thread"), GroupBy::thread);
  EXPECT_EQ(parse_group_by("syscall"), GroupBy::syscall);
  EXPECT_EQ(parse_group_by("flow"), GroupBy::flow);
  EXPECT_EQ(parse_group_by("Flow"), std::nullopt);
}

// ---- JSON

TEST(JsonView, has_every_field_of_the_interface) {
  const ordered_json json = report_json(make_report());
  for (const char* name : {"schema", "command", "version", "host", "argv", "exit_code",
                           "started_at", "duration_ns", "completeness", "totals", "processes"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  const ordered_json& process = json["processes"][0];
  for (const char* name : {"pid", "parent_pid", "name", "argv"}) {
    EXPECT_TRUE(process.contains(name)) << name;
    EXPECT_FALSE(json["totals"].contains(name)) << name;
  }
  for (const char* name :
       {"user_ns", "system_ns", "minor_faults", "major_faults", "max_rss_bytes",
        "voluntary_switches", "involuntary_switches", "outside_syscalls", "syscalls", "crossings",
        "copied_bytes", "in_kernel_bytes", "delivered_bytes", "zero_copy_share", "rows"}) {
    EXPECT_TRUE(process.contains(name)) << name;
    EXPECT_TRUE(json["totals"].contains(name)) << name;
  }
  EXPECT_EQ(json["schema"], "zctrace/1");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["completeness"]["lost"]["no_room"], 0);
  EXPECT_EQ(process["zero_copy_share"], 0.75);
  EXPECT_EQ(process["crossings"], 4558);
  EXPECT_FALSE(process.contains("tid"));
  EXPECT_EQ(process["ended_ns"], 10);
}

TEST(JsonView, of_a_row_is_as_expected) {
  const Row row = make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 7);
  EXPECT_EQ(row_json(row, true).dump(),
            R"({"syscall":"sendfile","from":"file","to":"socket","copy":"in_kernel",)"
            R"("asynchronous":false,"calls":1,"errors":0,"restarts":0,"bytes":7,"wall_ns":2000,)"
            R"("off_cpu_ns":0,"voluntary_switches":0,"involuntary_switches":0,)"
            R"("latency_ns":{"p50":2000,"p90":2000,"p99":2000,"max":2000}})");
}

TEST(JsonView, has_no_times_inside_calls_without_latency) {
  Report report = make_report();
  report.latency = false;
  report.processes[0].off_cpu_outside_ns = 7;
  const ordered_json json = report_json(report);
  const ordered_json& row = json["processes"][0]["rows"][0];
  EXPECT_EQ(row["wall_ns"], 0);
  EXPECT_EQ(row["off_cpu_ns"], 0);
  EXPECT_TRUE(row["latency_ns"].is_null());
  EXPECT_EQ(json["totals"]["per_gb"]["off_cpu_ns"], 0);
}

TEST(JsonView, says_null_where_there_is_nothing) {
  Report report;
  report.command = "attach";
  report.processes.emplace_back();
  report.processes[0].rows.emplace_back();
  const ordered_json json = report_json(report);
  EXPECT_TRUE(json["exit_code"].is_null());
  EXPECT_TRUE(json["argv"].is_array());
  EXPECT_TRUE(json["completeness"]["lost"].is_object());
  EXPECT_TRUE(json["totals"]["zero_copy_share"].is_null());
  EXPECT_TRUE(json["totals"]["per_gb"].is_null());
  EXPECT_TRUE(json["processes"][0]["ended_ns"].is_null());
  EXPECT_TRUE(json["processes"][0]["rows"][0]["latency_ns"].is_null());
}

TEST(JsonView, keeps_the_largest_count) {
  Report report = make_report();
  report.processes[0].rows[0].bytes = 18446744073709551615u;
  EXPECT_TRUE(contains(report_json(report).dump(), "\"bytes\":18446744073709551615"));
}

TEST(JsonView, is_valid_with_hostile_names) {
  const std::string text = report_json(evil_report()).dump();
  EXPECT_EQ(lines_of(text).size(), 1u);
  EXPECT_EQ(valid_utf8(text), text);
  EXPECT_EQ(ordered_json::parse(text)["processes"][0]["name"], valid_utf8(kEvil));
}

TEST(JsonSchema, is_json_and_agrees_with_the_view) {
  const ordered_json schema = ordered_json::parse(json_schema());
  const ordered_json json = report_json(make_report());
  // Objects that refuse unknown fields must know what the view writes.
  const ordered_json& row = schema["$defs"]["row"]["properties"];
  for (const auto& [name, value] : json["processes"][0]["rows"][0].items()) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  for (const auto& name : schema["required"]) EXPECT_TRUE(json.contains(name)) << name;
  for (const auto& name : schema["$defs"]["figures"]["required"]) {
    EXPECT_TRUE(json["totals"].contains(name)) << name;
  }
}

// ---- CSV

TEST(CsvView, has_a_header_and_a_line_a_row) {
  Report report = make_report();
  report.processes[0].rows.resize(1);
  EXPECT_EQ(csv_view(report),
            "pid,tid,parent_pid,name,syscall,from,to,calls,errors,restarts,bytes,wall_ns,"
            "off_cpu_ns,voluntary_switches,involuntary_switches,p50_ns,p90_ns,p99_ns,max_ns\n"
            "100,,1,server,read,file,user,1000,0,0,10485760,2000000,0,0,0,1768,1953,1995,2000\n");
}

TEST(CsvView, leaves_times_empty_without_latency) {
  Report report = make_report();
  report.latency = false;
  report.processes[0].rows.resize(1);
  EXPECT_EQ(lines_of(csv_view(report))[1],
            "100,,1,server,read,file,user,1000,0,0,10485760,,,0,0,,,,");
}

TEST(CsvView, stays_one_line_a_record_with_hostile_names) {
  const std::string csv = csv_view(evil_report());
  EXPECT_EQ(lines_of(csv).size(), 9u);
  EXPECT_TRUE(is_harmless(csv));
  EXPECT_TRUE(contains(csv, "\"a\\x1b[31m\\nb|\"\"c\"\",\\xff`<i>\\u202e\\\\\""));
}

// ---- Markdown

TEST(MarkdownView, is_tables) {
  const std::string markdown = markdown_view(make_report(), std::nullopt);
  EXPECT_TRUE(contains(markdown, "### zctrace run: ./server --root '/srv/a b'\n"));
  EXPECT_TRUE(contains(markdown, "| SYSCALL | FLOW | CALLS |"));
  EXPECT_TRUE(contains(markdown, "| sendfile | file → socket | 15 | 0 | 30.0 MiB |"));
  EXPECT_TRUE(
      contains(markdown, "| completeness | lost 0, in flight 0/0, compat 0, unfollowed 0 |"));
}

TEST(MarkdownView, escapes_what_would_end_a_cell_or_a_line) {
  const std::string markdown = markdown_view(evil_report(), std::nullopt);
  EXPECT_TRUE(is_harmless(markdown));
  for (const std::string& line : lines_of(markdown)) {
    if (line.rfind("| ", 0) != 0 || !contains(line, "x1b")) continue;
    EXPECT_TRUE(contains(line, "b\\|")) << line;
    EXPECT_TRUE(contains(line, "\\<i\\>")) << line;
    EXPECT_EQ(line.back(), '|');
  }
}

TEST(MarkdownView, leaves_underscores_inside_words_alone) {
  Report report = make_report();
  report.processes[0].rows[0].syscall = "copy_file_range";
  EXPECT_TRUE(contains(markdown_view(report, std::nullopt), "| copy_file_range |"));
}

TEST(MarkdownView, of_300_processes_shows_twenty) {
  const std::string markdown = markdown_view(make_report(300), GroupBy::process);
  EXPECT_LT(lines_of(markdown).size(), 60u);
  EXPECT_TRUE(contains(markdown, "… and 280 more"));
}

}  // namespace
}  // namespace zctrace
