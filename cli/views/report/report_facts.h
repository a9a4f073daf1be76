// SPDX-License-Identifier: MIT
// What a report says beside its tables: title, circumstances, derived figures, completeness.
// Rearranges a report's figures, adds none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

std::string report_title(const Report& report, const Wording& wording);
std::string process_title(const Process& process, const Wording& wording);

// "exit 0", "1.23 s", "Linux 6.18 x86_64" …
std::vector<std::string> report_circumstances(const Report& report, const Wording& wording);
// "Linux 6.18 x86_64", "2 CPUs"
std::vector<std::string> host_items(const Host& host, bool unicode);
// CPU time, faults, memory, switches of a process or a sum.
std::vector<std::string> resource_items(const Process& process, bool is_sum);

// Crossings, copied, in kernel, delivered, CPU copies, shares, and all per GB.
std::vector<Fact> derived_facts(const Process& process, const Delivered& delivered,
                                const Wording& wording);
// How much of the time was observed (--duty), and how far the estimates may be off.
std::vector<Fact> duty_facts(const Report& report, const Process& sum);
// `sliced`: with --duty, where most of the time is left out.
std::vector<Fact> completeness_facts(const Completeness& completeness, bool sliced = false);

// Whether it lists threads rather than processes.
bool has_threads(const Report& report);

}  // namespace zctrace
