# SPDX-License-Identifier: MIT
"""Requests a second of a server under load, without an observer and with each.

Every observer observes the same process. Each round measures every observer once, in an order that
moves on by one, and just before it the server alone: a difference is of seconds that lie side by side.
Of the slices of a measurement the one with the least CPU time a request counts: other work on the
machine adds to it.
"""

import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile

import figures
import observers
from observers import Failed, installed
from servers import SERVERS, started

BARE = "nothing"
FLOOR = "two empty programs"


def measure(part, rounds, seconds, progress, only=None):
    """what is requested -> observer -> figures. `only`: names of the only observers to measure."""
    server = SERVERS[part]
    for name in server.needs:
        if not installed(name):
            raise Failed(f"{name} is not installed")
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="zctrace-bench-")))
        running = server.start(directory, stack)
        bystander = stack.enter_context(started("sleep", "infinity"))
        chosen = {name: observer
                  for name, observer in observers.of_process(running.pid, bystander.pid).items()
                  if not only or name in only}
        # what, name -> [(without, with the observer)]; each (CPU us a request, requests a second).
        pairs = {(what, name): [] for what in running.loads for name in chosen}
        for load in running.loads.values():  # page cache, branch predictors
            min(load(1))
        names = list(chosen)
        for number in range(rounds):
            for name in names[number % len(names):] + names[:number % len(names)]:
                progress(f"{part}, round {number + 1} of {rounds}: {name}")
                try:
                    before = {what: min(load(seconds)) for what, load in running.loads.items()}
                    with chosen[name].watching():
                        after = {what: min(load(seconds)) for what, load in running.loads.items()}
                except (Failed, OSError, subprocess.SubprocessError) as error:
                    print(f"\n{part}, {name}: {error}", file=sys.stderr)
                    continue
                for what in running.loads:
                    pairs[what, name].append((before[what], after[what]))
    return {what: {BARE: figures_of([(before, before) for name in names
                                     for before, _ in pairs[what, name]]),
                   **{name: figures_of(pairs[what, name]) for name in names if pairs[what, name]}}
            for what in running.loads}


def figures_of(pairs):
    return {"requests_per_s": figures.spread([rate for _, (_, rate) in pairs]),
            "relative": figures.spread([rate / bare for (_, bare), (_, rate) in pairs]),
            "cpu_us_per_request": figures.spread([cpu for _, (cpu, _) in pairs]),
            "added_cpu_us": figures.spread([cpu - bare for (bare, _), (cpu, _) in pairs])}


def quartiles(figure):
    if len(figure["runs"]) < 2:
        return "-"
    lower, _, upper = statistics.quantiles(figure["runs"], n=4)
    return f"{lower:.2f} .. {upper:.2f}"


def show(part, found):
    print(f"\n{SERVERS[part].title}; medians; relative to the seconds before, without an "
          "observer")
    print(f"{'request':<8} {'observer':<28} {'requests/s':>10} {'min .. max':>15} {'relative %':>11} "
          f"{'min .. max':>15} {'CPU us/req':>11} {'min .. max':>17} {'added':>7} {'quartiles':>15} "
          f"{'x floor':>8}")
    for what, of_load in found.items():
        floor = of_load[FLOOR]["added_cpu_us"]["median"] if FLOOR in of_load else 0
        for name, figure in of_load.items():
            rate, relative = figure["requests_per_s"], figure["relative"]
            cpu, added = figure["cpu_us_per_request"], figure["added_cpu_us"]
            times = f"{added['median'] / floor:.2f}" if floor > 0 else "-"
            print(f"{what:<8} {name:<28} {rate['median']:>10.0f} {figures.span(rate):>15} "
                  f"{relative['median'] * 100:>11.1f} {figures.span(relative, '.1f', 100):>15} "
                  f"{cpu['median']:>11.2f} {figures.span(cpu, '.2f'):>17} "
                  f"{added['median']:>7.2f} {quartiles(added):>15} {times:>8}")
