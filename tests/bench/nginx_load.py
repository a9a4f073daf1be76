# SPDX-License-Identifier: MIT
"""Requests a second of nginx under wrk, without an observer and with each.

nginx has one worker, which every observer observes, and wrk has one thread; both use the loopback
device. Each round measures every observer once, in an order that moves on by one, so that
drifts hit all of them alike.
"""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

import figures
import observers
from observers import PATIENCE_S, Failed, installed, wait_until

NGINX_CONF = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "servers" / "nginx.conf"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SIZES = (1000, 1000000)  # bytes of the requested files
CONNECTIONS = 16


@contextlib.contextmanager
def started(*words):
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE_S)


class Nginx:
    """Serves files that are named after their sizes."""

    def __init__(self, directory, stack):
        root = directory / "root"
        root.mkdir()
        for size in SIZES:
            (root / str(size)).write_bytes(os.urandom(size))
        directory.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = NGINX_CONF.read_text().replace("worker_processes 2;", "worker_processes 1;")
        for word, value in {"DIRECTORY": directory, "ROOT": root, "PORT": self.port, "MAIN": "",
                            "LISTEN": "", "SERVER": "sendfile on;", "LOG": "off"}.items():
            text = text.replace(f"@{word}@", str(value))
        conf = directory / "nginx.conf"
        conf.write_text(text)
        self.master = stack.enter_context(started(installed("nginx"), "-e",
                                                  directory / "error.log", "-c", conf))
        wait_until(self.ready, "nginx accepts connections")

    def ready(self):
        if self.master.poll() is not None:
            raise Failed("nginx ended at once")
        with socket.socket() as probe:
            return (probe.connect_ex(("127.0.0.1", self.port)) == 0
                    and len(self.workers()) == 1)

    def workers(self):
        pid = self.master.pid
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    @property
    def worker(self):
        return int(self.workers()[0])

    def cpu_s(self):
        """User and system time of the worker, to a tick."""
        fields = pathlib.Path(f"/proc/{self.worker}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def load(nginx, size, seconds):
    """(requests a second, CPU time of the worker a request in us)"""
    cpu_s = nginx.cpu_s()
    done = subprocess.run([installed("wrk"), "-t", "1", "-c", str(CONNECTIONS), "-d",
                           f"{seconds}s", f"http://127.0.0.1:{nginx.port}/{size}"],
                          capture_output=True, text=True, check=True,
                          timeout=seconds + PATIENCE_S)
    cpu_s = nginx.cpu_s() - cpu_s
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Failed(f"wrk had errors:\n{done.stdout}")
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
    if requests == 0:
        raise Failed("wrk got no answer")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    return rate, cpu_s / requests * 1e6


def measure(rounds, seconds, progress):
    """size -> observer -> figures"""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="zctrace-bench-")))
        nginx = Nginx(directory, stack)
        bystander = stack.enter_context(started("sleep", "infinity"))
        chosen = observers.of_process(nginx.worker, bystander.pid)
        rates = {(size, name): {} for size in SIZES for name in chosen}
        cpu_us = {(size, name): {} for size in SIZES for name in chosen}
        for size in SIZES:  # page cache, branch predictors
            load(nginx, size, 1)
        names = list(chosen)
        for number in range(rounds):
            for name in names[number % len(names):] + names[:number % len(names)]:
                progress(f"nginx, round {number + 1} of {rounds}: {name}")
                try:
                    with chosen[name].watching():
                        for size in SIZES:
                            rates[size, name][number], cpu_us[size, name][number] = load(
                                nginx, size, seconds)
                except (Failed, OSError, subprocess.SubprocessError) as error:
                    print(f"\nnginx, {name}: {error}", file=sys.stderr)
                    for size in SIZES:
                        rates[size, name].pop(number, None)
                        cpu_us[size, name].pop(number, None)
    return {size: {name: {"requests_per_s": figures.spread(rates[size, name].values()),
                          "relative": figures.ratio(rates[size, name], rates[size, "nothing"]),
                          "worker_cpu_us_per_request":
                              figures.spread(cpu_us[size, name].values())}
                   for name in names if rates[size, name].keys() & rates[size, "nothing"].keys()}
            for size in SIZES}


def show(found):
    print(f"\nnginx, 1 worker, wrk -t1 -c{CONNECTIONS}; medians; relative to the same round "
          "without an observer")
    print(f"{'bytes':<8} {'observer':<28} {'requests/s':>10} {'min .. max':>17} {'relative %':>11} "
          f"{'min .. max':>15} {'CPU us/req':>11} {'min .. max':>17}")
    for size, of_size in found.items():
        for name, figure in of_size.items():
            rate, relative = figure["requests_per_s"], figure["relative"]
            cpu = figure["worker_cpu_us_per_request"]
            print(f"{size:<8} {name:<28} {rate['median']:>10.0f} {figures.span(rate):>17} "
                  f"{relative['median'] * 100:>11.1f} {figures.span(relative, '.1f', 100):>15} "
                  f"{cpu['median']:>11.1f} {figures.span(cpu, '.1f'):>17}")
