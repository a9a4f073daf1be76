// SPDX-License-Identifier: MIT
// A report as one page of HTML that needs nothing else: no network, no other file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace zctrace {

// The page of what --json writes for run, attach, compare and mount, so a saved report makes the
// same page. It is made from that object alone. Optional: "intervals", an array of
// {"started_at", "duration_ns", "totals"} in the order of time, which the page draws over time. All
// of them are drawn: more than a thousand or so should be added up first. The report's strings may
// be hostile: they are embedded as data and shown as text. What would make the page too large to
// open is left out, and the page says so (page_report.h).
std::string html_page(const nlohmann::ordered_json& report);

// The same page without a report: it fetches one from /api/report of the server that it comes from,
// and again every few seconds. `policy` is its content security policy.
struct LivePage {
  std::string html;
  std::string policy;
};
LivePage live_page();

}  // namespace zctrace
