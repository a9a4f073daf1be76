#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What observing costs: zctrace and its peers, interleaved in one run of the same work.

Run by `make bench`. Prints tables, each figure with its spread; --json FILE keeps every run.
"""

import argparse
import functools
import json
import os
import pathlib
import sys

import own_cost
import server_load
import syscall_loop
from observers import Failed, with_tracefs
from servers import SERVERS

PARTS = ("loop", "parts", "switches", "threads", "start", "crowds", "scrapes", *SERVERS)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(part, options):
    """(figures, what shows them)"""
    if part == "loop":
        return (syscall_loop.measure(options.rounds, progress, options.against, options.observers),
                syscall_loop.show)
    if part == "parts":
        return syscall_loop.measure_parts(options.rounds), syscall_loop.show_parts
    if part == "switches":
        return syscall_loop.measure_switches(options.rounds, progress), syscall_loop.show_switches
    if part == "threads":
        return (syscall_loop.measure_threads(max(3, options.rounds // 2), progress),
                syscall_loop.show_threads)
    if part == "start":
        return own_cost.measure_start(max(5, options.rounds), progress), own_cost.show_start
    if part == "crowds":
        return own_cost.measure_crowds(options.watch_seconds, progress), own_cost.show_crowds
    if part == "scrapes":
        return own_cost.measure_scrapes(20 * options.rounds, progress), own_cost.show_scrapes
    return (server_load.measure(part, options.rounds, options.seconds, progress,
                                options.observers),
            functools.partial(server_load.show, part))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2,
                        help="of load on a server in each measurement; its best slice counts")
    parser.add_argument("--watch-seconds", type=int, default=10,
                        help="how long zctrace's own use is watched")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART",
                        help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--against", metavar="PROGRAM",
                        help="another build of zctrace, which the loop measures in the same rounds")
    parser.add_argument("--observers", nargs="+", metavar="NAME",
                        help="the only observers that the loop and the servers measure")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    if min(options.rounds, options.seconds, options.watch_seconds) < 1:
        parser.error("numbers must be above zero")
    load_before = os.getloadavg()[0]
    with_tracefs()
    out = {"kernel": os.uname().release, "cpus": os.cpu_count(), "rounds": options.rounds,
           "load_before": load_before}
    print(f"Linux {out['kernel']}, {out['cpus']} CPUs, {options.rounds} interleaved rounds")
    for part in PARTS:
        if part not in options.only:
            continue
        try:
            out[part], show = measure(part, options)
        except Failed as error:
            sys.exit(f"bench, {part}: {error}")
        progress("")
        show(out[part])
        sys.stdout.flush()
    if load_before > 0.5:
        print(f"warning: the machine was busy with something else before (load average "
              f"{load_before:.1f}): the spread is wide")
    if options.json:
        options.json.write_text(json.dumps(out, indent=2) + "\n")


if __name__ == "__main__":
    main()
