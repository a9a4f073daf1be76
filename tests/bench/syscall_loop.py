# SPDX-License-Identifier: MIT
"""What observing adds to one syscall of a loop of 512-byte reads and writes."""

import subprocess
import sys

import figures
from observers import BUILD, ZCTRACE, Beside, Failed, NoObserver, installed

LOOP = str(BUILD / "bench/loop")
SWITCHES = str(BUILD / "bench/switches")


def run_loop(rounds, threads=1, prefix=(), program=LOOP):
    """ns a syscall: (wall, CPU, CPU of the fastest slice)."""
    done = subprocess.run([*prefix, program, str(rounds), str(threads)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    try:
        wall, cpu, least = map(float, done.stdout.strip().splitlines()[-1].split())
    except (IndexError, ValueError) as error:
        raise Failed(f"{prefix[0] if prefix else 'the loop'}: status {done.returncode}") from error
    return wall, cpu, least


class Variant:
    """The loop with an observer beside it, or started by one that `prefix` names."""

    def __init__(self, observer=None, prefix=(), rounds=300000, samples=False):
        self.observer = observer or NoObserver()
        self.prefix = prefix
        self.rounds = rounds  # slow variants get fewer rounds, or it would take hours
        # The fastest slice would be one without a sample.
        self.samples = samples

    @property
    def slow(self):
        """perf trace and strace do their work elsewhere: wall time shows it, CPU time does not."""
        return self.rounds < 100000

    def run(self, threads=1, program=LOOP):
        with self.observer.watching():
            return run_loop(self.rounds, threads, self.prefix, program)


def variants(against=None):
    """name -> variant. `against`: another build of zctrace, measured in the same rounds."""
    chosen = {
        "bare": Variant(),
        "two empty programs": Variant(Beside(BUILD / "bench/floor", settle_s=0.5)),
        "zctrace --no-latency": Variant(prefix=(ZCTRACE, "run", "-q", "--no-latency", "--")),
        "zctrace": Variant(prefix=(ZCTRACE, "run", "-q", "--")),
        "zctrace --timing all": Variant(prefix=(ZCTRACE, "run", "-q", "--timing", "all", "--")),
        "zctrace --profile": Variant(prefix=(ZCTRACE, "run", "-q", "--profile", "--"),
                                     samples=True),
        "bystander of zctrace": Variant(Beside(ZCTRACE, "attach", "-q", "-n",
                                               "no-process-has-this-name", "--wait", settle_s=0.8)),
    }
    if against:
        chosen["--against --no-latency"] = Variant(prefix=(against, "run", "-q", "--no-latency",
                                                           "--"))
        chosen["--against"] = Variant(prefix=(against, "run", "-q", "--"))
    if installed("syscount"):
        chosen["syscount"] = Variant(Beside("syscount", "-d", "100", settle_s=1.0))
        chosen["syscount -L"] = Variant(Beside("syscount", "-L", "-d", "100", settle_s=1.0))
    if installed("bpftrace"):
        program = "tracepoint:raw_syscalls:sys_enter { @[comm, args->id] = count(); }"
        chosen["bpftrace count"] = Variant(Beside("bpftrace", "-e", program, settle_s=3.0),
                                           rounds=200000)
    if installed("perf"):
        chosen["perf stat"] = Variant(prefix=("perf", "stat", "-e", "raw_syscalls:sys_enter", "-e",
                                              "raw_syscalls:sys_exit", "-o", "/dev/null", "--"))
        chosen["perf trace -s"] = Variant(prefix=("perf", "trace", "-s", "-o", "/dev/null", "--"),
                                          rounds=5000)
    if installed("strace"):
        chosen["strace -c -f"] = Variant(prefix=("strace", "-c", "-f", "-o", "/dev/null"),
                                         rounds=2000)
    return chosen


def measure(rounds, progress, against=None, names=None):
    """name -> figures, over interleaved rounds. `names`: of the only variants to measure."""
    chosen = {name: variant for name, variant in variants(against).items()
              if not names or name in {"bare", *names}}
    wall = {name: {} for name in chosen}
    cpu = {name: {} for name in chosen}
    least = {name: {} for name in chosen}
    for number in range(rounds):
        for name, variant in chosen.items():
            progress(f"loop, round {number + 1} of {rounds}: {name}")
            try:
                wall[name][number], cpu[name][number], least[name][number] = variant.run()
            except (Failed, OSError) as error:
                print(f"\nloop, {name}: {error}", file=sys.stderr)
    found = {}
    for name, variant in chosen.items():
        if not wall[name]:
            continue
        clock = wall if variant.slow else cpu if variant.samples else least
        found[name] = {
            "clock": "wall" if variant.slow else "all cpu" if variant.samples else "cpu",
            # Noise only adds time, so the least of all rounds is the best estimate.
            "added": min(clock[name].values()) - min(clock["bare"].values()),
            "added_ns": figures.added(clock[name], clock["bare"]),
            "least_cpu_ns": figures.spread(least[name].values()),
            "cpu_ns": figures.spread(cpu[name].values()),
            "wall_ns": figures.spread(wall[name].values()),
        }
    return found


def show(found):
    floor = found["two empty programs"]["added"] if "two empty programs" in found else None
    print("added to a syscall of 512 bytes, in ns, in the fastest of 300 slices (over all of them "
          "where the clock is wall or all cpu): by the least of all rounds; and each round less the "
          "same round bare")
    print(f"{'observer':<24} {'by least':>9} {'x floor':>8} {'median':>8} {'min .. max':>20} "
          f"{'clock':>8}")
    for name, figure in found.items():
        by_floor = f"{figure['added'] / floor:.2f}" if floor else "-"
        print(f"{name:<24} {figure['added']:>9.0f} {by_floor:>8} "
              f"{figure['added_ns']['median']:>8.0f} {figures.span(figure['added_ns']):>20} "
              f"{figure['clock']:>8}")


CALLS_A_ROUND_TRIP = 4
SWITCHES_A_ROUND_TRIP = 2


def measure_switches(rounds, progress):
    """name -> ns that a round trip takes more, that a call does, and what that leaves a switch"""
    chosen = variants()
    names = ("bare", "zctrace --no-latency", "zctrace")
    trip = {name: [] for name in names}
    call = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            progress(f"switches, round {number + 1} of {rounds}: {name}")
            trip[name].append(chosen[name].run(program=SWITCHES)[2])
            call[name].append(chosen[name].run()[2])
    found = {}
    for name in names[1:]:
        added = {}
        for what, taken in (("round_trip", trip), ("call", call)):
            added[what] = min(taken[name]) - min(taken["bare"])
        added["switch"] = ((added["round_trip"] - CALLS_A_ROUND_TRIP * added["call"])
                           / SWITCHES_A_ROUND_TRIP)
        added["round_trip_ns"] = figures.spread(trip[name])
        found[name] = added
    found["bare"] = {"round_trip_ns": figures.spread(trip["bare"])}
    return found


def show_switches(found):
    bare = found["bare"]["round_trip_ns"]
    print("\na round trip through two pipes on one CPU, four calls and two switches, takes "
          f"{bare['min']:.0f} ns ({figures.span(bare)}); added, by the least of all rounds")
    print(f"{'observer':<24} {'round trip':>11} {'a call':>7} {'left for a switch':>18}")
    for name, added in found.items():
        if "switch" in added:
            print(f"{name:<24} {added['round_trip']:>11.0f} {added['call']:>7.0f} "
                  f"{added['switch']:>18.0f}")


THREADS = (1, 8, 64)
OF_THREADS = ("bare", "two empty programs", "zctrace --no-latency", "zctrace")


def measure_threads(rounds, progress):
    """threads -> name -> figures of CPU ns a syscall"""
    chosen = variants()
    cpu = {(threads, name): {} for threads in THREADS for name in OF_THREADS}
    for number in range(rounds):
        for threads in THREADS:
            for name in OF_THREADS:
                progress(f"threads, round {number + 1} of {rounds}: {threads}, {name}")
                cpu[threads, name][number] = chosen[name].run(threads)[1]
    return {threads: {name: {"cpu_ns": figures.spread(cpu[threads, name].values()),
                             "added_ns": figures.added(cpu[threads, name], cpu[threads, "bare"])}
                      for name in OF_THREADS} for threads in THREADS}


def show_threads(found):
    print("\nthe same with threads: medians, CPU ns a syscall")
    print(f"{'threads':<8} {'observer':<24} {'CPU ns':>7} {'min .. max':>16} {'added':>7} "
          f"{'min .. max':>16}")
    for threads, of_threads in found.items():
        for name, figure in of_threads.items():
            print(f"{threads:<8} {name:<24} {figure['cpu_ns']['median']:>7.0f} "
                  f"{figures.span(figure['cpu_ns']):>16} {figure['added_ns']['median']:>7.0f} "
                  f"{figures.span(figure['added_ns']):>16}")


def measure_parts(rounds):
    """part of counting a syscall -> least and median ns that it adds, and with all parts before."""
    done = subprocess.run([BUILD / "bench/parts", str(3 * rounds), "200000"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failed(f"parts: status {done.returncode}")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: {"least_ns": float(least), "median_ns": float(median), "sum_ns": float(total)}
            for name, least, median, total in lines}


def show_parts(found):
    print("\nthe parts of counting a syscall, each with those before it: ns added, fastest slices")
    print(f"{'part':<36} {'least':>7} {'median':>7} {'in all':>7}")
    for name, figure in found.items():
        print(f"{name:<36} {figure['least_ns']:>7.0f} {figure['median_ns']:>7.0f} "
              f"{figure['sum_ns']:>7.0f}")
