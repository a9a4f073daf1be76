// SPDX-License-Identifier: MIT
// What JSON adds to the figures of its interface so that `zctrace report` can make the same report
// of it again: buckets, rows that -e leaves out, and the flows behind files and peers.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/views/report/channel_table.h"
#include "collector/model/report.h"

namespace zctrace {

// {"1536": 30, "2048": 2}: calls by the lower bound of their bucket, in ns. Empty buckets are left
// out.
nlohmann::ordered_json buckets_json(const Histogram& latency);

// Appends to the object of a row what the other fields do not say of it. Nothing, of most rows.
void add_exact_json(nlohmann::ordered_json& object, const Row& row);

// Appends what the figures of a process do not say of its pipes: "pipes".
void add_pipes_json(nlohmann::ordered_json& object, const Process& process);

// Appends "channels" and "retransmits" to a report's object, and "flows" and "mapped" to those of
// its processes, which must be in the order of the report. Channels that the report does not list
// are null.
void add_flows_json(nlohmann::ordered_json& object, const Report& report,
                    const ChannelLimits& limits);

// With --duty: how far the counts may be from the truth; null where too few slices say it. Of a
// row, and of a process or the totals.
nlohmann::ordered_json estimate_json(const SlicedRow& row);
nlohmann::ordered_json estimate_json(const SlicedSum& sum);

}  // namespace zctrace
