// SPDX-License-Identifier: MIT
// mk/page.mk makes a raw string literal of the page. Here the report is put into it.
#include "cli/views/html/html_page.h"

#include <string_view>

#include "cli/views/html/page_report.h"

namespace zctrace {
namespace {

constexpr std::string_view kTemplate{
#include "html_page.inc"
};

// scripts/assemble-page checks that it occurs once.
constexpr std::string_view kPlace = "@REPORT@";

constexpr std::string_view kLineSeparator = "\xE2\x80\xA8";
constexpr std::string_view kParagraphSeparator = "\xE2\x80\xA9";

// JSON that cannot end or change the element that it is in. These characters occur only within
// JSON's strings, where an escape means the same.
std::string embeddable(std::string_view json) {
  std::string text;
  text.reserve(json.size() + json.size() / 16);
  for (std::size_t at = 0; at < json.size(); ++at) {
    const std::string_view rest = json.substr(at);
    if (json[at] == '<') {
      text += "\\u003c";
    } else if (json[at] == '>') {
      text += "\\u003e";
    } else if (json[at] == '&') {
      text += "\\u0026";
    } else if (rest.starts_with(kLineSeparator) || rest.starts_with(kParagraphSeparator)) {
      text += rest.starts_with(kLineSeparator) ? "\\u2028" : "\\u2029";
      at += kLineSeparator.size() - 1;
    } else {
      text += json[at];
    }
  }
  return text;
}

}  // namespace

std::string html_page(const nlohmann::ordered_json& report) {
  const std::string json = embeddable(
      page_report(report).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  const std::size_t place = kTemplate.find(kPlace);
  std::string page;
  page.reserve(kTemplate.size() + json.size());
  page += kTemplate.substr(0, place);
  page += json;
  page += kTemplate.substr(place + kPlace.size());
  return page;
}

}  // namespace zctrace
