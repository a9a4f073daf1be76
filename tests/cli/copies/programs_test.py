# SPDX-License-Identifier: MIT
"""Real programs: their copies follow from how they are told to move bytes, and the bytes equal what
the other side counts."""

import contextlib
import json
import os
import socket
import sys
import threading

from harness import TestCase
from paths import PATIENCE_S, tool
from servers import Attached, accepts, free_port

BYTES = 8 << 20

# argv: file, port
PYTHON_SENDFILE = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as out, open(sys.argv[1], "rb") as file:
    out.sendfile(file)
"""

HAPROXY = """
global
    maxconn 16
    nbthread 1
    {settings}
defaults
    mode tcp
    timeout connect 60s
    timeout client 60s
    timeout server 60s
    option splice-request
    option splice-response
listen relay
    bind 127.0.0.1:{port}
    server origin 127.0.0.1:{origin}
"""


class Peer:
    """Takes connections one after the other, each in `serve(connection)`, until it is closed."""

    def __init__(self, test, serve):
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        test.addCleanup(self.close)

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(PATIENCE_S)
                    self._serve(connection)

    def close(self):
        """Wakes the thread, which no close() of the listener would."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._listener.close()


def drained(connection):
    """How many bytes came until the end."""
    count = 0
    while got := connection.recv(1 << 16):
        count += len(got)
    return count


class Programs(TestCase):
    """A file of random bytes, and rows of a report."""

    def setUp(self):
        super().setUp()
        self.content = os.urandom(BYTES)
        self.source = self.directory / "source"
        self.source.write_bytes(self.content)
        os.sync()

    @staticmethod
    def rows(report, source, sink):
        """syscall -> row"""
        return {row["syscall"]: row for row in report.totals["rows"]
                if (row["from"], row["to"]) == (source, sink) and row["bytes"]}


class Senders(Programs):
    """Into a socket, over the loopback."""

    def test_a_sendfile_of_python_passes_references(self):
        received = []
        peer = Peer(self, lambda connection: received.append(drained(connection)))
        report = self.observe(sys.executable, "-I", "-S", "-B", "-c", PYTHON_SENDFILE, self.source,
                              peer.port).report
        self.wait_until(lambda: received, "the peer has read everything")
        sent = self.rows(report, "file", "socket")["sendfile"]
        self.assertEqual((sent["bytes"], sent["cpu_copied_bytes"]), (received[0], 0))
        self.assertEqual((received[0], sent["verdict"]), (BYTES, "by_reference"))
        self.assertEqual(report.totals["zero_copy_share"], 1)

    def iperf3(self, *options):
        """The report of a client, and the bytes that it and its server counted."""
        port = free_port()
        server = self.start([tool("iperf3"), "-s", "-1", "-B", "127.0.0.1", "-p", port, "--json"],
                            stdout=-1)
        # Only a client of its own protocol may connect: it serves one.
        listening = f"0100007F:{port:04X} 00000000:0000 0A"
        self.wait_until(lambda: listening in open("/proc/net/tcp", encoding="ascii").read(),
                        "iperf3 listens")
        observed = self.observe("iperf3", "-c", "127.0.0.1", "-p", port, "-n", BYTES, "--json",
                                *options)
        counted = json.loads(observed.stdout)["end"]
        received = json.loads(server.stdout.read())["end"]["sum_received"]["bytes"]
        return observed.report, counted["sum_sent"]["bytes"], received

    def test_iperf3_copies_without_its_option_for_zero_copy(self):
        report, sent, received = self.iperf3()
        row = self.rows(report, "user", "socket")["write"]
        # The connection for control uses the same call.
        self.assertEqual(row["cpu_copied_bytes"], row["bytes"])
        self.assertTrue(received <= sent <= row["bytes"] < sent + 65536)
        self.assertEqual(report.totals["zero_copy_bytes"], 0)

    def test_iperf3_passes_references_with_its_option_for_zero_copy(self):
        report, sent, received = self.iperf3("--zerocopy")
        row = self.rows(report, "file", "socket")["sendfile"]
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (sent, 0))
        self.assertEqual((row["protocol"], row["verdict"]), ("tcp", "by_reference"))
        self.assertLessEqual(received, sent)
        self.assertEqual(report.totals["zero_copy_bytes"], sent)


class Relays(Programs):
    """HAProxy between a client and a server."""

    def relay(self, settings=""):
        """The report of HAProxy. The client gets what the server sends, and sends one byte."""
        def answer(connection):
            if connection.recv(1):
                connection.sendall(self.content)

        origin = Peer(self, answer)
        port = free_port()
        configuration = self.directory / "haproxy.cfg"
        configuration.write_text(HAPROXY.format(settings=settings, port=port, origin=origin.port))
        errors = self.directory / "haproxy.err"
        with open(errors, "wb") as stream:
            proxy = self.start([tool("haproxy"), "-db", "-f", configuration], stdout=stream,
                               stderr=stream)
        self.wait_until(lambda: proxy.poll() is not None or accepts(port), "HAProxy listens")
        self.assertIsNone(proxy.poll(), errors.read_text())
        attached = Attached(self, "-p", proxy.pid)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            client.sendall(b"x")
            self.assertEqual(drained(client), BYTES)
        report = attached.detach()
        self.assertEqual(report.totals["delivered_bytes"], BYTES + 1)
        return report

    def test_haproxy_copies_twice_without_splice(self):
        report = self.relay("nosplice")
        received = self.rows(report, "socket", "user")["recvfrom"]
        self.assertEqual((received["bytes"], received["cpu_copied_measured_bytes"]),
                         (BYTES + 1, BYTES + 1))
        self.assertEqual(report.totals["cpu_copies_per_byte"], 2)
        self.assertEqual((report.totals["zero_copy_share"], report.totals["kernel_only_share"]),
                         (0, 0))

    def test_haproxy_passes_references_with_splice(self):
        report = self.relay()
        spliced = self.rows(report, "pipe", "socket")["splice"]
        self.assertEqual((spliced["cpu_copied_bytes"], spliced["verdict"]), (0, "by_reference"))
        # It may receive the first bytes before it begins to splice.
        received = self.rows(report, "socket", "user").get("recvfrom", {"bytes": 0})
        copied = received["bytes"]
        self.assertEqual(spliced["bytes"] + copied, BYTES + 1)
        self.assertEqual(report.totals["zero_copy_bytes"], spliced["bytes"])
        self.assertEqual(report.totals["kernel_only_bytes"], spliced["bytes"])
        self.assertGreater(report.totals["zero_copy_share"], 0.9)


class Files(Programs):
    """Into files, and out of them."""

    def test_curl_to_a_file_copies_twice(self):
        header = f"HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\nConnection: close\r\n\r\n".encode()

        def answer(connection):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(4096)
            connection.sendall(header + self.content)

        peer = Peer(self, answer)
        copy = self.directory / "copy"
        report = self.observe("curl", "-sS", "--noproxy", "*", "-o", copy,
                              f"http://127.0.0.1:{peer.port}/").report
        self.assertTrue(copy.read_bytes() == self.content, "the copy differs")
        received = self.rows(report, "socket", "user")["recvfrom"]
        self.assertEqual((received["bytes"], received["cpu_copied_measured_bytes"]),
                         (len(header) + BYTES, len(header) + BYTES))
        written = self.rows(report, "user", "file")["write"]
        self.assertEqual((written["bytes"], written["cpu_copied_measured_bytes"]), (BYTES, BYTES))
        self.assertAlmostEqual(report.totals["cpu_copies_per_byte"], 2, places=1)
        self.assertEqual(report.totals["zero_copy_share"], 0)

    def fio(self, way):
        """The row of the calls that fio was told to make. fio counts their bytes."""
        call, ends = {"read": ("pread64", ("file", "user")),
                      "write": ("pwrite64", ("user", "file"))}[way]
        observed = self.observe("fio", "--name=job", f"--filename={self.source}", f"--rw={way}",
                                "--bs=64k", f"--size={BYTES}", "--direct=1", "--ioengine=psync",
                                "--thread", "--output-format=json", cwd=self.directory)
        (job,) = json.loads(observed.stdout)["jobs"]
        row = self.rows(observed.report, *ends)[call]
        self.assertEqual(job[way]["io_bytes"], BYTES)
        self.assertEqual(row["verdict"], "direct")
        # The loader's calls have the same name, and are not direct.
        self.assertEqual(row["bytes"] - row["cpu_copied_bytes"], BYTES)
        self.assertLess(row["cpu_copied_bytes"], 65536)
        return row

    def test_fio_reads_directly(self):
        self.assertGreaterEqual(self.fio("read")["disk_read_bytes"], BYTES)

    def test_fio_writes_directly(self):
        self.assertGreaterEqual(self.fio("write")["dirtied_bytes"], BYTES)
