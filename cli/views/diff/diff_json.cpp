// SPDX-License-Identifier: MIT
// The names of the fields are an interface; schema/zctrace-diff-1.schema.json defines them.
#include <cmath>

#include "cli/text/printable.h"
#include "cli/views/diff/diff_view.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

// Whole numbers as such: JSON has them without ".0".
ordered_json number_json(double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (value == std::floor(value) && std::abs(value) < kExact)
    return static_cast<std::int64_t>(value);
  return value;
}

ordered_json number_json(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? number_json(*value) : ordered_json(nullptr);
}

ordered_json side_json(const DiffSide& side) {
  ordered_json files = ordered_json::array();
  for (const std::string& file : side.files) files.push_back(valid_utf8(file));
  return {{"files", files},
          {"command", side.command},
          {"subject", valid_utf8(side.subject)},
          {"version", valid_utf8(side.version)},
          {"host", host_json(side.host)},
          {"started_at", side.started_at},
          {"duration_ns", side.duration_ns},
          {"lost_events", side.lost_events},
          {"sample", side.sample},
          {"samples", side.samples}};
}

ordered_json figure_json(const FigureChange& figure, bool per_second) {
  ordered_json object = {{"name", valid_utf8(figure.name)},
                         {"scope", valid_utf8(figure.scope)},
                         {"a", number_json(figure.a)},
                         {"b", number_json(figure.b)},
                         {"change", number_json(figure.change)},
                         {"change_share", number_json(figure.relative())},
                         {"interval", nullptr},
                         {"significant", or_null(figure.significant)},
                         {"per_second", per_second && adds_up(figure.name)}};
  if (figure.interval)
    object["interval"] = {number_json(figure.interval->low), number_json(figure.interval->high)};
  return object;
}

}  // namespace

ordered_json diff_json(const ReportDiff& diff, const std::vector<std::string>& failed) {
  ordered_json object;
  object["schema"] = kDiffSchema;
  object["version"] = version();
  object["a"] = side_json(diff.a);
  object["b"] = side_json(diff.b);
  object["warnings"] = ordered_json::array();
  for (const std::string& warning : diff.warnings)
    object["warnings"].push_back(valid_utf8(warning));
  ordered_json& figures = object["figures"] = ordered_json::array();
  for (const FigureChange& figure : diff.figures)
    figures.push_back(figure_json(figure, diff.a.per_second));
  object["failed"] = ordered_json::array();
  for (const std::string& condition : failed) object["failed"].push_back(valid_utf8(condition));
  return object;
}

}  // namespace zctrace
