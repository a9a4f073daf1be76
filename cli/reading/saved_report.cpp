// SPDX-License-Identifier: MIT
// Parses within limits, then checks what was parsed.
#include "cli/reading/saved_report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "cli/reading/compare_reading.h"
#include "cli/reading/json_node.h"
#include "cli/reading/report_reading.h"
#include "cli/reading/stacks_reading.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/json_view.h"
#include "collector/os/descriptor.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

// Ends the parsing of a document that is more than anything zctrace writes.
class TooMuch : public Error {
  using Error::Error;
};

class CountingFilter {
 public:
  explicit CountingFilter(const DocumentLimits& limits) : limits_(limits) {}

  bool operator()(int depth, ordered_json::parse_event_t event, ordered_json&) {
    if (static_cast<std::size_t>(depth) > limits_.depth)
      throw TooMuch(fmt::format("it is nested more than {} deep", limits_.depth));
    if (event == ordered_json::parse_event_t::object_start) members_.push_back(0);
    if (event == ordered_json::parse_event_t::object_end && !members_.empty()) members_.pop_back();
    if (event == ordered_json::parse_event_t::key && ++members_.back() > limits_.members)
      throw TooMuch(fmt::format("one object has more than {} members", limits_.members));
    if (event == ordered_json::parse_event_t::value && ++values_ > limits_.values)
      throw TooMuch(fmt::format("it has more than {} values", limits_.values));
    return true;
  }

 private:
  const DocumentLimits& limits_;
  std::size_t values_ = 0;
  std::vector<std::size_t> members_;  // of each object that is open
};

ordered_json parsed(std::string_view text, const DocumentLimits& limits) {
  CountingFilter filter(limits);
  return ordered_json::parse(
      text.begin(), text.end(),
      [&filter](int depth, ordered_json::parse_event_t event, ordered_json& value) {
        return filter(depth, event, value);
      });
}

Error syntax_error(const std::string& name, std::string_view text, std::size_t byte) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) return Error("'" + name + "' is empty");
  if (byte >= text.size())
    return Error("'" + name + "' is cut off: it ends in the middle of a JSON document");
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 in the first line
  return Error(fmt::format("'{}' is not a report: JSON syntax error in line {}, column {}", name,
                           std::count(before.begin(), before.end(), '\n') + 1,
                           before.size() - line_start + 1));
}

void check_schema(const ordered_json& json) {
  const JsonNode root(json);
  if (!json.is_object() || !json.contains("schema"))
    root.refuse("has no 'schema'; it is not zctrace's");
  const std::string schema = root.at("schema").text();
  if (schema == kSchema) return;
  if (schema == "zctrace/1")
    throw Error(
        "it follows schema zctrace/1, which counts no copies; save the report again with "
        "this version");
  if (schema.starts_with("zctrace-diff/"))
    throw Error("it is the result of 'zctrace diff', not a report");
  throw Error("it follows schema '" + printable(schema, false) + "'; this version reads " +
              std::string(kSchema));
}

SavedReport checked(ordered_json json, std::string_view text) {
  check_schema(json);
  SavedReport saved{std::string(text), std::move(json), {}};
  if (!text.ends_with('\n')) saved.text += '\n';
  const JsonNode root(saved.json);
  if (root.at("command").text() == "compare")
    saved.report = read_comparison(root);
  else
    saved.report = read_report(root);
  if (const auto stacks = root.find("stacks")) check_stacks(*stacks);
  return saved;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

// nullopt where the first line is not a document of its own.
std::optional<SavedFile> parse_lines(const std::string& name, std::string_view text,
                                     const DocumentLimits& limits) {
  SavedFile file{name, {}, true, false};
  std::size_t number = 0;
  while (!is_blank(text)) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool last = end == text.size();
    text.remove_prefix(last ? end : end + 1);
    ++number;
    if (is_blank(line)) continue;
    try {
      file.reports.push_back(checked(parsed(line, limits), line));
    } catch (const ordered_json::parse_error& error) {
      if (file.reports.empty()) return std::nullopt;
      file.cut_off = last;  // its end had not been written yet
      if (last) break;
      throw Error(fmt::format("line {} is not JSON: error in column {}", number, error.byte));
    } catch (const TooMuch&) {
      throw;
    } catch (const Error& error) {
      throw Error(fmt::format("in line {}, {}", number, error.what()));
    }
  }
  if (file.reports.empty()) return std::nullopt;
  return file;
}

SavedFile parse(const std::string& name, std::string_view text, const DocumentLimits& limits) {
  try {
    SavedFile file{name, {}, false, false};
    file.reports.push_back(checked(parsed(text, limits), text));
    return file;
  } catch (const ordered_json::parse_error& error) {
    if (auto lines = parse_lines(name, text, limits)) return std::move(*lines);
    throw syntax_error(name, text, error.byte);
  }
}

}  // namespace

ordered_json parse_document(std::string_view text, const DocumentLimits& limits) {
  try {
    return parsed(text, limits);
  } catch (const ordered_json::exception&) {
    throw Error("a text in it is not a JSON document");
  }
}

SavedFile parse_saved_reports(const std::string& name, std::string_view text,
                              const DocumentLimits& limits) {
  try {
    return parse(name, text, limits);
  } catch (const ordered_json::exception&) {
    throw Error("'" + name + "' is not a report: it has a number that is out of range");
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with("'" + name)) throw;
    throw Error("cannot read '" + name + "': " + what);
  }
}

SavedFile read_saved_file(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : printable(path, false);
  const DocumentLimits limits;
  Descriptor opened;
  if (path != "-") {
    opened.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) throw system_error("cannot open '" + name + "'", errno);
  }
  const int file = path == "-" ? STDIN_FILENO : opened.get();
  std::string text;
  for (std::size_t read = 0;;) {
    text.resize(std::max(2 * read, std::size_t{1} << 16));
    const ssize_t n = ::read(file, text.data() + read, text.size() - read);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("cannot read '" + name + "'", errno);
    read += static_cast<std::size_t>(n);
    if (read > limits.bytes)
      throw Error(
          fmt::format("cannot read '{}': it has more than {}", name, format_bytes(limits.bytes)));
    if (n == 0) {
      text.resize(read);
      break;
    }
  }
  return parse_saved_reports(name, text, limits);
}

void refuse_estimates(const SavedFile& file, const std::string& where) {
  for (const SavedReport& saved : file.reports)
    if (saved.json.contains("duty"))
      throw Error(fmt::format("'{}' has estimates (--duty), which {} would take for exact counts",
                              printable(file.name, false), where));
}

}  // namespace zctrace
