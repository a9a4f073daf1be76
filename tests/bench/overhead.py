#!/usr/bin/python3
"""What observing costs: zctrace and its peers, interleaved in one go on the same loop.

Run by `make bench`. Prints a table; --json FILE writes every figure with its runs.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", "build")).resolve()
ZCTRACE = str(BUILD / "zctrace")
LOOP = str(BUILD / "bench/loop")
SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def loop(rounds, threads=1, prefix=()):
    """ns a syscall: (wall, CPU)."""
    done = subprocess.run([*prefix, LOOP, str(rounds), str(threads)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    line = done.stdout.strip().splitlines()[-1]
    wall, cpu = line.split()
    return float(wall), float(cpu)


class Beside:
    """An observer that runs beside the loop."""

    def __init__(self, command, settle_s):
        self.command = command
        self.settle_s = settle_s

    def __call__(self, rounds, threads=1):
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            time.sleep(self.settle_s)
            if process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended at once")
            return loop(rounds, threads)
        finally:
            process.stdin.close()
            process.terminate()
            process.wait()


class Around:
    """An observer that starts the loop itself."""

    def __init__(self, *prefix):
        self.prefix = prefix

    def __call__(self, rounds, threads=1):
        return loop(rounds, threads, self.prefix)


def variants():
    """name -> (how, rounds): the slow ones get fewer, or the run would take hours."""
    peers = {
        "bare": (Around(), 300000),
        "two empty programs": (Beside([str(BUILD / "bench/floor")], 0.5), 300000),
        "zctrace --no-latency": (Around(ZCTRACE, "run", "-q", "--no-latency", "--"), 300000),
        "zctrace": (Around(ZCTRACE, "run", "-q", "--"), 300000),
        "bystander of zctrace": (Beside([ZCTRACE, "attach", "-q", "-n", "nobody-has-this-name",
                                         "--wait"], 0.8), 300000),
    }
    if shutil.which("syscount"):
        peers["syscount"] = (Beside(["syscount", "-d", "100"], 1.0), 300000)
        peers["syscount -L"] = (Beside(["syscount", "-L", "-d", "100"], 1.0), 300000)
    if shutil.which("bpftrace"):
        program = ("tracepoint:raw_syscalls:sys_enter { @[comm, args->id] = count(); }")
        peers["bpftrace count"] = (Beside(["bpftrace", "-e", program], 3.0), 200000)
    if shutil.which("perf"):
        peers["perf stat"] = (Around("perf", "stat", "-e", "raw_syscalls:sys_enter", "-e",
                                     "raw_syscalls:sys_exit", "-o", "/dev/null", "--"), 300000)
        peers["perf trace -s"] = (Around("perf", "trace", "-s", "-o", "/dev/null", "--"), 5000)
    if shutil.which("strace"):
        peers["strace -c -f"] = (Around("strace", "-c", "-f", "-o", "/dev/null"), 2000)
    return peers


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": values}


def measure_loop(rounds_of_all, out):
    chosen = variants()
    runs = {name: [] for name in chosen}
    for number in range(rounds_of_all):
        for name, (how, rounds) in chosen.items():
            print(f"\rround {number + 1}/{rounds_of_all}: {name:<40}", end="", file=sys.stderr)
            try:
                runs[name].append(how(rounds))
            except (RuntimeError, OSError, IndexError, ValueError) as error:
                print(f"\n{name}: {error}", file=sys.stderr)
    print("\r" + " " * 60, end="\r", file=sys.stderr)
    base = min(cpu for _, cpu in runs["bare"])
    floor = min(cpu for _, cpu in runs["two empty programs"]) - base
    print(f"{'observer':<24} {'added ns a syscall (CPU)':>26} {'x floor':>9} {'median':>9} {'wall':>9}")
    for name, values in runs.items():
        if not values:
            continue
        # perf trace and strace do their work elsewhere: wall time shows it, CPU time does not.
        slow = chosen[name][1] < 100000
        column = 0 if slow else 1
        own_base = min(value[column] for value in runs["bare"])
        added = min(value[column] for value in values) - own_base
        median = (statistics.median(value[column] for value in values)
                  - statistics.median(value[column] for value in runs["bare"]))
        wall = min(wall for wall, _ in values) - min(wall for wall, _ in runs["bare"])
        out["added_ns"][name] = {"added": added, "median": median, "wall": wall, "by": "wall" if slow else "cpu",
                                 "cpu_ns": spread([cpu for _, cpu in values]),
                                 "wall_ns": spread([wall for wall, _ in values])}
        print(f"{name:<24} {added:>26.0f} {added / floor:>9.2f} {median:>9.0f} {wall:>9.0f}")


def measure_threads(repeats, out):
    print(f"\n{'threads':<24} {'bare':>9} {'floor':>9} {'--no-latency':>13} {'default':>9}   CPU ns a syscall; added by zctrace")
    chosen = variants()
    for threads in (1, 8, 64):
        figures = {}
        for name in ("bare", "two empty programs", "zctrace --no-latency", "zctrace"):
            how = chosen[name][0]
            figures[name] = spread([how(300000, threads)[1] for _ in range(repeats)])
        out["threads"][threads] = figures
        base = figures["bare"]["min"]
        print(f"{threads:<24} {base:>9.0f} " +
              " ".join(f"{figures[name]['min'] - base:>+{width}.0f}" for name, width in
                       (("two empty programs", 9), ("zctrace --no-latency", 13), ("zctrace", 9))))


def measure_start(repeats, out):
    times = []
    for _ in range(repeats):
        begin = time.monotonic()
        subprocess.run([ZCTRACE, "run", "-q", "--", "true"], check=True, **SILENT)
        times.append((time.monotonic() - begin) * 1000)
    out["start_ms"] = spread(times)
    print(f"\nzctrace run -- true: {statistics.median(times):.0f} ms (median), {min(times):.0f} to {max(times):.0f} ms")


def usage(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    rss = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
               if line.startswith("VmRSS"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(rss.split()[1]) / 1024


def measure_crowds(seconds, out):
    print(f"\n{'tasks':<10} {'snapshot ms':>12} {'own CPU %':>11} {'RSS MiB':>9}   zctrace attach -i 1s")
    for processes, threads in ((10, 100), (100, 100)):
        crowd = subprocess.Popen([str(BUILD / "bench/crowd"), str(processes), str(threads)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            crowd.stdout.readline()
            time.sleep(2)
            done = subprocess.run([str(BUILD / "bench/snapshot"), str(crowd.pid)], text=True,
                                  stdout=subprocess.PIPE, check=True)
            median, worst, tasks = done.stdout.split()
            watcher = subprocess.Popen([ZCTRACE, "attach", "-p", str(crowd.pid), "-i", "1s"], **SILENT)
            time.sleep(2)
            before, _ = usage(watcher.pid)
            time.sleep(seconds)
            after, rss = usage(watcher.pid)
            watcher.terminate()
            watcher.wait()
        finally:
            crowd.stdin.close()
            crowd.wait()
        cpu = 100 * (after - before) / seconds
        out["crowds"][tasks] = {"snapshot_ms": float(median), "snapshot_max_ms": float(worst),
                                "cpu_percent": cpu, "rss_mib": rss}
        print(f"{tasks:<10} {median:>12} {cpu:>11.2f} {rss:>9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=10, help="how long zctrace's own use is watched")
    parser.add_argument("--json")
    options = parser.parse_args()
    if os.environ.get("ZCTRACE_BENCH_MOUNTED") != "1":
        # perf, bpftrace and syscount need tracefs; in a namespace of its own it goes with us.
        os.environ["ZCTRACE_BENCH_MOUNTED"] = "1"
        script = ('mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; '
                  'exec "$@"')
        os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, *sys.argv])
    out = {"kernel": os.uname().release, "cpus": os.cpu_count(), "rounds": options.rounds,
           "added_ns": {}, "threads": {}, "crowds": {}}
    measure_loop(options.rounds, out)
    measure_threads(max(3, options.rounds // 2), out)
    measure_start(max(5, options.rounds), out)
    measure_crowds(options.seconds, out)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(out, indent=2) + "\n")


if __name__ == "__main__":
    main()
