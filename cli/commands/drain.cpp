// SPDX-License-Identifier: MIT
// `zctrace drain`: the reader of `compare --to tcp:HOST:PORT` on another machine.
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/options/listen_address.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/text/units.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"
#include "transfers/drain_server.h"

namespace zctrace {
namespace {

struct ServingOptions {
  std::string listen;
  std::string max_size = "64G";
  std::optional<std::chrono::nanoseconds> timeout;
  bool quiet = false;
};

constexpr std::chrono::minutes kDefaultTimeout(10);
constexpr std::chrono::seconds kMostSilence(30);

std::string line_about(const transfers::EndedTransfer& served) {
  const transfers::DrainAnswer& got = served.answer;
  const std::string rate = got.ns == 0
                               ? ""
                               : fmt::format(" ({:.2f} GB/s)", static_cast<double>(got.bytes) /
                                                                   static_cast<double>(got.ns));
  const std::string what =
      fmt::format("{}: {} in {}{}", served.peer, format_bytes(got.bytes), format_ns(got.ns), rate);
  if (!served.cut_off.empty()) return what + ", then cut off: " + served.cut_off;
  return what + fmt::format(", CRC-32 {:08x}", got.crc32);
}

int drain(const ServingOptions& options) {
  const ListenAddress address = parse_listen_option(options.listen);
  const transfers::DrainLimits limits{parse_size(options.max_size),
                                      options.timeout.value_or(kDefaultTimeout), kMostSilence};
  const Descriptor listener = listen_on(address);
  Signals signals;
  ListenAddress bound = address;
  bound.port = bound_port(listener);
  say(fmt::format("draining at {}", bound.text()));
  transfers::serve_drain(listener, limits, signals.fd(),
                         [&](const transfers::EndedTransfer& served) {
                           if (!options.quiet) say(line_about(served));
                         });
  return kExitDone;
}

}  // namespace

void add_drain_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ServingOptions>();
  CLI::App* command =
      app.add_subcommand("drain", "Read what 'zctrace compare' sends from another machine");
  constexpr const char* kGroup = "Options";
  command
      ->add_option("--listen", options->listen,
                   "Listen at this address; with 0.0.0.0 other machines can connect")
      ->required()
      ->type_name("ADDRESS:PORT")
      ->group(kGroup);
  command->add_option("--max-size", options->max_size, "Cut off a transfer of more than SIZE")
      ->check(size_in_bytes())
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(kGroup);
  add_duration_option(*command, "--timeout", options->timeout,
                      "Cut off a transfer that takes longer than TIME (default: 10m)",
                      kShortestTime)
      ->group(kGroup);
  command->add_flag("-q,--quiet", options->quiet, "Do not print a line for each transfer")
      ->group(kGroup);
  set_help(
      *command,
      {"--listen ADDRESS:PORT [OPTIONS]",
       {"Reads one connection after the other until Ctrl-C, throws the bytes away, and tells "
        "'zctrace compare --to tcp:HOST:PORT' how many they were and their checksum. It writes "
        "no file, needs no privileges, and cuts off a connection that is silent for 30 s. "
        "Any machine that can connect can send, so listen only where yours can."},
       {{"Exit status", {{"0", "Success"}, {"1", "Failure"}, {"2", "Usage error"}}}},
       {{"Receive on this machine", "zctrace drain --listen 0.0.0.0:9000"},
        {"and send from another", "sudo zctrace compare --to tcp:192.0.2.1:9000"}}});
  command->callback([options, &chosen] { chosen = [options] { return drain(*options); }; });
}

}  // namespace zctrace
