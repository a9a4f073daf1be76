# SPDX-License-Identifier: MIT
"""Servers under load, each with one process that observers observe and that answers every request.

Everything a server has lies in one temporary directory. Clients and servers use the loopback device, or
a Unix socket.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

from observers import PATIENCE_S, Failed, installed, wait_until
from own_cost import cpu_s

NGINX_CONF = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "servers" / "nginx.conf"
CONNECTIONS = 16
SMALL, LARGE = 1000, 1000000  # bytes of the requested files
SLICES_A_SECOND = 10
FOREVER_S = 1000000


@dataclasses.dataclass
class Running:
    """A server that accepts connections."""

    pid: int  # of the observed process
    # What is requested -> a function that loads the server for so many seconds. Of each slice of
    # the time: (CPU time of the observed process a request in us, requests a second).
    loads: dict[str, Callable[[int], Iterator[tuple[float, float]]]]


@dataclasses.dataclass(frozen=True)
class Server:
    """What a part of the benchmark loads."""

    title: str
    needs: tuple[str, ...]  # programs
    start: Callable[[pathlib.Path, contextlib.ExitStack], Running]


@contextlib.contextmanager
def started(*words, **options):
    process = subprocess.Popen([str(word) for word in words],
                               **{"stdin": subprocess.DEVNULL, **options})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.send_signal(signal.SIGCONT)  # a stopped process does not end before
        process.wait(PATIENCE_S)


@contextlib.contextmanager
def continued(client):
    """A client lasts as long as its server, and is stopped while nothing is measured."""
    client.send_signal(signal.SIGCONT)
    try:
        yield
        if client.poll() is not None:
            raise Failed(f"{client.args[0]} ended")
    finally:
        client.send_signal(signal.SIGSTOP)


def by_counter(pid, client, requests, slices_a_second=SLICES_A_SECOND):
    """`requests()`: how many the server has answered."""
    client.send_signal(signal.SIGSTOP)

    def load(seconds):
        with continued(client):
            for _ in range(seconds * slices_a_second):
                begin_s, used_s, answered = time.monotonic(), cpu_s(pid), requests()
                time.sleep(1 / slices_a_second)
                answered, used_s = requests() - answered, cpu_s(pid) - used_s
                # One of them asked for the count.
                if answered > 1:
                    yield used_s / answered * 1e6, answered / (time.monotonic() - begin_s)

    return load


class Counter:
    """A number in a server's answers to the same question, over one connection."""

    def __init__(self, stack, address, question, number, end, greeting=b""):
        self.socket = stack.enter_context(socket.socket(
            socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX))
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(address)
        self.socket.sendall(greeting)
        self.question, self.number, self.end = question, re.compile(number), end

    def __call__(self):
        self.socket.sendall(self.question)
        answer = b""
        while not answer.endswith(self.end) or not self.number.search(answer):
            received = self.socket.recv(65536)
            if not received:
                raise Failed(f"no count in {answer!r}")
            answer += received
        return int(self.number.search(answer)[1])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_accepts(process, port):
    def accepts():
        if process.poll() is not None:
            raise Failed(f"{process.args[0]} ended at once")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(accepts, f"{process.args[0]} accepts connections")


def wrk(stack, port, path):
    """Loads a server of files that are named after their sizes."""
    url = f"http://127.0.0.1:{port}/{path}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PATIENCE_S) as answer:
        if len(answer.read()) != path:
            raise Failed(f"{url} is not what it should be")
    return stack.enter_context(started(installed("wrk"), "-t", "1", "-c", CONNECTIONS, "-d",
                                       f"{FOREVER_S}s", url, stdout=subprocess.DEVNULL))


def nginx(directory, stack):
    """(PID of its only worker, port). Its files are named after their sizes."""
    root = directory / "root"
    root.mkdir()
    for size in (SMALL, LARGE):
        (root / str(size)).write_bytes(os.urandom(size))
    directory.chmod(0o755)
    port = free_port()
    text = NGINX_CONF.read_text().replace("worker_processes 2;", "worker_processes 1;")
    for word, value in {"DIRECTORY": directory, "ROOT": root, "PORT": port, "MAIN": "",
                        "LISTEN": "",
                        "SERVER": "sendfile on; location = /status { stub_status; }", "LOG": "off"}.items():
        text = text.replace(f"@{word}@", str(value))
    conf = directory / "nginx.conf"
    conf.write_text(text)
    master = stack.enter_context(started(installed("nginx"), "-e", directory / "error.log", "-c",
                                         conf))
    wait_until_it_accepts(master, port)
    children = pathlib.Path(f"/proc/{master.pid}/task/{master.pid}/children")
    wait_until(lambda: len(children.read_text().split()) == 1, "nginx has its worker")
    return int(children.read_text()), port


def start_nginx(directory, stack):
    worker, port = nginx(directory, stack)
    requests = Counter(stack, ("127.0.0.1", port), b"GET /status HTTP/1.1\r\nHost: nginx\r\n\r\n",
                       rb"requests\s+\d+ \d+ (\d+)", b"\n")
    # Of large files a short slice would hold few.
    return Running(worker, {
        "1 kB": by_counter(worker, wrk(stack, port, SMALL), requests),
        "1 MB": by_counter(worker, wrk(stack, port, LARGE), requests, slices_a_second=1)})


HAPROXY = """
global
    nbthread 1
    stats socket {control}
    stats timeout 1h
defaults
    mode http
    timeout connect 60s
    timeout client 1h
    timeout server 1h
listen relay
    bind 127.0.0.1:{port}
    http-reuse always
    server origin 127.0.0.1:{origin}
"""


def start_haproxy(directory, stack):
    """Before an nginx, to which it keeps its connections."""
    _, origin = nginx(directory, stack)
    port = free_port()
    conf = directory / "haproxy.cfg"
    control = directory / "control"
    conf.write_text(HAPROXY.format(port=port, origin=origin, control=control))
    process = stack.enter_context(started(installed("haproxy"), "-db", "-f", conf))
    wait_until_it_accepts(process, port)
    requests = Counter(stack, str(control), b"show info\n", rb"CumReq: (\d+)", b"\n> ",
                       greeting=b"prompt\n")
    return Running(process.pid, {
        "1 kB": by_counter(process.pid, wrk(stack, port, SMALL), requests)})


def start_redis(directory, stack):
    port = free_port()
    process = stack.enter_context(started(
        installed("redis-server"), "--bind", "127.0.0.1", "--port", port, "--save", "",
        "--dir", directory, stdout=subprocess.DEVNULL))
    wait_until_it_accepts(process, port)
    address = ("127.0.0.1", port)
    # What redis-benchmark gets.
    Counter(stack, address, b"SET key:__rand_int__ xxx\r\nSTRLEN key:__rand_int__\r\n", rb":(3)",
            b"\r\n")()
    commands = Counter(stack, address, b"INFO stats\r\n", rb"total_commands_processed:(\d+)", b"\r\n")
    client = stack.enter_context(started(
        installed("redis-benchmark"), "-p", port, "-t", "get", "-c", CONNECTIONS, "-q", "-l",
        stdout=subprocess.DEVNULL))
    before = commands()
    wait_until(lambda: commands() > before + 1000, "redis-benchmark loads redis")
    return Running(process.pid, {"GET": by_counter(process.pid, client, commands)})


def postgresql_program(name):
    """Debian has one directory for each version, others have the programs in PATH."""
    for directory in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / name).exists():
            return directory / name
    return installed(name)


def child_named(pid, text):
    """PID of the child with `text` in its command, or None."""
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError):
            if text in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


def by_log(pid, client, path):
    """pgbench writes when each transaction ended, a few kB at a time."""
    log = open(path, encoding="ascii")
    client.send_signal(signal.SIGSTOP)

    def ends():
        """Of the transactions that are new in the log, in seconds since the epoch."""
        text = log.read()
        log.seek(log.tell() - len(text) + text.rfind("\n") + 1)
        lines = (line.split() for line in text[:text.rfind("\n") + 1].splitlines())
        return [int(words[4]) + int(words[5]) / 1e6 for words in lines]

    def load(seconds):
        with continued(client):
            marks = [(time.time(), cpu_s(pid))]
            for _ in range(seconds * SLICES_A_SECOND):
                time.sleep(1 / SLICES_A_SECOND)
                marks.append((time.time(), cpu_s(pid)))
            done = []
            wait_until(lambda: done.extend(ends()) or done and done[-1] > marks[-1][0],
                       "pgbench writes its log")
        for (begin_s, cpu_before_s), (end_s, cpu_after_s) in zip(marks, marks[1:]):
            if count := sum(begin_s < end <= end_s for end in done):
                yield (cpu_after_s - cpu_before_s) / count * 1e6, count / (end_s - begin_s)

    return load


def start_postgresql(directory, stack):
    """A new cluster with pgbench's tables, and one client: observed is the backend that serves it."""
    # The server refuses root.
    owner = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": directory}
    shutil.chown(directory, "postgres", "postgres")
    there = ["-h", directory, "-U", "postgres", "postgres"]
    programs = {name: postgresql_program(name)
                for name in ("initdb", "postgres", "pg_isready", "pgbench")}

    def run(name, *words, check=True):
        return subprocess.run([str(word) for word in (programs[name], *words)], check=check,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S,
                              **owner)

    run("initdb", "-D", directory / "data", "-U", "postgres", "--auth=trust", "--no-sync",
        "--locale=C")
    server = stack.enter_context(started(
        programs["postgres"], "-D", directory / "data", "-k", directory, "-c", "listen_addresses=",
        "-c", "fsync=off", "-c", "autovacuum=off", stderr=subprocess.DEVNULL, **owner))
    # SIGTERM, by which `started` ends it, waits for clients; they end before.
    wait_until(lambda: run("pg_isready", "-h", directory, check=False).returncode == 0,
               "PostgreSQL accepts connections")
    run("pgbench", "-i", *there)
    log = directory / "log"
    client = stack.enter_context(started(
        programs["pgbench"], "-S", "-n", "-c", "1", "-T", FOREVER_S, "-l", f"--log-prefix={log}",
        *there, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner))
    log = pathlib.Path(f"{log}.{client.pid}")
    wait_until(lambda: log.exists() and log.stat().st_size > 0, "pgbench writes its log")
    backend = child_named(server.pid, b"[local]")
    return Running(backend, {"SELECT": by_log(backend, client, log)})


# Part of the benchmark -> server.
SERVERS = {
    "nginx": Server(f"nginx, 1 worker, wrk -t1 -c{CONNECTIONS}", ("nginx", "wrk"), start_nginx),
    "haproxy": Server(f"HAProxy, 1 thread, before nginx, wrk -t1 -c{CONNECTIONS}",
                      ("haproxy", "nginx", "wrk"), start_haproxy),
    "postgresql": Server("PostgreSQL, pgbench -S -c1, Unix socket", ("pgbench",),
                         start_postgresql),
    "redis": Server(f"redis, redis-benchmark -t get -c{CONNECTIONS}",
                    ("redis-server", "redis-benchmark"), start_redis),
}
