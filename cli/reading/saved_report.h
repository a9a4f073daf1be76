// SPDX-License-Identifier: MIT
// Reports that --json saved: one of a run, or one a line of intervals.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/compare/result.h"
#include "collector/model/report.h"

namespace zctrace {

struct SavedReport {
  std::string text;             // its JSON as it was read, with its line end
  nlohmann::ordered_json json;  // with the fields that this version does not know
  std::variant<Report, CompareResult> report;
};

struct SavedFile {
  std::string name;  // as given, printable
  std::vector<SavedReport> reports;
  bool intervals = false;  // one report a line, as -i writes them
  bool cut_off = false;    // the last line is not whole, and is left out
};

// What a document may have at most, so that a hostile file costs little more than its size.
struct DocumentLimits {
  std::size_t bytes = std::size_t{256} << 20;
  std::size_t values = 20'000'000;
  std::size_t members = 1000;  // of one object
  std::size_t depth = 32;
};

// One JSON document. Throws Error: it is not one, or more than `limits`.
nlohmann::ordered_json parse_document(std::string_view text, const DocumentLimits& limits = {});

// "-" is standard input. Throws Error, which says what is wrong and where.
SavedFile read_saved_file(const std::string& path);

// The same of text that was read already. `name` is for messages.
SavedFile parse_saved_reports(const std::string& name, std::string_view text,
                              const DocumentLimits& limits = {});

// Throws Error if a report of the file has estimates (--duty), which `where` cannot mark.
void refuse_estimates(const SavedFile& file, const std::string& where);

}  // namespace zctrace
