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

// scripts/assemble-page checks that each occurs once.
constexpr std::string_view kPlace = "@REPORT@";
constexpr std::string_view kLivePlace = "@LIVE@";
constexpr std::string_view kNoConnection = "connect-src 'none'";
constexpr std::string_view kPolicyBegin = "http-equiv=\"Content-Security-Policy\" content=\"";

constexpr std::string_view kLiveBar =
    "<nav id=\"live\" aria-label=\"Live\"><button type=\"button\" id=\"live-switch\" hidden>Pause"
    "</button> <span id=\"live-status\" role=\"status\"></span> <span class=\"links\">"
    "<a href=\"/metrics\">/metrics</a> <a href=\"/api/report\">/api/report</a></span></nav>";

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

void put(std::string& page, std::string_view place, std::string_view text) {
  page.replace(page.find(place), place.size(), text);
}

}  // namespace

std::string html_page(const nlohmann::ordered_json& report) {
  const std::string json = embeddable(
      page_report(report).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  std::string page(kTemplate);
  put(page, kLivePlace, "");
  put(page, kPlace, json);
  return page;
}

LivePage live_page() {
  LivePage page{std::string(kTemplate), {}};
  put(page.html, kNoConnection, "connect-src 'self'");
  put(page.html, kLivePlace, kLiveBar);
  put(page.html, kPlace, "null");
  const std::size_t begin = page.html.find(kPolicyBegin) + kPolicyBegin.size();
  page.policy = page.html.substr(begin, page.html.find('"', begin) - begin);
  return page;
}

}  // namespace zctrace
