// SPDX-License-Identifier: MIT
// What options accept: lists of syscalls and of pids, addresses to listen on, sinks.
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "cli/options/listen_address.h"
#include "cli/options/target_options.h"
#include "collector/observe/syscall_table.h"
#include "collector/os/error.h"
#include "tests/fuzz/require.h"
#include "transfers/sink.h"

namespace {

using namespace zctrace;

void check_syscalls(std::string_view text) {
  try {
    const SyscallTable table(text);
    const std::size_t rows = table.rows().size();
    require(rows >= 2 && rows <= ZC_MAX_SYSCALLS + ZC_MAX_URING_OPS, "a row for each name");
    for (const zc_call& call : table.calls()) require(call.row < rows, "a call's row is there");
    for (const zc_call& op : table.uring_ops())
      require(op.row < rows, "an operation's row is there");
    require(table.ficlone_row() < rows && table.ficlonerange_row() < rows,
            "a clone's row is there");
    std::set<std::string> names;
    for (const RowMeaning& row : table.rows())
      require(names.insert(row.name).second, "no name has two rows");
  } catch (const Error& error) {
    require(error.exit_code() == kExitUsage, "a bad list is a usage error");
  }
}

void check_pids(const std::string& text) {
  TargetOptions options;
  options.pids = {text};
  try {
    const Targets targets = parse_targets(options, true);
    std::string again;
    for (const pid_t pid : targets.pids) {
      require(pid > 0, "a pid is positive");
      again += (again.empty() ? "" : ",") + std::to_string(pid);
    }
    options.pids = {again};
    require(parse_targets(options, true).pids == targets.pids, "written again it is the same list");
  } catch (const Error& error) {
    require(error.exit_code() == kExitUsage, "a bad PID is a usage error");
  }
}

void check_address(std::string_view text) {
  try {
    const ListenAddress address = parse_listen_address(text);
    const ListenAddress again = parse_listen_address(address.text());
    require(again.host == address.host && again.port == address.port &&
                again.is_ipv6 == address.is_ipv6,
            "an address survives being written");
    // The HTTP server puts it into a list that is separated by commas.
    require(address.host.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos,
            "an address is digits");
  } catch (const std::invalid_argument&) {
  }
}

void check_sink(std::string_view text) {
  const auto sink = transfers::parse_sink(text);
  if (!sink) return;
  const auto again = transfers::parse_sink(transfers::sink_name(*sink));
  require(again && again->kind == sink->kind && again->directory == sink->directory &&
              again->pipe_bytes == sink->pipe_bytes,
          "a sink survives being named");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  check_syscalls(text);
  check_pids(text);
  check_address(text);
  check_sink(text);
  return 0;
}
