# SPDX-License-Identifier: MIT
"""nginx and caddy on the loopback, and clients that count what they receive."""

import collections
import contextlib
import hashlib
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile

from harness import TestCase
from paths import PATIENCE_S, ROOT, ZCTRACE, tool
from processes import catches, children, is_running, state_of
from report import Report

NGINX_CONF = ROOT / "tests" / "fixtures" / "servers" / "nginx.conf"
CAP_BPF = 39
MIB = 1 << 20
BIG = 10 * MIB
# Fits into any socket's send buffer: a response is one writev and one sendfile.
SMALL = 10007
WORKERS = 2
Transfer = collections.namedtuple("Transfer", "sent received body")
Request = collections.namedtuple("Request", "pid begin end status bytes")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def request_for(path, keep_alive=False):
    return (f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n").encode()


def connect(port, receive_buffer=None):
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(PATIENCE_S)
    connection.connect(("127.0.0.1", port))
    return connection


def fetch(port, path):
    """One request whose response ends with the connection. The server closes the connection after
    its last sending call has returned, so that no call is in flight."""
    request = request_for(path)
    with connect(port) as connection:
        connection.sendall(request)
        response = b"".join(iter(lambda: connection.recv(MIB), b""))
    head, _, body = response.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(head)
    return Transfer(len(request), len(response), body)


def fetch_tls(port, path):
    """The same over TLS; the bytes are those of the records on the wire, not of their contents."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    sent, received, response, asked = 0, 0, [], False
    with connect(port) as connection:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                if not asked:
                    tls.do_handshake()
                    tls.write(request_for(path))
                    asked = True
                while chunk := tls.read(MIB):
                    response.append(chunk)
            ready = outgoing.read()
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(ready)
            sent += len(ready)
            records = connection.recv(MIB)
            if not records:
                break
            received += len(records)
            incoming.write(records)
    head, _, body = b"".join(response).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(head)
    return Transfer(sent, received, body)


class Attached:
    """`zctrace attach`, observing once the constructor has returned."""

    def __init__(self, test, *words):
        self.test = test
        directory = pathlib.Path(tempfile.mkdtemp(prefix="attached-", dir=test.directory))
        self.report_path = directory / "report.json"
        self.errors_path = directory / "errors"
        with open(self.errors_path, "wb") as errors:
            self.process = test.start([ZCTRACE, "attach", "-q", "--strict", "--verify-counts",
                                       *words, "--json", self.report_path], stderr=errors)
        test.wait_until(self.observes, "zctrace gives up the capabilities it attached with")

    def observes(self):
        if self.process.poll() is not None:
            self.test.fail(f"status {self.process.returncode}: {self.errors_path.read_text()}")
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        (permitted,) = [int(line.split()[1], 16) for line in status.splitlines()
                        if line.startswith("CapPrm:")]
        return not permitted >> CAP_BPF & 1

    def detach(self):
        self.process.send_signal(signal.SIGINT)
        return self.report()

    def report(self):
        """The report once attach has ended; nothing may be lost."""
        status = self.process.wait(PATIENCE_S)
        self.test.assertEqual(status, 0, self.errors_path.read_text())
        report = Report(self.report_path.read_text())
        self.test.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        self.test.assertEqual(report["completeness"]["unfollowed_tasks"], 0)
        self.test.assert_verified(report)
        return report


class ServerTest(TestCase):
    """A directory of files to serve."""

    def setUp(self):
        super().setUp()
        self.root = self.directory / "root"
        self.root.mkdir()
        self.digests = {}
        for name, size in (("512", 512), ("513", 513), ("small", SMALL), ("big", BIG)):
            content = random.Random(size).randbytes(size)
            (self.root / name).write_bytes(content)
            self.digests[name] = hashlib.sha256(content).hexdigest()

    def assert_body(self, name, body):
        self.assertEqual(hashlib.sha256(body).hexdigest(), self.digests[name], name)

    def wait_for_server(self, port, process, errors):
        def up():
            if process.poll() is not None:
                self.fail(f"the server ended: {errors.read_text()}")
            return accepts(port)

        self.wait_until(up, "the server accepts connections")


def rows_to(sink, report, pids=None):
    """syscall -> (calls that did not fail, bytes)"""
    rows = {}
    for process in report.processes:
        if pids is not None and process["pid"] not in pids:
            continue
        for row in process["rows"]:
            if row["to"] == sink:
                calls, moved = rows.get(row["syscall"], (0, 0))
                good = row["calls"] - row["errors"] - row["restarts"]
                rows[row["syscall"]] = (calls + good, moved + row["bytes"])
    return rows


def bytes_to_sockets(report, pid):
    return sum(moved for _, moved in rows_to("socket", report, {pid}).values())


class NginxTest(ServerTest):
    def start_nginx(self, server, main="", listen=""):
        self.port = free_port()
        self.log = self.directory / "access.log"
        words = {"DIRECTORY": self.directory, "ROOT": self.root, "PORT": self.port, "MAIN": main,
                 "LISTEN": listen, "SERVER": server, "LOG": f"{self.log} counted"}
        text = NGINX_CONF.read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        conf = self.directory / "nginx.conf"
        conf.write_text(text)
        errors = self.directory / "nginx.err"
        with open(errors, "wb") as stream:
            # -e: the log until the configuration has been read.
            words = [tool("nginx"), "-e", self.directory / "error.log", "-c", conf]
            self.master = self.start(words, stdout=stream, stderr=stream)
        self.seen = set()
        self.addCleanup(self.end_nginx)
        self.wait_for_server(self.port, self.master, errors)
        self.wait_until(lambda: len(self.workers()) == WORKERS, "there are two workers")

    def workers(self):
        found = set(children(self.master.pid))
        self.seen |= found
        return found

    def end_nginx(self):
        """Killing the master would leave its workers running."""
        self.workers()
        if self.master.poll() is None:
            self.master.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.master.wait(10)
        for pid in self.seen:
            if is_running(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def quit_nginx(self):
        """Ends nginx gracefully: it completes and logs all requests."""
        self.workers()
        self.master.send_signal(signal.SIGQUIT)
        self.assertEqual(self.master.wait(PATIENCE_S), 0)

    def requests(self):
        requests = []
        # The last line may be incomplete.
        lines, _, _ = self.log.read_text().rpartition("\n")
        for line in lines.splitlines():
            pid, end, took, status, moved = line.split()
            requests.append(Request(int(pid), float(end) - float(took), float(end), int(status),
                                    int(moved)))
        return requests

    def logged(self):
        return self.log.read_bytes().count(b"\n")

    def wait_for_requests(self, count):
        """nginx logs a request after its last sending call has returned."""
        self.wait_until(lambda: self.logged() >= count, f"{count} requests are logged")
        return self.requests()

    def certificate(self):
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True, timeout=PATIENCE_S)
        return f"ssl_certificate {certificate}; ssl_certificate_key {key};"

    def load(self, path, connections=16):
        return self.start([tool("wrk"), "-t", 2, "-c", connections, "-d", f"{PATIENCE_S}s",
                           f"http://127.0.0.1:{self.port}/{path}"], stdout=subprocess.DEVNULL)

    def end_load(self, *loads):
        for load in loads:
            self.assertIsNone(load.poll(), "wrk ended by itself")
            self.wait_until(lambda load=load: catches(load.pid, signal.SIGINT) and
                            state_of(load.pid) == "S", "wrk waits to be interrupted")
            load.send_signal(signal.SIGINT)
            self.assertEqual(load.wait(PATIENCE_S), 0)

    def assert_log_agrees(self, report, requests):
        """The bytes of each worker equal those in its lines of the access log."""
        logged = collections.Counter()
        for request in requests:
            logged[request.pid] += request.bytes
        counted = {pid: bytes_to_sockets(report, pid) for pid in logged}
        self.assertEqual(counted, dict(logged))


class CaddyTest(ServerTest):
    """caddy, serving the files."""

    def start_caddy(self):
        self.port = free_port()
        errors = self.directory / "caddy.log"
        home = {"HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory / "data"),
                "XDG_CONFIG_HOME": str(self.directory / "config")}
        with open(errors, "wb") as stream:
            self.caddy = self.start([tool("caddy"), "file-server", "--root", self.root, "--listen",
                                     f"127.0.0.1:{self.port}"], env={**os.environ, **home},
                                    stdout=stream, stderr=stream)
        self.wait_for_server(self.port, self.caddy, errors)
