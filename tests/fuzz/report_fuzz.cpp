// SPDX-License-Identifier: MIT
// Hostile names and command lines in every view: no part of them acts on a terminal, ends a line
// or a cell, or is lost. The input is words separated by zero bytes.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/table_view.h"
#include "tests/fuzz/require.h"

namespace {

using namespace zctrace;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool is_harmless(std::string_view text, bool with_newlines) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x7F || (byte < 0x20 && !(with_newlines && byte == '\n'))) return false;
  }
  return valid_utf8(text) == text;
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const std::uint32_t leads[] = {0xC0, 0xE0, 0xF0};
  text += static_cast<char>(leads[more - 1] | code >> (6 * more));
  for (int i = more - 1; i >= 0; i--) text += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
}

// Removes an escape sequence from the front, as bash does inside $'...'.
std::string take_escape(std::string_view& text) {
  require(text.size() >= 2, "an escape is whole");
  const char letter = text[1];
  text.remove_prefix(2);
  switch (letter) {
    case 'n': return "\n";
    case 'r': return "\r";
    case 't': return "\t";
    case '\\':
    case '\'': return {letter};
    default: break;
  }
  const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  require(letter == 'x' || letter == 'u' || letter == 'U', "an escape is known");
  require(text.size() >= digits, "an escape has its digits");
  const auto code =
      static_cast<std::uint32_t>(std::stoul(std::string(text.substr(0, digits)), nullptr, 16));
  text.remove_prefix(digits);
  if (letter == 'x') return {static_cast<char>(code)};
  std::string character;
  append_utf8(character, code);
  return character;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.front() == '\\') {
      plain += take_escape(text);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

// The words that bash reads from the output of shell_words().
std::vector<std::string> read_by_shell(std::string_view line) {
  std::vector<std::string> words(1);
  while (!line.empty()) {
    std::string& word = words.back();
    const bool escaping = line.starts_with("$'");
    if (line.front() == ' ') {
      words.emplace_back();
      line.remove_prefix(1);
    } else if (escaping || line.front() == '\'') {
      line.remove_prefix(escaping ? 2 : 1);
      while (!line.empty() && line.front() != '\'') {
        if (escaping && line.front() == '\\') {
          word += take_escape(line);
        } else {
          word += line.front();
          line.remove_prefix(1);
        }
      }
      require(!line.empty(), "a quote is closed");
      line.remove_prefix(1);
    } else if (line.front() == '\\') {
      require(line.size() >= 2, "a backslash quotes something");
      word += line[1];
      line.remove_prefix(2);
    } else {
      require(
          std::string_view(";&|<>()$`\"*?[]#~{}!^").find(line.front()) == std::string_view::npos,
          "nothing special is outside of quotes");
      word += line.front();
      line.remove_prefix(1);
    }
  }
  return words;
}

void check_text(const std::string& text) {
  for (const bool unicode : {false, true}) {
    const std::string shown = printable(text, unicode);
    require(is_harmless(shown, false), "printable text is harmless");
    require(unescaped(shown) == text, "printable text can be read back");
    for (const std::size_t width : {0, 1, 2, 7, 40})
      require(display_width(cut_to_width(shown, width, unicode)) <= width, "cut text fits");
  }
  require(valid_utf8(valid_utf8(text)) == valid_utf8(text), "valid UTF-8 stays as it is");
}

Report report_of(const std::vector<std::string>& words) {
  // The figures depend on the words too, so that columns have every width: up to 10^12 calls.
  std::array<std::uint64_t, 4> figures{};
  std::memcpy(figures.data(), words.back().data(), std::min(words.back().size(), sizeof(figures)));
  Row row;
  row.syscall = words.front();
  row.from = Kind::file;
  row.to = Kind::socket;
  row.copy = Copy::in_kernel;
  row.calls = figures[0] >> 24;
  row.bytes = figures[1] >> 24;
  row.wall_ns = figures[2] >> 24;
  row.max_ns = figures[3] >> 24;
  row.latency.add(figures[0] % Histogram::kBuckets, row.calls);

  Process process;
  process.pid = 7;
  process.name = words.front();
  process.argv = words;
  process.rows = {row, row};
  process.rows.back().to = Kind::pipe;
  Report report;
  report.command = "run";
  report.host = {"6.1.0", "x86_64", 2};
  report.argv = words;
  report.completeness.lost_by_reason = {{"rows_full", figures[0] >> 24}};
  report.processes = {process, process};
  report.processes.back().pid = 8;
  return report;
}

void check_json(const Report& report) {
  const auto json = nlohmann::ordered_json::parse(report_json(report).dump());
  const auto& process = json["processes"][0];
  require(process["name"] == valid_utf8(report.processes[0].name), "JSON has the name");
  require(process["argv"].size() == report.argv.size(), "JSON has each word");
  for (std::size_t i = 0; i < report.argv.size(); i++)
    require(process["argv"][i] == valid_utf8(report.argv[i]), "JSON has the words");
  require(process["rows"][0]["bytes"] == report.processes[0].rows[0].bytes, "JSON has the bytes");
  require(json["totals"]["rows"][0]["calls"].is_number_unsigned(), "JSON has the totals");
}

// The fields of a line, as RFC 4180 defines them.
std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); i++) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  require(!quoted, "a CSV field is closed");
  return fields;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    require(text.find('\n') != std::string_view::npos, "the last line ends");
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(lines.back().size() + 1);
  }
  return lines;
}

// A leading apostrophe keeps a spreadsheet from taking a name for a formula.
void check_csv_name(std::string_view cell, const std::string& name) {
  require(cell.empty() || std::string_view("=@").find(cell.front()) == cell.npos,
          "a CSV cell is not a formula");
  require(unescaped(cell) == name || (cell.front() == '\'' && unescaped(cell.substr(1)) == name),
          "CSV has the name");
}

void check_csv(const Report& report) {
  const std::string csv = csv_view(report);
  require(is_harmless(csv, true), "CSV is harmless");
  const auto lines = lines_of(csv);
  require(lines.size() == 5, "CSV has a line for each row");
  const auto header = csv_fields(lines[0]);
  for (const std::string_view line : lines) {
    const auto fields = csv_fields(line);
    require(fields.size() == header.size(), "CSV has each field");
    if (line.data() == lines[0].data()) continue;
    check_csv_name(fields[3], report.processes[0].name);
  }
}

// The bars of a Markdown line that separate cells.
std::size_t cell_borders(std::string_view line) {
  std::size_t borders = 0;
  for (std::size_t i = 0; i < line.size(); i++) {
    if (line[i] == '\\') {
      i++;
    } else if (line[i] == '|') {
      borders++;
    }
  }
  return borders;
}

void check_markdown(const Report& report) {
  const std::string markdown = markdown_view(report, std::nullopt);
  require(is_harmless(markdown, true), "Markdown is harmless");
  std::size_t borders = 0;  // of the current table
  for (const std::string_view line : lines_of(markdown)) {
    const bool in_table = line.starts_with('|');
    if (in_table && borders != 0) require(cell_borders(line) == borders, "no cell ends a cell");
    borders = in_table ? cell_borders(line) : 0;
  }
}

void check_table(const Report& report) {
  for (const std::size_t width : {0, 80, 132}) {
    for (const bool unicode : {false, true}) {
      const std::string table = table_view(report, std::nullopt, {false, unicode, width});
      require(is_harmless(table, true), "the table is harmless");
      for (const std::string_view line : lines_of(table))
        if (width != 0 && display_width(line) > width)
          require(false, "the table fits: " + std::string(line));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto words = words_of({reinterpret_cast<const char*>(bytes), size});
  for (const std::string& word : words) check_text(word);
  for (const bool unicode : {false, true})
    require(read_by_shell(shell_words(words, unicode)) == words, "a shell reads the same words");
  const Report report = report_of(words);
  check_json(report);
  check_csv(report);
  check_markdown(report);
  check_table(report);
  return 0;
}
