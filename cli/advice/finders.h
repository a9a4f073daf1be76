// SPDX-License-Identifier: MIT
// One function for each kind of advice: what one process could do, from its counts alone. Pure.
// A file each, of the kind's name. They find everything; is_worth_saying() judges the sums.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/advice/draft.h"
#include "cli/advice/in_kernel_way.h"
#include "collector/model/report.h"

namespace zctrace {

using Drafts = std::vector<AdviceDraft>;

// Pairs of channels that a fallback covers are not also relays.
void find_fallbacks(const Report& report, const Process& process, Drafts& drafts);
void find_relays(const Report& report, const Process& process, Drafts& drafts);
void find_small_buffers(const Report& report, const Process& process, Drafts& drafts);
// direct_fallback, zerocopy_copied, tls_software.
void find_verdicts(const Report& report, const Process& process, Drafts& drafts);
void find_blocked(const Report& report, const Process& process, Drafts& drafts);

// The methods of `compare` for bytes that are read and written by these calls and that could go
// this way. nullopt: compare has no such source, sink or method.
std::optional<MethodPair> methods_of(const Report& report, const PassedOn& ends,
                                     const std::string& read, const std::string& write,
                                     const std::string& instead);

// The draft's savings if `today` were to go this way. `copied` bytes were copied by a CPU today.
void set_savings(Savings& saves, const InKernelWay& way, const CallsToday& today,
                 std::uint64_t copied);

// Calls that did not fail.
std::uint64_t successes(const Row& row);
// Whether it reads into memory by copying, or writes from there.
bool copies_to_user(const Row& row);
bool copies_from_user(const Row& row);

// The file system of a file. "": not known.
std::string file_system_of(const Report& report, const ChannelId& file);

}  // namespace zctrace
