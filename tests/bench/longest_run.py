#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the BPF programs hold up a CPU while programs of an ordinary user try to make them slow.

Usage: longest_run.py [ZCTRACE [SECONDS]]

The kernel adds up the time and the number of the runs of each program (BPF_ENABLE_STATS). They are
read many times a second, so that the longest run is at least the largest mean of a period, and at most
the largest sum of one.
"""

import contextlib
import ctypes
import os
import pathlib
import platform
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", HERE.parent.parent / "build")).resolve()
ZCTRACE = sys.argv[1] if len(sys.argv) > 1 else BUILD / "zctrace"
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 3
AS_USER = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups"]
HOSTILE = [
    ["long_vectors", "forever"],
    ["forged_lengths"],
    ["many_rows", "200"],
    ["thread_execs", "100"],
    ["many_requests", "8192", "forever"],
    ["many_errors", "64", "511"],
]
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
BPF_ENABLE_STATS = 32
BPFTOOL = "/usr/sbin/bpftool" if os.path.exists("/usr/sbin/bpftool") else "bpftool"
LINKS = 7  # that every session makes


def enable_stats():
    """Until this process ends."""
    attributes = ctypes.create_string_buffer(16)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(BPF, BPF_ENABLE_STATS, attributes, 4)
    if descriptor < 0:
        sys.exit(f"longest_run: BPF_ENABLE_STATS: {os.strerror(ctypes.get_errno())}")


def program_descriptors(pid):
    """Descriptor -> id of its program, each program once."""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        if "run_cnt" in lines and "prog_id" in lines:
            found[int(lines["prog_id"])] = path
    return {path: number for number, path in found.items()}


def name_of(number):
    shown = subprocess.run([BPFTOOL, "prog", "show", "id", str(number)], capture_output=True,
                           text=True).stdout.split()
    return shown[shown.index("name") + 1] if "name" in shown else str(number)


def is_attached(pid):
    """The last link is made when all programs are loaded."""
    links = 0
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links += "link_type" in path.read_text()
    return links >= LINKS


def runs_of(path):
    """(nanoseconds, runs) so far."""
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return int(lines["run_time_ns"]), int(lines["run_cnt"])


def measure(command):
    """Prints the slowest program while the command runs beside `attach -a`."""
    observer = subprocess.Popen([ZCTRACE, "attach", "-a", "-q"], stdout=subprocess.DEVNULL)
    while not is_attached(observer.pid):
        time.sleep(0.1)
    time.sleep(1)  # it also walks over all tasks
    programs = program_descriptors(observer.pid)
    names = {path: name_of(number) for path, number in programs.items()}
    before = {path: runs_of(path) for path in programs}
    largest = {path: (0, 0) for path in programs}  # mean and sum of a period
    first = dict(before)
    hostile = subprocess.Popen([*AS_USER, BUILD / "programs" / command[0], *command[1:]],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for path in programs:
            now = runs_of(path)
            spent, runs = now[0] - before[path][0], now[1] - before[path][1]
            before[path] = now
            if runs:
                mean, most = largest[path]
                largest[path] = max(mean, spent / runs), max(most, spent)
    hostile.stdin.close()
    hostile.kill()
    hostile.wait()
    observer.terminate()
    observer.wait()
    slowest = max(programs, key=lambda path: largest[path][0])
    spent, runs = (before[slowest][i] - first[slowest][i] for i in range(2))
    mean, most = largest[slowest]
    print(f"{' '.join(command):32} {names[slowest]:16}"
          f" {spent / max(runs, 1) / 1000:8.2f} {mean / 1000:10.1f} {most / 1000:10.1f}")


def main():
    enable_stats()
    print(f"{'beside':32} {'slowest program':16} {'mean us':>8} {'longest us, from':>16} {'to':>6}")
    for command in HOSTILE:
        measure(command)


if __name__ == "__main__":
    main()
