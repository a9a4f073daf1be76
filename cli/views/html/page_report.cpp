// SPDX-License-Identifier: MIT
// About 2 MB at most, whatever was observed.
#include "cli/views/html/page_report.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostText = 400;      // bytes of a string
constexpr std::size_t kMostWords = 32;      // of a command line
constexpr std::size_t kMostEntries = 1000;  // of a list
constexpr std::size_t kWithRows = 40;       // processes that have rows
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

constexpr std::string_view kProcessFigures[] = {"pid",
                                                "tid",
                                                "parent_pid",
                                                "name",
                                                "argv",
                                                "ended_ns",
                                                "exit_code",
                                                "signal",
                                                "threads",
                                                "user_ns",
                                                "system_ns",
                                                "max_rss_bytes",
                                                "voluntary_switches",
                                                "involuntary_switches",
                                                "syscalls",
                                                "errors",
                                                "copied_bytes",
                                                "in_kernel_bytes",
                                                "delivered_bytes",
                                                "cpu_copied_bytes",
                                                "cpu_copies_per_byte",
                                                "kernel_only_share",
                                                "zero_copy_share",
                                                "disk_read_bytes",
                                                "cpu_profile",
                                                "fuse",
                                                "rows"};

constexpr std::string_view kRowFigures[] = {"syscall",
                                            "from",
                                            "to",
                                            "copy",
                                            "calls",
                                            "errors",
                                            "bytes",
                                            "cpu_copied_bytes",
                                            "copies_evidence",
                                            "wall_ns",
                                            "wall_error_ns",
                                            "off_cpu_ns",
                                            "voluntary_switches",
                                            "involuntary_switches"};

template <std::size_t N>
ordered_json selected(const ordered_json& object, const std::string_view (&names)[N]) {
  ordered_json part = ordered_json::object();
  for (const std::string_view name : names)
    if (const auto found = object.find(name); found != object.end()) part[name] = *found;
  return part;
}

std::uint64_t number(const ordered_json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return 0;
  if (found->is_number_unsigned()) return found->get<std::uint64_t>();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, found->get<std::int64_t>()));
}

// What a process moved, then what it cost.
std::pair<std::uint64_t, std::uint64_t> weight_of_process(const ordered_json& process) {
  std::uint64_t bytes = number(process, "copied_bytes") + number(process, "in_kernel_bytes");
  if (const auto fuse = process.find("fuse"); fuse != process.end())
    bytes += number(*fuse, "bytes_read") + number(*fuse, "bytes_written");
  return {bytes, number(process, "syscalls")};
}

// Most operations of a mount move no bytes; of these only the number is shown.
void bound_operations(ordered_json& owner) {
  const auto found = owner.find("operations");
  if (found == owner.end()) return;
  for (ordered_json& operation : *found) {
    ordered_json part = {{"count", number(operation, "count")}};
    if (number(operation, "bytes") != 0) {
      part["bytes"] = operation["bytes"];
      part["copied_bytes"] = number(operation, "copied_bytes");
      if (operation.contains("latency_ns"))
        part["total_ns"] = number(operation["latency_ns"], "total");
    }
    operation = std::move(part);
  }
}

ordered_json process_part(const ordered_json& process, bool with_rows) {
  ordered_json part = selected(process, kProcessFigures);
  if (part.contains("argv") && part["argv"].size() > kMostWords) {
    ordered_json& words = part["argv"];
    words.erase(words.begin() + kMostWords, words.end());
    words.push_back(kEllipsis);
  }
  if (const auto fuse = part.find("fuse"); fuse != part.end()) bound_operations(*fuse);
  const auto rows = part.find("rows");
  if (rows == part.end()) return part;
  ordered_json moving = ordered_json::array();
  for (const ordered_json& row : *rows)
    if (number(row, "bytes") != 0) moving.push_back(selected(row, kRowFigures));
  if (with_rows)
    *rows = std::move(moving);
  else
    part.erase(rows);
  return part;
}

void bound_processes(ordered_json& report) {
  const auto found = report.find("processes");
  if (found == report.end() || !found->is_array()) return;
  std::vector<const ordered_json*> largest;
  for (const ordered_json& process : *found) largest.push_back(&process);
  std::stable_sort(largest.begin(), largest.end(),
                   [](const ordered_json* one, const ordered_json* other) {
                     return weight_of_process(*one) > weight_of_process(*other);
                   });
  const std::size_t left_out = largest.size() - std::min(largest.size(), kMostEntries);
  largest.resize(largest.size() - left_out);
  ordered_json listed = ordered_json::array();
  for (const ordered_json* process : largest)
    listed.push_back(process_part(*process, listed.size() < kWithRows));
  // A new member would move the old processes.
  *found = std::move(listed);
  if (left_out != 0) report["page_left_out"]["processes"] = left_out;
}

// The rows of a file or a peer are in "flows", too.
void bound_list(ordered_json& report, const std::string& name) {
  const auto list = report.find(name);
  if (list == report.end() || !list->is_array()) return;
  for (ordered_json& one : *list) {
    if (!one.is_object()) continue;
    one.erase("rows");
    bound_operations(one);
  }
  if (list->size() <= kMostEntries) return;
  const std::size_t left_out = list->size() - kMostEntries;
  list->erase(list->begin() + kMostEntries, list->end());
  report["page_left_out"][name] = left_out;
}

// Does not cut a character in two.
void cut(std::string& text) {
  if (text.size() <= kMostText) return;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += kEllipsis;
}

void cut_strings(ordered_json& value) {
  if (value.is_string()) {
    cut(value.get_ref<std::string&>());
  } else if (value.is_structured()) {
    for (ordered_json& member : value) cut_strings(member);
  }
}

}  // namespace

ordered_json page_report(const ordered_json& report) {
  ordered_json part = report;
  bound_processes(part);
  for (const char* list : {"files", "peers", "ports", "flows", "advice"}) bound_list(part, list);
  if (const auto others = part.find("other_processes"); others != part.end())
    if (const auto fuse = others->find("fuse"); fuse != others->end()) bound_operations(*fuse);
  cut_strings(part);
  return part;
}

}  // namespace zctrace
