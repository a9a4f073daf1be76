// SPDX-License-Identifier: MIT
#include "cli/options/attach_options.h"

#include "cli/options/when_options.h"

namespace zctrace {
namespace {

constexpr std::chrono::seconds kShortestDutyInterval(5);

}  // namespace

void add_attach_options(CLI::App& command, AttachOptions& options) {
  add_target_options(command, options.targets);
  add_end_option(command, options.duration);
  add_interval_option(command, options.interval);
  add_count_options(command, options.count);
  add_duty_option(command, options.count);
  add_verify_option(command, options.count);
  add_profile_option(command, options.count.profile);
  add_advice_options(command, options.count.advice);
  add_output_options(command, options.output);
  add_stack_options(command, options.output);
  add_record_options(command, options.record);
}

void check_attach_options(const AttachOptions& options) {
  check_syscalls(options.count);
  refuse_with_duty(options.count, !options.record.file.empty(), "--record",
                   "it would keep estimates as exact counts; use -i and --json");
  if (options.interval && *options.interval < kShortestDutyInterval)
    refuse_with_duty(options.count, true, "-i below 5s",
                     "a slice ends about once a second, so shorter intervals say nothing");
}

}  // namespace zctrace
