# SPDX-License-Identifier: MIT
"""What zctrace itself costs: to start, and while it watches many idle tasks."""

import contextlib
import pathlib
import subprocess
import time
import urllib.request

import figures
from observers import BUILD, ZCTRACE

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
CROWDS = ((10, 100), (100, 100))  # processes, threads in each
SLICES = 5


def measure_start(rounds, progress):
    """ms from `zctrace run -- true` to its end."""
    times = []
    for number in range(rounds):
        progress(f"start, round {number + 1} of {rounds}")
        begin = time.monotonic()
        subprocess.run([ZCTRACE, "run", "-q", "--", "true"], check=True, **SILENT)
        times.append((time.monotonic() - begin) * 1000)
    return figures.spread(times)


def show_start(found):
    print(f"\nzctrace run -- true: {found['median']:.0f} ms (median), {figures.span(found)} ms")


def cpu_s(pid):
    """CPU time of another process, by the scheduler's clock (see clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def rss_mib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@contextlib.contextmanager
def idle_crowd(processes, threads):
    """Tasks that wake up now and then; all exist when the measurement begins."""
    crowd = subprocess.Popen([str(BUILD / "bench/crowd"), str(processes), str(threads)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        crowd.stdout.readline()
        yield crowd
    finally:
        crowd.stdin.close()
        crowd.wait()


def watch(watcher, seconds):
    """(CPU percent, RSS) of each slice of the time."""
    percents, sizes = [], []
    before = cpu_s(watcher.pid)
    for _ in range(SLICES):
        begin = time.monotonic()
        time.sleep(seconds / SLICES)
        after = cpu_s(watcher.pid)
        percents.append(100 * (after - before) / (time.monotonic() - begin))
        sizes.append(rss_mib(watcher.pid))
        before = after
    return percents, sizes


def measure_crowds(seconds, progress):
    """number of tasks -> figures"""
    found = {}
    for processes, threads in CROWDS:
        progress(f"{processes * threads} tasks")
        with idle_crowd(processes, threads) as crowd:
            time.sleep(2)
            done = subprocess.run([str(BUILD / "bench/snapshot"), str(crowd.pid)], text=True,
                                  stdout=subprocess.PIPE, check=True)
            tasks, *snapshots_ms = done.stdout.split()
            watcher = subprocess.Popen([ZCTRACE, "attach", "-p", str(crowd.pid), "-i", "1s"],
                                       **SILENT)
            try:
                time.sleep(2)
                percents, sizes = watch(watcher, seconds)
            finally:
                watcher.terminate()
                watcher.wait()
        found[tasks] = {"snapshot_ms": figures.spread([float(ms) for ms in snapshots_ms]),
                        "cpu_percent": figures.spread(percents),
                        "rss_mib": figures.spread(sizes)}
    return found


def measure_scrapes(rounds, progress):
    """ms of an answer of `zctrace export` beside a thousand processes."""
    progress("scrapes")
    with idle_crowd(1000, 1) as crowd:
        exporter = subprocess.Popen([ZCTRACE, "export", "-p", str(crowd.pid), "--listen",
                                     "127.0.0.1:0"], text=True, **{**SILENT, "stderr": subprocess.PIPE})
        try:
            line = next(line for line in exporter.stderr if "serving" in line)
            url = line.split()[-1]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            time.sleep(2)
            times, size = [], 0
            for _ in range(rounds):
                begin = time.monotonic()
                with opener.open(url) as answer:
                    size = len(answer.read())
                times.append((time.monotonic() - begin) * 1000)
        finally:
            exporter.terminate()
            exporter.wait()
    return {"ms": figures.spread(times), "bytes": size}


def show_scrapes(found):
    print(f"\na scrape of `zctrace export` beside 1,000 processes, {found['bytes']:,} bytes: "
          f"{found['ms']['median']:.1f} ms (median), {figures.span(found['ms'], '.1f')} ms")


def show_crowds(found):
    print("\nwhat `zctrace attach -i 1s` takes beside idle tasks, and one reading of their counts: "
          "medians")
    print(f"{'tasks':<8} {'snapshot ms':>12} {'min .. max':>16} {'own CPU %':>10} "
          f"{'min .. max':>14} {'RSS MiB':>8} {'min .. max':>12}")
    for tasks, figure in found.items():
        print(f"{tasks:<8} {figure['snapshot_ms']['median']:>12.1f} "
              f"{figures.span(figure['snapshot_ms'], '.1f'):>16} "
              f"{figure['cpu_percent']['median']:>10.2f} "
              f"{figures.span(figure['cpu_percent'], '.2f'):>14} "
              f"{figure['rss_mib']['median']:>8.1f} {figures.span(figure['rss_mib'], '.1f'):>12}")
