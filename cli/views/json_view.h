// SPDX-License-Identifier: MIT
// A report as the JSON that scripts read; the field names are an interface (json_schema.h).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/views/report/channel_table.h"
#include "collector/model/report.h"

namespace zctrace {

// All strings in it are valid UTF-8, so that dump() never throws: dump(2) for a file,
// dump() for a stream of one object a line.
// `by`: what --by asked for, "" nothing; it groups the tables only.
nlohmann::ordered_json report_json(const Report& report, std::string_view by = {},
                                   const ChannelLimits& limits = {});

// The schema that report_json() follows.
inline constexpr std::string_view kSchema = "zctrace/2";

// Why a figure of the report is not known, where its rows say so.
inline constexpr const char* kNotOfOperations =
    "not measured for operations of io_uring and native AIO; other rows have it";
inline constexpr const char* kNotInMemory =
    "not measured: some of the bytes went to files in memory (tmpfs), whose pages the kernel does "
    "not charge";

// What an observation could measure.
struct Measured {
  bool latency = true;  // times inside calls
  bool charges = true;  // what calls read from disks and made dirty; if not, the report says why
  bool copies = true;   // the same of how often a CPU copied the bytes
  bool sliced = false;  // counts are estimates (--duty)
};

Measured measured_of(const Report& report);

// One row as in `processes[].rows`, for `compare`, which has rows outside of processes.
nlohmann::ordered_json row_json(const Row& row, const Measured& measured);

// What "totals" has: of one process, or of a sum of several and what each delivered.
nlohmann::ordered_json figures_json(const Process& sum, const Delivered& delivered,
                                    const Measured& measured);

// Null for "". The text may come from anywhere.
nlohmann::ordered_json text_or_null(std::string_view text);

template <typename T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

// Of a row, a process or a sum that has a profile.
nlohmann::ordered_json cpu_profile_json(const CpuProfile& profile);

nlohmann::ordered_json completeness_json(const Completeness& completeness);

// {"kernel", "arch", "cpus"}
nlohmann::ordered_json host_json(const Host& host);

// ZCTRACE_VERSION, which the Makefile sets.
std::string version();

}  // namespace zctrace
