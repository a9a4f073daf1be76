// SPDX-License-Identifier: MIT
// Advice in the making: what one process could do, before equal advice is added up. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/advice/method_pair.h"
#include "collector/model/report.h"

namespace zctrace {

struct AdviceDraft {
  Advice advice;  // its ends have kind and protocol, its savings are of this part
  std::map<const Process*, std::uint64_t> processes;  // and the bytes that are theirs
  std::set<ChannelId> from;                           // the known ones
  std::set<ChannelId> to;
  std::map<std::string, std::uint64_t> via;  // call -> bytes
  std::uint64_t calls = 0;                   // that move the bytes on today
  std::uint64_t wall_ns = 0;                 // of `blocked`: that these calls took
  // What to compare for the CPU time; buffers are set from `calls` when all is added up.
  std::optional<MethodPair> methods;

  std::uint64_t bytes_per_call() const { return calls == 0 ? 0 : advice.bytes / calls; }
};

AdviceDraft new_draft(AdviceKind kind, const Process& process);

// Adds up drafts with the same process name, kind, ends, and alternative.
std::vector<AdviceDraft> merged(std::vector<AdviceDraft> drafts);

// Whether it saves enough to mention: of the processes it is about, at least a hundredth of their
// syscalls or of the bytes that CPUs copied, and not next to nothing.
bool is_worth_saying(const AdviceDraft& draft);

// Fills in what follows from the sums: names of ends, processes, share, and the sentence.
void complete(AdviceDraft& draft, const Report& report);

}  // namespace zctrace
