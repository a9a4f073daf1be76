// SPDX-License-Identifier: MIT
// Rows, and what processes and channels share with them, from JSON. All functions throw Error,
// which names the value that is wrong.
#pragma once

#include "cli/reading/json_node.h"
#include "collector/model/report.h"

namespace zctrace {

Row read_row(const JsonNode& object);
std::vector<Row> read_rows(const JsonNode& object, std::string_view name = "rows");
Kind read_kind(const JsonNode& name);
// none where it is null or missing.
Protocol read_protocol(const JsonNode& object);
// From buckets_json().
Histogram read_buckets(const JsonNode& object);
// No profile where the object has none.
CpuProfile read_cpu_profile(const JsonNode& object);

template <typename Figures, typename Record, std::size_t N>
void read_fields(const JsonNode& object, Figures& figures,
                 const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields)
    if (field.listed) figures.*field.member = object.count_of(field.name);
}

// Of a process or the totals, with --duty.
SlicedSum read_sliced_sum(const JsonNode& object);

// What add_pipes_json() adds.
void read_pipes(const JsonNode& object, Process& process);

// The counts of switches outside calls, where an object has only the sum of all.
void set_switches_outside(const JsonNode& object, Process& process);

}  // namespace zctrace
