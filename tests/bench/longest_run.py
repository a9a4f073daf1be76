#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the BPF programs hold up a CPU while programs of an ordinary user try to make them slow.

Usage: longest_run.py [ZCTRACE [SECONDS]]

Each of them runs over and over on one CPU for SECONDS (3), beside nothing and beside `attach -a`:

  run      The longest run of all programs at one tracepoint, in microseconds. run_times measures
           every run from outside, so without zctrace this is what the measurement costs, and what a
           virtual machine's host takes. Runs during which an interrupt arrives are left out.
  > 100    How many of these runs took longer than 100 microseconds.
  mean     Of the program that takes longest on average, by the kernel's run_time_ns and run_cnt.
  wait     The longest wait of a real-time thread of root on the same CPU, in microseconds.
"""

import contextlib
import ctypes
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", HERE.parent.parent / "build")).resolve()
ZCTRACE = sys.argv[1] if len(sys.argv) > 1 else BUILD / "zctrace"
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 3
CPU = str(max(os.sched_getaffinity(0)))
AS_USER = ["taskset", "-c", CPU, "setpriv", "--reuid", "65533", "--regid", "65533",
           "--clear-groups"]
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


def file_infos(pid):
    """What the kernel says of each descriptor of a process."""
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)


def is_attached(pid):
    """The last link is made when all programs are loaded."""
    return sum("link_type" in info for info in file_infos(pid)) >= LINKS


def program_times(pid):
    """Program ID -> (nanoseconds, runs) so far."""
    return {int(info["prog_id"]): (int(info["run_time_ns"]), int(info["run_cnt"]))
            for info in file_infos(pid) if "run_cnt" in info}


def name_of(number):
    shown = subprocess.run([BPFTOOL, "prog", "show", "id", str(number)], capture_output=True,
                           text=True).stdout.split()
    return shown[shown.index("name") + 1] if "name" in shown else str(number)


def slowest_on_average(before, after):
    """Its name and its mean in microseconds."""
    means = {number: (spent - before[number][0]) / max(runs - before[number][1], 1) / 1000
             for number, (spent, runs) in after.items()}
    slowest = max(means, key=means.get)
    return name_of(slowest), means[slowest]


@contextlib.contextmanager
def attached():
    """`attach -a`, once it observes."""
    with subprocess.Popen([ZCTRACE, "attach", "-a", "-q"], stdout=subprocess.DEVNULL) as observer:
        try:
            while not is_attached(observer.pid):
                if observer.poll() is not None:
                    sys.exit("longest_run: zctrace has ended")
                time.sleep(0.1)
            time.sleep(1)  # it also walks over all tasks
            yield observer.pid
        finally:
            observer.terminate()


class RunTimes:
    """run_times.c."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "bench" / "run_times"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.expect_attached()

    def expect_attached(self):
        if self.process.stdout.readline() != "attached\n":
            sys.exit("longest_run: run_times has failed")

    def next_line(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def surround(self):
        """Measures what has been attached since this was made."""
        self.next_line()
        self.expect_attached()

    def read(self):
        """Of each tracepoint with runs since the last time: its name and its figures."""
        self.next_line()
        found = {}
        while line := self.process.stdout.readline().split():
            runs, _, _, interrupted, longest, beyond = map(int, line[1:])
            if runs > interrupted:
                found[line[0]] = (longest / 1000, beyond, runs)
        return found

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def run_for_a_while(command):
    """Runs it again and again. Returns the longest wait of a real-time thread, in microseconds."""
    waiting = subprocess.Popen([BUILD / "bench" / "rt_wait", CPU, str(SECONDS)],
                               stdout=subprocess.PIPE, text=True)
    while waiting.poll() is None:
        hostile = subprocess.Popen([*AS_USER, BUILD / "programs" / command[0], *command[1:]],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   start_new_session=True)
        while hostile.poll() is None and waiting.poll() is None:
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(hostile.pid, signal.SIGKILL)
        hostile.wait()
    if waiting.returncode != 0:
        sys.exit("longest_run: rt_wait has failed")
    return int(waiting.stdout.read()) / 1000


def measure(command, observed):
    """The line of a table, without the command."""
    times = RunTimes()
    with contextlib.ExitStack() as stack:
        observer = stack.enter_context(attached()) if observed else None
        times.surround()
        times.read()
        before = program_times(observer) if observer else {}
        wait = run_for_a_while(command)
        found = times.read()
        mean = slowest_on_average(before, program_times(observer)) if observer else ("", 0)
    times.end()
    slowest = max(found, key=found.get)
    longest, _, _ = found[slowest]
    beyond, runs = (sum(figures[i] for figures in found.values()) for i in (1, 2))
    return (f"{slowest:20} {longest:8.1f} {beyond:6} {runs:10} {mean[0]:>16}"
            f" {f'{mean[1]:.2f}' if mean[0] else '':>6} {wait:8.0f}")


def main():
    enable_stats()
    print(f"{'beside':32} {'zctrace':8} {'at':20} {'run':>8} {'> 100':>6} {'of':>10}"
          f" {'on average':>16} {'mean':>6} {'wait':>8}")
    for command in HOSTILE:
        for observed in (False, True):
            print(f"{' '.join(command):32} {'attach' if observed else '-':8}"
                  f" {measure(command, observed)}", flush=True)


if __name__ == "__main__":
    main()
