// SPDX-License-Identifier: MIT
// Reports to show in each view, one of them with names that would act on a terminal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "tests/unit/builders.h"

namespace zctrace {

inline const std::string kEvil = "a\x1b[31m\nb|\"c\",\xff`<i>\xE2\x80\xAE\\";

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// No byte that a terminal acts on, except the newline between lines.
inline bool is_harmless(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c == '\n' || (c >= 0x20 && c != 0x7F); }) &&
         valid_utf8(text) == text;
}

inline bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

inline Row make_row(std::string syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
                    std::uint64_t bytes) {
  Row made = row(std::move(syscall), from, to, copy, calls, bytes);
  made.wall_ns = calls * 2000;
  made.min_ns = 1600;
  made.max_ns = 2000;
  made.latency.add(11, calls);  // [1536, 2048)
  return made;
}

inline Process make_process(std::int64_t pid) {
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

inline Report make_report(std::size_t processes = 1) {
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

// As `-e sendfile` gives it: read and write count, but are not selected.
inline Report selected_report() {
  Report report;
  report.command = "run";
  report.argv = {"serve"};
  report.exit_code = 0;
  report.selection = "sendfile";
  Process process;
  process.pid = 7;
  process.name = "serve";
  process.exit_code = 0;
  process.rows = {row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 3000),
                  row("read", Kind::file, Kind::user, Copy::copied, 5, 1000),
                  row("write", Kind::user, Kind::socket, Copy::copied, 7, 1000),
                  row("other", Kind::other, Kind::other, Copy::none, 11, 0)};
  process.rows[1].shown = process.rows[2].shown = false;
  report.processes = {process};
  return report;
}

inline Report evil_report() {
  Report report = make_report(2);
  report.argv = {kEvil};
  report.host.kernel = kEvil;
  report.processes[0].name = kEvil;
  report.processes[0].argv = {kEvil, ""};
  report.processes[0].rows[0].syscall = kEvil;
  report.completeness.lost_by_reason[kEvil] = 1;
  return report;
}

}  // namespace zctrace
