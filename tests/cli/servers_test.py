# SPDX-License-Identifier: MIT
"""Real servers on the loopback: what zctrace counts beside what clients and access logs count."""

import collections
import contextlib
import hashlib
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from faults import state_of
from harness import (PATIENCE_S, ROOT, ZCTRACE, Report, TestCase, children, in_both_modes,
                     is_running, tool)

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


def catches(pid, number):
    """Whether it has a handler for the signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) & 1 << number - 1)


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
    """One request whose response ends with the connection. The server closes after the return
    of its last call that sends, so that nothing is in flight any more."""
    request = request_for(path)
    with connect(port) as connection:
        connection.sendall(request)
        response = b"".join(iter(lambda: connection.recv(MIB), b""))
    head, _, body = response.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(head)
    return Transfer(len(request), len(response), body)


def fetch_tls(port, path):
    """The same over TLS; the bytes are those on the wire: records, not what they hold."""
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
    """`zctrace attach` that observes from the end of the constructor on."""

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
        """Once it has ended; nothing may be lost."""
        status = self.process.wait(PATIENCE_S)
        self.test.assertEqual(status, 0, self.errors_path.read_text())
        report = Report(self.report_path.read_text())
        self.test.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        self.test.assertEqual(report["completeness"]["unfollowed_tasks"], 0)
        self.test.assert_verified(report)
        return report


class ServerTest(TestCase):
    """A directory of files to serve, and servers that end with the test."""

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
    """syscall -> (calls that moved something or nothing, but did not fail; bytes)"""
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


class Caddy(ServerTest):
    """Go's net/http reads the first 512 bytes of a file itself, to guess its type."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        errors = self.directory / "caddy.log"
        home = {"HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory / "data"),
                "XDG_CONFIG_HOME": str(self.directory / "config")}
        with open(errors, "wb") as stream:
            self.caddy = self.start([tool("caddy"), "file-server", "--root", self.root, "--listen",
                                     f"127.0.0.1:{self.port}"], env={**os.environ, **home},
                                    stdout=stream, stderr=stream)
        self.wait_for_server(self.port, self.caddy, errors)

    def observe_fetch(self, name, mode):
        attached = Attached(self, "-p", self.caddy.pid, *mode)
        transfer = fetch(self.port, name)
        report = attached.detach()
        self.assert_body(name, transfer.body)
        self.assertEqual(bytes_to_sockets(report, self.caddy.pid), transfer.received)
        self.assertEqual(report.bytes("read", "socket", "user"), transfer.sent)
        return report

    @in_both_modes
    def test_file_of_512_bytes_uses_no_sendfile(self, mode):
        report = self.observe_fetch("512", mode)
        self.assertNotIn("sendfile", report.calls())
        self.assertEqual(report.totals["zero_copy_share"], 0)

    @in_both_modes
    def test_file_of_513_bytes_uses_one_sendfile_of_one_byte(self, mode):
        report = self.observe_fetch("513", mode)
        self.assertEqual(report.data_rows()["sendfile", "file", "socket"],
                         {"calls": 1, "errors": 0, "restarts": 0, "bytes": 1})

    @in_both_modes
    def test_file_of_10_mib_is_sent_without_copies(self, mode):
        report = self.observe_fetch("big", mode)
        self.assertEqual(report.bytes("sendfile", "file", "socket"), BIG - 512)
        self.assertGreater(report.totals["zero_copy_share"], 0.99)


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
            # -e: what is logged before the configuration has been read.
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
        """A master that is killed would leave its workers behind."""
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
        """Requests that are being answered are answered, and logged."""
        self.workers()
        self.master.send_signal(signal.SIGQUIT)
        self.assertEqual(self.master.wait(PATIENCE_S), 0)

    def requests(self):
        requests = []
        # A line that is being written may be there in part.
        lines, _, _ = self.log.read_text().rpartition("\n")
        for line in lines.splitlines():
            pid, end, took, status, moved = line.split()
            requests.append(Request(int(pid), float(end) - float(took), float(end), int(status),
                                    int(moved)))
        return requests

    def logged(self):
        return self.log.read_bytes().count(b"\n")

    def wait_for_requests(self, count):
        """nginx logs a request after the return of its last call that sends."""
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
        """Worker by worker, to the byte."""
        logged = collections.Counter()
        for request in requests:
            logged[request.pid] += request.bytes
        counted = {pid: bytes_to_sockets(report, pid) for pid in logged}
        self.assertEqual(counted, dict(logged))


class NginxMethods(NginxTest):
    """How each configuration moves a response, and that every byte that a client got is there."""

    def observe_curl(self, mode, *options, scheme="http"):
        """Bytes of headers and body, by curl's account."""
        copy = self.directory / "copy"
        attached = Attached(self, "-p", self.master.pid, *mode)
        done = subprocess.run([tool("curl"), "-sSf", "--noproxy", "*", *options, "-o", copy, "-w",
                               "%{size_header} %{size_download} %{size_request}",
                               f"{scheme}://127.0.0.1:{self.port}/big"],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_for_requests(1)
        report = attached.detach()
        self.assert_body("big", copy.read_bytes())
        header, body, request = map(int, done.stdout.split())
        self.assertEqual(body, BIG)
        self.assertEqual({process["pid"] for process in report.processes},
                         {self.master.pid, *self.workers()})
        return report, header, request

    def assert_sent(self, report, expected):
        """syscall -> bytes to sockets, and no other that sent any."""
        found = {name: moved for name, (_, moved) in rows_to("socket", report).items()}
        self.assertEqual(found, expected)

    @in_both_modes
    def test_sendfile_on(self, mode):
        self.start_nginx("sendfile on;")
        report, header, request = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        self.assertEqual(report.bytes("sendfile", "file", "socket"), BIG)
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), request)
        sent = rows_to("socket", report)
        self.assertEqual(sent["writev"][0], 1)
        self.assertGreaterEqual(sent["sendfile"][0], BIG // (2 * MIB))
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)
        self.assertNotIn("pread64", report.calls())

    @in_both_modes
    def test_sendfile_off(self, mode):
        self.start_nginx("sendfile off;")
        report, header, request = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header + BIG})
        self.assertEqual(report.data_rows()["pread64", "file", "user"],
                         {"calls": BIG // 32768, "errors": 0, "restarts": 0, "bytes": BIG})
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), request)
        self.assertEqual(report.totals["zero_copy_share"], 0)
        self.assertNotIn("sendfile", report.calls())

    @in_both_modes
    def test_sendfile_max_chunk(self, mode):
        self.start_nginx("sendfile on; sendfile_max_chunk 256k;")
        report, header, _ = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        self.assertGreaterEqual(rows_to("socket", report)["sendfile"][0], BIG // (256 << 10))
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)

    @in_both_modes
    def test_tls_copies_in_spite_of_sendfile_on(self, mode):
        self.start_nginx(f"sendfile on; {self.certificate()}", listen="ssl")
        attached = Attached(self, "-p", self.master.pid, *mode)
        transfer = fetch_tls(self.port, "big")
        report = attached.detach()
        self.assert_body("big", transfer.body)
        self.assert_sent(report, {"write": transfer.received})
        self.assertEqual(report.data_rows()["pread64", "file", "user"],
                         {"calls": BIG // 32768, "errors": 0, "restarts": 0, "bytes": BIG})
        self.assertEqual(report.totals["zero_copy_share"], 0)
        self.assertNotIn("sendfile", report.calls())

    @in_both_modes
    def test_tls_by_curl(self, mode):
        self.start_nginx(f"sendfile on; {self.certificate()}", listen="ssl")
        report, header, _ = self.observe_curl(mode, "--insecure", scheme="https")
        sent = rows_to("socket", report)
        self.assertEqual(set(sent), {"write"})
        # A record holds at most 16 KiB and adds 22 bytes or a few more; the handshake some KiB.
        self.assertGreater(sent["write"][1], header + BIG)
        self.assertLess(sent["write"][1], header + BIG + BIG // 16384 * 64 + 16384)

    @in_both_modes
    def test_aio_threads(self, mode):
        self.start_nginx("sendfile on; aio threads;", main="thread_pool default threads=4;")
        report, header, _ = self.observe_curl([*mode, "--by", "thread"])
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        sent = collections.Counter()
        for thread in report.processes:
            where = "worker" if thread["tid"] == thread["pid"] else "pool"
            for row in thread["rows"]:
                if row["to"] == "socket":
                    sent[where, row["syscall"]] += row["bytes"]
        self.assertEqual(sent, {("worker", "writev"): header, ("pool", "sendfile"): BIG})
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)


class NginxWhileServing(NginxTest):
    """Attached between, during and across requests: nothing lost, nothing counted twice."""

    @in_both_modes
    def test_whole_load_until_the_last_worker_ends(self, mode):
        self.start_nginx("sendfile on;")
        attached = Attached(self, "-p", self.master.pid, *mode)
        load = self.load("big")
        self.wait_for_requests(100)
        self.end_load(load)
        self.quit_nginx()
        # Nobody tells it to: the last target has ended.
        report = attached.report()
        self.assert_log_agrees(report, self.requests())
        self.assertTrue(all(process["ended_ns"] for process in report.processes))

    @in_both_modes
    def test_between_two_bursts_on_idle_connections(self, mode):
        self.start_nginx("sendfile on;")
        connections = [connect(self.port) for _ in range(8)]
        for connection in connections:
            self.addCleanup(connection.close)
        request = request_for("small", keep_alive=True)

        def burst():
            received = 0
            for connection in connections * 3:
                connection.sendall(request)
                response = b""
                while b"\r\n\r\n" not in response:
                    response += connection.recv(65536)
                length = response.index(b"\r\n\r\n") + 4 + SMALL
                while len(response) < length:
                    response += connection.recv(65536)
                received += len(response)
            return received

        burst()
        self.wait_for_requests(24)
        attached = Attached(self, "-p", self.master.pid, *mode)
        received = burst()
        self.wait_for_requests(48)
        report = attached.detach()
        burst()
        requests = self.wait_for_requests(72)
        self.assert_log_agrees(report, requests[24:48])
        rows = rows_to("socket", report)
        self.assertEqual(rows["sendfile"], (24, 24 * SMALL))
        self.assertEqual(rows["writev"], (24, received - 24 * SMALL))
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), 24 * len(request))

    def wait_until_idle(self):
        """Nobody has run for a while: the reader does not read and the socket is full."""
        def switches():
            return [pathlib.Path(f"/proc/{pid}/status").read_text().split("voluntary", 1)[1]
                    for pid in self.workers()]

        def sleep():
            return all(state_of(pid) == "S" for pid in self.workers())

        def idle():
            if not sleep():
                return False
            before = switches()
            time.sleep(0.3)
            return switches() == before and sleep()

        self.wait_until(idle, "the workers wait")

    def hand_over(self, mode):
        """The first observer ends and the second begins while a response is half sent."""
        request = request_for("big")
        first = Attached(self, "-p", self.master.pid, *mode)
        connection = connect(self.port, receive_buffer=65536)
        self.addCleanup(connection.close)
        connection.sendall(request)
        response = [connection.recv(MIB)]
        self.wait_until_idle()
        second = Attached(self, "-p", self.master.pid, *mode)
        before = first.detach()
        response += iter(lambda: connection.recv(MIB), b"")
        after = second.detach()
        response = b"".join(response)
        self.assert_body("big", response.partition(b"\r\n\r\n")[2])
        sent = [sum(bytes_to_sockets(report, pid) for pid in self.workers())
                for report in (before, after)]
        self.assertTrue(all(sent), sent)
        self.assertEqual(sum(sent), len(response), sent)

    @in_both_modes
    def test_in_the_middle_of_a_response_by_sendfile(self, mode):
        self.start_nginx("sendfile on;")
        self.hand_over(mode)

    @in_both_modes
    def test_in_the_middle_of_a_response_by_writev(self, mode):
        self.start_nginx("sendfile off;")
        self.hand_over(mode)

    @in_both_modes
    def test_attached_and_detached_in_the_middle_of_a_load(self, mode):
        # The log's clock is read once a round of the event loop.
        slack_s = 0.2
        self.start_nginx("sendfile on;")
        whole = Attached(self, "-p", self.master.pid, *mode)
        load = self.load("small")
        self.wait_for_requests(1000)
        begin = time.time()
        part = Attached(self, "-p", self.master.pid, *mode)
        attached = time.time()
        self.wait_until(lambda: sum(each.begin > attached + slack_s
                                    for each in self.requests()) > 200, "200 requests")
        time.sleep(2 * slack_s)
        detaching = time.time()
        report = part.detach()
        detached = time.time()
        self.wait_for_requests(self.logged() + 1000)
        self.end_load(load)
        self.quit_nginx()

        requests = self.requests()
        whole_report = whole.report()
        self.assert_log_agrees(whole_report, requests)

        inside = sum(each.bytes for each in requests
                     if each.begin > attached + slack_s and each.end < detaching - slack_s)
        touching = sum(each.bytes for each in requests
                       if each.end > begin - slack_s and each.begin < detached + slack_s)
        rows = rows_to("socket", report)
        self.assertEqual(set(rows), {"writev", "sendfile"})
        counted = sum(moved for _, moved in rows.values())
        self.assertGreater(inside, 100 * SMALL)
        self.assertLessEqual(inside, counted)
        self.assertLessEqual(counted, touching)
        # Each call is there once, with all its bytes; a worker may be between the two calls of a
        # response when observation begins, and when it ends.
        header = requests[0].bytes - SMALL
        self.assertEqual(rows["sendfile"][1], rows["sendfile"][0] * SMALL)
        self.assertEqual(rows["writev"][1], rows["writev"][0] * header)
        self.assertLessEqual(abs(rows["sendfile"][0] - rows["writev"][0]), 2 * WORKERS)

    @in_both_modes
    def test_through_reloads(self, mode):
        """By the master's number, which new workers descend from, and by name, which they have."""
        self.start_nginx("sendfile on;")
        by_pid = Attached(self, "-p", self.master.pid, *mode)
        by_name = Attached(self, "-n", "nginx", *mode)
        # One response that an old worker still sends when there are new ones twice over.
        slow = connect(self.port, receive_buffer=65536)
        self.addCleanup(slow.close)
        slow.sendall(request_for("big"))
        response = [slow.recv(4096)]
        loads = [self.load("small", connections=8), self.load("big", connections=8)]
        for reload in (1, 2):
            self.wait_for_requests(self.logged() + 500)
            old = self.workers()
            self.master.send_signal(signal.SIGHUP)
            self.wait_until(lambda: len(self.workers() & old) == 1 and
                            len(self.seen) == (reload + 1) * WORKERS,
                            "new workers take over; of the old ones, that of the slow reader stays")
        (stayed,) = self.workers() & old
        self.wait_for_requests(self.logged() + 500)
        response += iter(lambda: slow.recv(MIB), b"")
        response = b"".join(response)
        self.assert_body("big", response.partition(b"\r\n\r\n")[2])
        self.end_load(*loads)
        self.quit_nginx()
        requests = self.requests()
        self.assertIn((stayed, len(response)), [(each.pid, each.bytes) for each in requests])
        for report in (by_pid.report(), by_name.detach()):
            ours = {process["pid"] for process in report.processes
                    if process["pid"] == self.master.pid or
                    process["parent_pid"] == self.master.pid}
            self.assertEqual(ours, {self.master.pid, *self.seen})
            self.assert_log_agrees(report, requests)
            # Workers without a request sent nothing, and nobody else sent a response.
            self.assertEqual(sum(bytes_to_sockets(report, pid) for pid in self.seen),
                             sum(request.bytes for request in requests))
            self.assertEqual(set(rows_to("socket", report, {self.master.pid})), {"sendmsg"})
