// SPDX-License-Identifier: MIT
// The options of --advise.
#include "cli/options/advice_options.h"

#include "cli/options/validators.h"
#include "cli/text/printable.h"
#include "collector/os/error.h"

namespace zctrace {

void add_advice_options(CLI::App& command, AdviceOptions& options) {
  constexpr const char* kGroup = "Advice";
  command
      .add_flag("--advise{counts}", options.advise,
                "Say what could be done better and what it would save; --advise=measure then also "
                "measures the CPU time, for at most 10 s")
      ->group(kGroup);
  command
      .add_option(
          "--basis", options.basis,
          "Take CPU times for --advise from FILE, a report of 'zctrace compare --json FILE'; "
          "can be given several times")
      ->check(not_empty())
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(kGroup);
}

void check_advice(const AdviceOptions& options, const std::string& by, bool intervals) {
  if (options.wanted() && options.advise != "counts" && options.advise != "measure")
    throw Error("--advise: invalid value '" + printable(options.advise, false) +
                    "'; give --advise or --advise=measure",
                kExitUsage);
  if (!options.wanted() && !options.basis.empty())
    throw Error("--basis says where the CPU times of --advise come from; give --advise as well",
                kExitUsage);
  if (options.wanted() && by == "thread")
    throw Error(
        "--advise and --by thread cannot be combined: what is read by one thread and written by "
        "another is known of their process only",
        kExitUsage);
  if (options.measures() && intervals)
    throw Error(
        "--advise=measure and -i cannot be combined: zctrace measures when the observation has "
        "ended; --basis FILE gives each interval its CPU times",
        kExitUsage);
}

}  // namespace zctrace
