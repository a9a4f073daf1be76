#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `--stacks` adds to a loop of reads and writes, beside `zctrace run` without it.

Interleaved rounds, CPU time of the loop over all of its calls: the fastest slice would be one without
a sample. Build first: make all build/bench/loop.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import figures
from observers import BUILD, ZCTRACE

LOOP = BUILD / "bench/loop"


def cpu_ns(options, calls, size):
    """CPU time a call."""
    done = subprocess.run([ZCTRACE, "run", "-q", *options, "--", LOOP, str(calls // 2), "1", str(size)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        stacks = ["--stacks", os.path.join(directory, "stacks.json")]
        variants = {"without": [], "--stacks": stacks,
                    "--stacks --stacks-every 64K": [*stacks, "--stacks-every", "64K"]}
        print(f"{'bytes a call':>12} {'options':<30} {'CPU ns a call':>14} {'range':>16} {'added':>8} "
              f"{'range':>16}")
        for size, calls in ((512, 600000), (65536, 100000)):
            taken = {name: {} for name in variants}
            for number in range(arguments.rounds):
                for name, options in variants.items():
                    print(f"\r{size} bytes, round {number + 1}: {name:<30}", end="", file=sys.stderr)
                    taken[name][number] = cpu_ns(options, calls, size)
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
            for name in variants:
                all_of = figures.spread(taken[name].values())
                added = figures.added(taken[name], taken["without"])
                print(f"{size:>12} {name:<30} {all_of['median']:>14.0f} {figures.span(all_of):>16} "
                      f"{added['median']:>8.0f} {figures.span(added):>16}")


if __name__ == "__main__":
    main()
