#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeps what `--advise=measure` promises, and compares the CPU time that is saved with the promise.

The programs run without an observer, as they are and as advised, in interleaved rounds; the promise is
the median of as many observations. Build first: make all matrix-programs.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from observers import BUILD, PATIENCE_S, ZCTRACE, Failed, installed, wait_until

from servers import NGINX_CONF, started

MIB = 1 << 20
CHUNK = 64 << 10
REQUESTS = 4
COPY = """
import os, sys
source, sink = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
if sys.argv[3] == "loop":
    while block := os.read(source, 1 << 16): os.write(sink, block)
else:
    while os.copy_file_range(source, sink, 1 << 16): pass
"""


def promised(report, program):
    """ns that the only relay of the program would save."""
    (advice,) = [one for one in report["advice"]
                 if one["kind"] == "relay" and one["name"].startswith(program)]
    return advice["saves"]["cpu_ns"]


class Command:
    """Copies a file. `words(way)`: the program that does it as it is or as advised."""

    def __init__(self, directory, name, words, sinks="."):
        self.name, self.words = name, words
        self.source = directory / "source"
        self.sink = directory / sinks / "sink"
        self.report = directory / "report.json"

    def run(self, way, prefix=()):
        self.sink.unlink(missing_ok=True)
        words = [*prefix, *self.words(way, self.source, self.sink)]
        with open(self.source, "rb") as stdin, open(self.sink, "wb") as stdout:
            subprocess.run([str(word) for word in words], stdin=stdin, stdout=stdout,
                           stderr=subprocess.DEVNULL, check=True)

    def cpu_ns(self, way):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.run(way)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ((after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)) * 1e9

    def promise(self):
        self.run("before", [ZCTRACE, "run", "-q", "--advise=measure", "--json", self.report, "--"])
        return promised(json.loads(self.report.read_text()), self.name)


class Nginx:
    """Sends a file some times, with `sendfile off` and `on`."""

    name = "nginx"

    def __init__(self, directory):
        self.directory = directory
        self.port = 20000 + os.getpid() % 20000

    def server(self, way):
        root = self.directory
        root.chmod(0o755)
        words = {"DIRECTORY": root, "ROOT": root, "PORT": self.port, "MAIN": "", "LISTEN": "",
                 "SERVER": f"sendfile {'off' if way == 'before' else 'on'}; output_buffers 1 64k;",
                 "LOG": "off"}
        text = NGINX_CONF.read_text().replace("worker_processes 2;", "worker_processes 1;")
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (root / "nginx.conf").write_text(text)
        return started(installed("nginx"), "-e", root / "error.log", "-c", root / "nginx.conf")

    def worker(self, master):
        children = pathlib.Path(f"/proc/{master.pid}/task/{master.pid}/children")
        wait_until(lambda: children.read_text().split(), "nginx has a worker")
        return children.read_text().split()[0]

    def fetch(self):
        for _ in range(REQUESTS):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/source") as response:
                while response.read(MIB):
                    pass

    def cpu_ns(self, way):
        with self.server(way) as master:
            spent = pathlib.Path(f"/proc/{self.worker(master)}/schedstat")
            before = int(spent.read_text().split()[0])
            self.fetch()
            return int(spent.read_text().split()[0]) - before

    def promise(self):
        report = self.directory / "report.json"
        with self.server("before") as master:
            observer = subprocess.Popen([ZCTRACE, "attach", "--advise=measure", "-p",
                                         self.worker(master), "--json", str(report)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            # It says so when it observes.
            while "observing" not in (line := observer.stderr.readline()):
                if not line:
                    raise Failed("zctrace attach ended")
            self.fetch()
        observer.communicate(timeout=PATIENCE_S)
        return promised(json.loads(report.read_text()), self.name)


def dd_or_cp(way, source, sink):
    return ["dd", f"if={source}", f"of={sink}", "bs=64K"] if way == "before" else \
        ["cp", source, sink]


def relay(way, _source, _sink):
    return [BUILD / "programs/relay", "loop" if way == "before" else "copy", CHUNK]


def python(way, source, sink):
    return [sys.executable, "-I", "-S", "-B", "-c", COPY, source, sink,
            "loop" if way == "before" else "copy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=64, help="size of the file")
    parser.add_argument("--only", help="a word of the program's title")
    options = parser.parse_args()
    rounds = range(options.rounds)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        directory = pathlib.Path(name)
        (directory / "source").write_bytes(os.urandom(options.mib * MIB))
        print(f"{'program':<12} {'saved, ms':>10} {'range':>16} {'promised, ms':>13} {'range':>16} "
              f"{'promised / saved':>17}")
        for title, program in (("dd, cp", Command(directory, "dd", dd_or_cp)),
                               ("C relay", Command(directory, "relay", relay)),
                               ("Python copy", Command(directory, "python", python)),
                               ("nginx", Nginx(directory))):
            if options.only and options.only not in title:
                continue
            saved, promises = [], []
            for _ in rounds:
                promises.append(program.promise() / 1e6)
                saved.append((program.cpu_ns("before") - program.cpu_ns("after")) / 1e6)
            middle, promise = statistics.median(saved), statistics.median(promises)
            print(f"{title:<12} {middle:>10.1f} {min(saved):>7.1f} .. {max(saved):<5.1f} "
                  f"{promise:>13.1f} {min(promises):>7.1f} .. {max(promises):<5.1f} "
                  f"{promise / middle:>17.2f}", flush=True)


if __name__ == "__main__":
    main()
