// SPDX-License-Identifier: MIT
// The options of `mount`, and what they stand for.
#include "cli/options/mount_options.h"

#include "cli/options/validators.h"
#include "cli/options/when_options.h"

namespace zctrace {
namespace {

fuse::Cache cache_option(const std::string& text) {
  if (text == "none") return fuse::Cache::none;
  if (text == "always") return fuse::Cache::always;
  return fuse::Cache::automatic;
}

}  // namespace

void add_mount_options(CLI::App& command, MountOptions& options) {
  command.add_option("source", options.source, "The directory to show")
      ->required()
      ->check(offers({"@directory"}))
      ->type_name("SOURCE")
      ->group("Arguments");
  command.add_option("mountpoint", options.target, "The empty directory to show it at")
      ->required()
      ->check(offers({"@directory"}))
      ->type_name("MOUNTPOINT")
      ->group("Arguments");
  add_end_option(command, options.duration, "Unmount");
  add_interval_option(command, options.interval);
  command
      .add_option("--cache", options.cache,
                  "Choose what the kernel caches: none (each read call is a request; no shared "
                  "mappings), auto, or always (nothing else may change SOURCE)")
      ->check(one_of({"none", "auto", "always"}))
      ->type_name("WHAT")
      ->capture_default_str()
      ->group("File system");
  command
      .add_flag("--no-splice", options.no_splice,
                "Copy data through the daemon's memory instead of splicing it")
      ->group("File system");
  command
      .add_option("--transport", options.transport,
                  "Receive requests by read (with splice), or by uring (io_uring, which copies; "
                  "Linux 6.14, where an administrator has switched it on); auto is read")
      ->check(one_of({"auto", "read", "uring"}))
      ->type_name("HOW")
      ->capture_default_str()
      ->group("File system");
  command
      .add_flag("--passthrough", options.passthrough,
                "Let the kernel read and write the files of SOURCE itself, at their own speed: no "
                "request shows these bytes; with --observe, the syscalls do (root; Linux 6.9)")
      ->group("File system");
  command
      .add_option("--threads", options.threads,
                  "Serve requests with N threads (default: two for each CPU, 4 to 32)")
      ->check(number_from(1, 1024))
      ->type_name("N")
      ->group("File system");
  command
      .add_flag("--observe", options.observe,
                "Also count the syscalls of applications and daemon, to show what a byte costs "
                "on each side (needs BPF)")
      ->group("What to count");
}

fuse::ServedMountOptions served_mount_options(const MountOptions& options) {
  fuse::ServedMountOptions serving;
  serving.source = options.source;
  serving.target = options.target;
  serving.passthrough.splice = !options.no_splice;
  serving.passthrough.transport =
      options.transport == "uring" ? fuse::Transport::uring : fuse::Transport::read;
  serving.passthrough.by_kernel = options.passthrough;
  serving.passthrough.cache = cache_option(options.cache);
  serving.passthrough.threads = options.threads;
  serving.observe = options.observe;
  return serving;
}

}  // namespace zctrace
