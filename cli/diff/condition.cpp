// SPDX-License-Identifier: MIT
// A parser without backtracking: scope, figure, comparison, limit.
#include "cli/diff/condition.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "cli/text/printable.h"
#include "cli/text/suggestion.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

constexpr std::string_view kComparisons[] = {">=", "<=", "==", "!=", ">", "<"};
constexpr std::string_view kOfFigures =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:";

class ConditionParser {
 public:
  explicit ConditionParser(const std::string& text) : text_(text) {}

  Condition parse() {
    Condition condition;
    condition.text = text_;
    // A scope may have any characters; the last colon before a space ends it.
    if (const std::size_t colon = text_.rfind(": "); colon != text_.npos) {
      condition.scope = text_.substr(0, colon);
      if (condition.scope.empty()) fail("a scope, such as 'process nginx'");
      at_ = colon + 1;
    }
    skip_spaces();
    const std::size_t end = std::min(text_.find_first_not_of(kOfFigures, at_), text_.size());
    condition.figure = text_.substr(at_, end - at_);
    if (condition.figure.empty()) fail("the name of a figure");
    at_ = end;
    skip_spaces();
    for (const std::string_view comparison : kComparisons)
      if (condition.comparison.empty() && rest().starts_with(comparison))
        condition.comparison = comparison;
    if (condition.comparison.empty()) fail("one of >, <, >=, <=, ==, !=");
    at_ += condition.comparison.size();
    skip_spaces();
    parse_limit(condition);
    skip_spaces();
    if (at_ != text_.size()) fail("the end");
    return condition;
  }

 private:
  std::string_view rest() const { return std::string_view(text_).substr(at_); }
  void skip_spaces() { at_ = std::min(text_.find_first_not_of(' ', at_), text_.size()); }

  void parse_limit(Condition& condition) {
    const bool negative = rest().starts_with('-');
    condition.of_change = negative || rest().starts_with('+');
    if (condition.of_change) ++at_;
    const char* const begin = text_.data() + at_;
    const auto parsed = std::from_chars(begin, text_.data() + text_.size(), condition.limit);
    if (parsed.ec != std::errc() || !std::isfinite(condition.limit) || rest().starts_with('-'))
      fail("a number");
    at_ += static_cast<std::size_t>(parsed.ptr - begin);
    if (negative) condition.limit = -condition.limit;
    condition.percent = rest().starts_with('%');
    if (condition.percent) ++at_;
    if (condition.percent && !condition.of_change && !condition.figure.ends_with("_share"))
      throw Error(fmt::format("--fail-if '{}': only a share has a value in percent; for a change "
                              "give +{:g}% or -{:g}%",
                              printable(text_, true), condition.limit, condition.limit),
                  kExitUsage);
  }

  [[noreturn]] void fail(const char* expected) const {
    throw Error(fmt::format("--fail-if '{}': expected {} at column {}{}", printable(text_, true),
                            expected, at_ + 1,
                            rest().empty() ? ", where it ends"
                                           : fmt::format(", not '{}'", printable(rest(), true))),
                kExitUsage);
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

bool holds(double value, const std::string& comparison, double limit) {
  if (comparison == ">") return value > limit;
  if (comparison == "<") return value < limit;
  if (comparison == ">=") return value >= limit;
  if (comparison == "<=") return value <= limit;
  return (value == limit) == (comparison == "==");
}

// Of B, or of the change; a change from 0 is beyond any share.
double judged_value(const Condition& condition, const FigureChange& figure) {
  if (!condition.of_change) return condition.percent ? 100 * *figure.b : *figure.b;
  if (!condition.percent) return *figure.change;
  if (*figure.change == 0) return 0;
  if (const auto relative = figure.relative()) return 100 * *relative;
  return std::copysign(INFINITY, *figure.change);
}

std::string values_text(const FigureChange& figure) {
  const std::string relative =
      figure.relative() ? fmt::format(" ({:+.3g}%)", 100 * *figure.relative()) : "";
  return fmt::format("A has {:.6g} and B {:.6g}{}", *figure.a, *figure.b, relative);
}

}  // namespace

Condition parse_condition(const std::string& text) { return ConditionParser(text).parse(); }

void check_condition(const Condition& condition, const ReportDiff& diff) {
  if (diff.find(condition.scope, condition.figure) != nullptr) return;
  std::vector<std::string> known;
  if (!diff.has_scope(condition.scope)) {
    for (const FigureChange& figure : diff.figures)
      if (known.empty() || known.back() != figure.scope) known.push_back(figure.scope);
    const std::string near = suggestion(condition.scope, known);
    throw Error(
        fmt::format("--fail-if '{}': neither report has '{}'{}", printable(condition.text, true),
                    printable(condition.scope, true), near.empty() ? "" : printable(near, true)),
        kExitUsage);
  }
  // What is below a figure that is null is null, too.
  for (std::size_t dot = 0; (dot = condition.figure.find('.', dot)) != std::string::npos; ++dot)
    if (diff.find(condition.scope, condition.figure.substr(0, dot)) != nullptr) return;
  for (const FigureChange& figure : diff.figures)
    if (figure.scope == condition.scope) known.push_back(figure.name);
  throw Error(fmt::format("--fail-if '{}': {} has no figure '{}'{}",
                          printable(condition.text, true), printable(condition.scope, true),
                          printable(condition.figure, true), suggestion(condition.figure, known)),
              kExitUsage);
}

std::optional<std::string> why_failed(const Condition& condition, const ReportDiff& diff) {
  const FigureChange* const figure = diff.find(condition.scope, condition.figure);
  const std::string what = printable(condition.text, true);
  if (figure == nullptr || !figure->b || (condition.of_change && !figure->a))
    return fmt::format("'{}' cannot be judged: {} not known in {}", what,
                       printable(condition.figure, true) + " is",
                       figure != nullptr && figure->b ? "A" : "B");
  if (!holds(judged_value(condition, *figure), condition.comparison, condition.limit))
    return std::nullopt;
  if (!condition.of_change) return fmt::format("'{}' holds: B has {:.6g}", what, *figure->b);
  if (figure->significant == false) return std::nullopt;
  return fmt::format("'{}' holds: {}{}", what, values_text(*figure),
                     figure->significant ? "" : "; one sample each, so it may be chance");
}

}  // namespace zctrace
