# SPDX-License-Identifier: MIT
"""Observers, started and ended around what is measured."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", "build")).resolve()
ZCTRACE = str(BUILD / "zctrace")
PATIENCE_S = 60


class Failed(Exception):
    """An observer that did not do its work: its round has no figure, and the others continue."""


def with_tracefs():
    """perf, bpftrace and syscount need tracefs; in a mount namespace of our own it ends with us."""
    if os.environ.get("ZCTRACE_BENCH_MOUNTED") == "1":
        return
    os.environ["ZCTRACE_BENCH_MOUNTED"] = "1"
    script = ('mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; '
              'exec "$@"')
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, *sys.argv])


def installed(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"never happened: {what}")
        time.sleep(0.01)
    return result


class NoObserver:
    """No observer at all."""

    @contextlib.contextmanager
    def watching(self):
        yield


class Beside:
    """An observer that runs beside the measured program and does not report when it is ready."""

    def __init__(self, *command, settle_s):
        self.command = [str(word) for word in command]
        self.settle_s = settle_s

    @contextlib.contextmanager
    def watching(self):
        # The empty programs stay until their standard input ends.
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            self.wait_until_ready(process)
            yield
            if process.poll() is not None:
                raise Failed(f"{self.command[0]} ended before what it observed")
        finally:
            self.end(process)
        self.check()

    def wait_until_ready(self, process):
        time.sleep(self.settle_s)
        if process.poll() is not None:
            raise Failed(f"{self.command[0]} ended at once, status {process.returncode}")

    @staticmethod
    def end(process):
        process.stdin.close()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def check(self):
        """Whether it did its work, if that can be found out."""


class Strace(Beside):
    """Ready when its target has a tracer."""

    def __init__(self, pid):
        super().__init__("strace", "-c", "-f", "-o", "/dev/null", "-p", pid, settle_s=0)
        self.pid = pid

    def wait_until_ready(self, process):
        def traced():
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
            return "TracerPid:\t0\n" not in status or process.poll() is not None

        wait_until(traced, "strace attaches")
        super().wait_until_ready(process)


class Zctrace(Beside):
    """`zctrace attach`; it must lose nothing."""

    CAP_BPF = 39

    def __init__(self, *words):
        descriptor, path = tempfile.mkstemp(prefix="zctrace-bench-")
        os.close(descriptor)
        self.report = pathlib.Path(path)
        super().__init__(ZCTRACE, "attach", "-q", *words, "--json", self.report, settle_s=0)

    def wait_until_ready(self, process):
        """Waits until it drops the capabilities that it attached with."""
        def observes():
            if process.poll() is not None:
                raise Failed(f"zctrace ended at once, status {process.returncode}")
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            permitted = next(line for line in status.splitlines() if line.startswith("CapPrm:"))
            named = pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "zctrace\n"
            return named and not int(permitted.split()[1], 16) >> self.CAP_BPF & 1

        wait_until(observes, "zctrace observes")

    def check(self):
        lost = json.loads(self.report.read_text())["completeness"]["lost_events"]
        self.report.unlink()
        if lost:
            raise Failed(f"zctrace lost {lost} events")


def of_process(pid, bystander):
    """name -> observer of one process, of those that are installed."""
    observers = {
        "two empty programs": Beside(BUILD / "bench/floor", settle_s=0.5),
        "zctrace": Zctrace("-p", str(pid)),
        "zctrace --no-latency": Zctrace("-p", str(pid), "--no-latency"),
        "zctrace, of another process": Zctrace("-p", str(bystander)),
        "syscount -p": Beside("syscount", "-p", pid, "-d", "1000", settle_s=1.0),
        "syscount -L -p": Beside("syscount", "-L", "-p", pid, "-d", "1000", settle_s=1.0),
        "bpftrace, by comm and id": Beside(
            "bpftrace", "-e", f"tracepoint:raw_syscalls:sys_enter /pid == {pid}/ "
                              "{ @[comm, args->id] = count(); }", settle_s=3.0),
        "perf stat -p": Beside("perf", "stat", "-e", "raw_syscalls:sys_enter", "-e",
                               "raw_syscalls:sys_exit", "-o", "/dev/null", "-p", pid,
                               settle_s=1.0),
        "perf trace -s -p": Beside("perf", "trace", "-s", "-o", "/dev/null", "-p", pid,
                                   settle_s=1.0),
        "strace -c -f -p": Strace(pid),
    }
    return {name: observer for name, observer in observers.items()
            if installed(observer.command[0])}
