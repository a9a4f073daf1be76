// SPDX-License-Identifier: MIT
// The options of `compare`, in three sections.
#include "cli/options/compare_options.h"

#include "cli/options/count_options.h"
#include "cli/options/validators.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

void add_what_to_compare(CLI::App& command, CompareOptions& options) {
  constexpr const char* kGroup = "What to compare";
  constexpr int kMostPrograms = 1000;
  command
      .add_option("--from", options.route.from,
                  "Read a new file on disk, tmpfs or fuse, or the file at this path")
      ->check(offers({"disk", "tmpfs", "fuse", "@file"}))
      ->type_name("SOURCE")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--to", options.route.to,
                  "Write to unix, tcp, tcp:HOST:PORT, file, file:other-fs, file:DIR, fuse, pipe, "
                  "pipe:1M or null")
      ->check(offers({"unix", "tcp", "file", "file:other-fs", "fuse", "pipe", "pipe:1M", "null"}))
      ->type_name("SINK")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option(
          "--fuse-splice", options.route.fuse_splice,
          "Have the FUSE daemon splice (on) or copy (off), or measure each in a row of its own "
          "(both, the default)")
      ->check(one_of({"on", "off", "both"}))
      ->type_name("WHICH")
      ->group(kGroup);
  command
      .add_option("--fuse-mode", options.route.fuse_mode,
                  "Measure these ways through FUSE, each in a row of its own: splice, copy, "
                  "passthrough (the kernel reads and writes the file itself; Linux 6.9), uring "
                  "(io_uring in place of read and write; Linux 6.14), or all that work here")
      ->check(offers({"splice", "copy", "passthrough", "uring", "all"}))
      ->excludes("--fuse-splice")
      ->type_name("LIST")
      ->group(kGroup);
  command.add_option("--size", options.route.size, "Make a source of this size (e.g. 4K, 64M, 1G)")
      ->type_name("SIZE")
      ->check(size_in_bytes())
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--methods", options.methods,
                  "Compare these methods: METHOD or METHOD/BUFFER, separated by commas, or all, or "
                  "none (default: twelve usual rows; with --buffers, seven usual methods)")
      ->check(not_empty())
      ->check(offers({",", "all", "none", "@method"}))
      ->type_name("LIST")
      ->group(kGroup);
  command
      .add_option("--buffers", options.buffers,
                  "Run each METHOD with these buffer sizes, separated by commas; 'whole' is the "
                  "size of the source (default: 4K,64K,1M)")
      ->check(not_empty())
      ->check(offers({",", "4K", "64K", "1M", "whole"}))
      ->type_name("LIST")
      ->group(kGroup);
  command
      .add_option("--program", options.programs,
                  "Also compare a program of your own, e.g. 'cat=cat {source}'; see below (may be "
                  "repeated)")
      ->check(not_empty())
      ->expected(1, kMostPrograms)
      ->allow_extra_args(false)
      ->type_name("NAME=COMMAND")
      ->group(kGroup);
}

void add_how_to_compare(CLI::App& command, CompareOptions& options) {
  constexpr const char* kGroup = "How to measure";
  command
      .add_option("--runs", options.runs,
                  "Time each method N times (default: 5); with --precision, at most N times "
                  "(default: 100)")
      ->check(number_from(1, 10'000))
      ->type_name("N")
      ->group(kGroup);
  command
      .add_option("--precision", options.precision,
                  "Add rounds until each median time is known to within PERCENT (e.g. 5%)")
      ->check(not_empty())
      ->type_name("PERCENT")
      ->group(kGroup);
  command
      .add_option("--warmup", options.warmup,
                  "Run each method N times before timing it; the first run verifies the bytes")
      ->check(number_from(0, 10'000))
      ->type_name("N")
      ->capture_default_str()
      ->group(kGroup);
  command.add_flag("--cold", options.cold, "Drop the source from the page cache before each run")
      ->group(kGroup);
  add_duration_option(command, "--timeout", options.timeout,
                      "Kill a program that runs longer than TIME (default: 1m)", kShortestTime)
      ->group(kGroup);
  command
      .add_flag("--as-root", options.as_root,
                "Run programs and commands as root even if zctrace was started with sudo")
      ->group(kGroup);
  add_profile_option(command, options.profile, kGroup);
  command
      .add_option("--drain", options.drain,
                  "Empty the sink with read or splice, in a separate process")
      ->check(one_of({"read", "splice"}))
      ->type_name("HOW")
      ->capture_default_str()
      ->group(kGroup);
  command.add_option("--drain-read", options.drain_read, "Empty the sink with reads of SIZE")
      ->check(size_in_bytes())
      ->type_name("SIZE")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--baseline", options.baseline,
                  "Show ratios relative to this row (default: the first row that works)")
      ->check(not_empty())
      ->check(offers({"@method"}))
      ->type_name("METHOD/BUFFER")
      ->group("Output");
  command
      .add_flag("--textbook", options.textbook,
                "Also print what textbooks claim next to what was measured: CPU and DMA copies, "
                "syscalls, crossings, context switches")
      ->group("Output");
  command
      .add_option("--sort", options.sort,
                  "Sort rows by time, cpu, syscalls or switches (default: as given)")
      ->check(one_of({"time", "cpu", "syscalls", "switches"}))
      ->type_name("WHAT")
      ->group("Output");
}

}  // namespace

void add_compare_options(CLI::App& command, CompareOptions& options) {
  add_what_to_compare(command, options);
  add_how_to_compare(command, options);
}

void add_programs_option(CLI::App& command, std::string& wanted) {
  command
      .add_option(
          "--programs", wanted,
          "Also compare the ready programs of a language (c, go, java, python, rust), by name, "
          "or all; 'make programs' builds them")
      ->check(not_empty())
      ->check(offers({",", "all", "c", "go", "java", "python", "rust"}))
      ->type_name("LIST")
      ->group("What to compare");
}

void refuse_transfer_options(const CLI::App& command) {
  for (const char* name :
       {"--from", "--to", "--fuse-splice", "--size", "--methods", "--buffers", "--program",
        "--programs", "--cold", "--drain", "--drain-read", "--textbook"})
    if (command.count(name) != 0)
      throw Error(std::string(name) + ": commands that follow '--' have neither source nor sink",
                  kExitUsage);
}

}  // namespace zctrace
