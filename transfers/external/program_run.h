// SPDX-License-Identifier: MIT
// One run of a program in the place of a method: the same sources, sinks and drains, from its exec
// to its end.
//
// Unix and TCP sinks: it connects to {sink}, or {host} and {port}. Files: it writes to {sink},
// which exists and is empty. Pipes and /dev/null: its standard output, {sink} is /dev/stdout.
// Files, too, are its standard output if it does not use {sink}. Its standard input is the source,
// and so is {source}. {size} and {buffer} are numbers of bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/caller.h"
#include "collector/os/descriptor.h"
#include "collector/os/signals.h"
#include "transfers/external/program.h"
#include "transfers/run.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace::transfers {

// What a program gets. Without a source and a sink, it is a command that is only timed.
struct ProgramJob {
  const Source* source = nullptr;
  const SinkSpec* sink = nullptr;  // only with a source
  std::uint64_t buffer_bytes = 0;  // {buffer}
};

struct ProgramSettings {
  std::optional<Caller> caller{};  // the user that it runs as; nullopt: zctrace's own
  SignalState signals{};           // that it starts with
  std::chrono::nanoseconds timeout{std::chrono::minutes(1)};
  int directory = -1;  // an open directory for the socket of a Unix sink, empty between runs
  // Called in this process about every second while the program runs.
  std::function<void()> while_running{};
};

// The placeholders that a sink of this kind gives a program.
std::vector<std::string> known_placeholders(SinkKind sink);

// Of `options` it takes verify, cold, the drain's, stop_fd and before_release. The times are from
// exec until the program has ended, CPU time, faults and disk reads those of the program and of its
// descendants. What the program does wrong is TransferResult::error, which says it in words. What
// it leaves running is killed. Throws SetupError when source or sink cannot be made, and Error when
// the program cannot be executed. The calling process must have one thread that makes children.
TransferResult run_program(const Program& program, const ProgramJob& job,
                           const TransferOptions& options, const ProgramSettings& settings);

}  // namespace zctrace::transfers
