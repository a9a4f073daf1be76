# SPDX-License-Identifier: MIT
"""`zctrace compare --to tcp:HOST:PORT`, into `zctrace drain` or another reader."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

from comparing import Comparing
from networks import LOSSY_RELAY, NETWORKS
from paths import PATIENCE_S, ZCTRACE, tool

SENDFILE = """
import socket, sys
connection = socket.create_connection(sys.argv[2:4])
with open(sys.argv[1], "rb") as file:
    connection.sendfile(file)
"""


class Remote(Comparing):
    def drain(self, *options, address="127.0.0.1", inside=()):
        """Starts a drain, whose messages are in self.said, and returns it with its port."""
        said = self.directory / f"drain-{len(list(self.directory.iterdir()))}"
        with said.open("wb") as file:
            process = self.start([*inside, ZCTRACE, "drain", "--listen", f"{address}:0", *options],
                                 stdout=subprocess.DEVNULL, stderr=file)
        listening = re.compile(r"^zctrace: draining at .*:(\d+)$", re.M)
        self.wait_until(lambda: listening.search(said.read_text()), "the drain listens")
        self.said = said
        return process, int(listening.search(said.read_text()).group(1))

    def lines(self):
        return self.said.read_text().splitlines()[1:]

    def python(self, text):
        path = self.directory / f"script-{len(list(self.directory.iterdir()))}.py"
        path.write_text(text)
        return f"{sys.executable} {path}"


class Loopback(Remote):
    def test_the_drain_compares_checksums(self):
        process, port = self.drain()
        rows, report = self.compare(
            "--size", "1M", "--runs", "2", "--to", f"tcp:127.0.0.1:{port}", "--methods",
            "read_write/64K,sendfile/whole,splice/64K,mmap_send/64K,tee/64K,msg_zerocopy/64K",
            "--program", f"py={self.python(SENDFILE)} {{source}} {{host}} {{port}}",
            "--program", "idle=true {sink}")
        self.assertRegex(rows.pop("tee/64K")["error"], "^EOPNOTSUPP: two sinks at once")
        self.assertEqual(rows.pop("idle")["error"], "delivered 0 of 1048576 bytes")
        for row in rows.values():
            self.assertIsNone(row["error"], row)
            self.assertIs(row["verified"], True)
            self.assertEqual(row["bytes"], 1 << 20)
            self.assertIsNotNone(row["copies"], row)
        self.assertEqual(rows["read_write/64K"]["copies"]["user"], 2)
        self.assertEqual(rows["msg_zerocopy/64K"]["copies"]["evidence"], "notifications")
        self.assertEqual(report["sink"], {"kind": f"tcp:127.0.0.1:{port}", "reader": True})
        self.assertIn("compares checksums", report["drain"])
        self.wait_until(lambda: len(self.lines()) == 4 * len(rows), "a line for each transfer")
        for line in self.lines():
            self.assertRegex(line, r"^zctrace: 127\.0\.0\.1:\d+: 1\.00? MiB in .*, CRC-32 [0-9a-f]{8}$")
        self.assertEqual(len({line.split()[-1] for line in self.lines()}), 1)
        # It keeps nothing: there is no file that it could write to.
        opened = [os.readlink(f"/proc/{process.pid}/fd/{fd}")
                  for fd in os.listdir(f"/proc/{process.pid}/fd")]
        self.assertEqual([path for path in opened if path.startswith("/") and
                          path not in ("/dev/null", str(self.said))
                          and not path.startswith(str(self.directory))], [])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE_S), 0)

    def test_a_byte_that_changes_on_the_way_is_found(self):
        _, port = self.drain()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def relay():
            while True:
                try:
                    sender, _ = listener.accept()
                except OSError:
                    return
                with sender, socket.create_connection(("127.0.0.1", port)) as drain:
                    changed = False
                    while part := sender.recv(1 << 16):
                        drain.sendall(part if changed else bytes([part[0] ^ 1]) + part[1:])
                        changed = True
                    drain.shutdown(socket.SHUT_WR)
                    try:
                        while part := drain.recv(1 << 16):
                            sender.sendall(part)
                    except OSError:
                        pass  # the sender needs no answer

        threading.Thread(target=relay, daemon=True).start()
        rows, report = self.compare("--size", "256K", "--runs", "1", "--to",
                                    f"tcp:127.0.0.1:{listener.getsockname()[1]}", "--methods",
                                    "sendfile/whole", "--program",
                                    f"py={self.python(SENDFILE)} {{source}} {{host}} {{port}}")
        self.assertIs(rows["sendfile/whole"]["verified"], False)
        self.assertIn("sendfile/whole: the bytes that arrived differ from the source.",
                      report["warnings"])
        self.assertEqual(rows["py"]["error"], "the bytes that arrived differ from the source")

    def test_another_reader_is_not_verified_and_that_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.start([tool("socat"), "-u", f"TCP-LISTEN:{port},fork,reuseaddr,bind=127.0.0.1",
                    "OPEN:/dev/null"], stderr=subprocess.DEVNULL)
        rows, report = self.compare("--size", "256K", "--runs", "1", "--to", f"tcp:127.0.0.1:{port}",
                                    "--methods", "read_write/64K,sendfile/whole", "--program",
                                    f"py={self.python(SENDFILE)} {{source}} {{host}} {{port}}")
        for row in rows.values():
            self.assertIsNone(row["error"], row)
            self.assertIsNone(row["verified"])
            self.assertEqual(row["bytes"], 256 << 10)
        self.assertIn("not verified", report["drain"])

    def test_no_reader_is_one_clear_line(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        for to, text in ((f"tcp:127.0.0.1:{port}", f"connect to 127.0.0.1:{port}: Connection refused; "
                          "start a reader there"), ("tcp:no.such.host.invalid:7", "cannot find "
                                                    "no.such.host.invalid:7: ")):
            done = self.zctrace("compare", "--size", "1M", "--to", to)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn(text, done.stderr)

    def test_a_drain_bounds_size_and_time(self):
        _, port = self.drain("--max-size", "1M", "--timeout", "1s")
        rows, _ = self.compare("--size", "8M", "--runs", "1", "--methods", "sendfile/whole", "--to",
                               f"tcp:127.0.0.1:{port}", expect=1)
        self.assertRegex(rows["sendfile/whole"]["error"], "^(ECONNRESET|EPIPE|EIO): ")
        self.assertRegex(self.lines()[-1], r"then cut off: it is too large \(--max-size\)$")
        with socket.create_connection(("127.0.0.1", port)) as slow:
            with self.assertRaises(OSError):
                while True:
                    slow.sendall(b"x")
                    time.sleep(0.01)
        self.wait_until(lambda: "it took too long (--timeout)" in self.lines()[-1], "the time is up")
        content = os.urandom(100_000)
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(content)
            sender.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: sender.recv(100), b""))
        self.assertRegex(answer, rb"^zctrace-drain/1 transfers=\d+ bytes=100000 crc32=%08x ns=\d+\n$"
                         % zlib.crc32(content))

    def test_a_drain_serves_one_at_a_time_and_ends_by_a_signal(self):
        process, port = self.drain()
        with socket.create_connection(("127.0.0.1", port)) as first, \
                socket.create_connection(("127.0.0.1", port)) as second:
            second.sendall(b"second")
            second.shutdown(socket.SHUT_WR)
            first.sendall(b"first one")
            first.shutdown(socket.SHUT_WR)
            self.assertIn(b"transfers=1 bytes=9 ", first.recv(200))
            self.assertIn(b"transfers=2 bytes=6 ", second.recv(200))
        with socket.create_connection(("127.0.0.1", port)) as third:
            third.sendall(b"x")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=PATIENCE_S), 0)

    def test_a_connection_that_is_reset_is_survived(self):
        _, port = self.drain()
        for _ in range(3):
            broken = socket.create_connection(("127.0.0.1", port))
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broken.close()
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(b"abc")
            sender.shutdown(socket.SHUT_WR)
            self.assertIn(b" bytes=3 ", sender.recv(200))

    def test_usage_errors(self):
        for options, text in ((["compare", "--to", "tcp:host"], "--to: invalid sink 'tcp:host'"),
                              (["compare", "--to", "tcp::7"], "--to: invalid sink"),
                              (["compare", "--to", "tcp:h:0"], "--to: invalid sink"),
                              (["compare", "--to", "tcp:h:70000"], "--to: invalid sink"),
                              (["compare", "--to", "tcp:h:7", "--drain", "splice"], "--drain: "),
                              (["compare", "--to", "tcp:h:7", "--drain-read", "4K"], "--drain-read: "),
                              (["drain"], "ADDRESS:PORT"), (["drain", "--listen", "here"], "--listen: "),
                              (["drain", "--listen", "127.0.0.1:0", "--max-size", "x"], "--max-size")):
            with self.subTest(options=options):
                done = self.zctrace(*options)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr.splitlines()[0])


class Networks(Remote):
    """Two network namespaces with a pair of devices between them, or a relay that loses frames."""

    def setUp(self):
        super().setUp()
        tool("ip")
        if subprocess.run(["unshare", "-n", "true"], check=False, timeout=PATIENCE_S).returncode:
            self.skipTest("may not make network namespaces")

    def network(self):
        holder = self.start(["unshare", "-n", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        self.wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != own, "a network")
        return holder.pid

    @staticmethod
    def inside(pid):
        return ["nsenter", "-n", "-t", str(pid)]

    def connect(self, one, other, names, addresses):
        subprocess.run([*self.inside(one), "ip", "link", "add", names[0], "type", "veth", "peer",
                        "name", names[1], "netns", str(other)], check=True)
        for pid, name, address in zip((one, other), names, addresses):
            if address:
                subprocess.run([*self.inside(pid), "ip", "addr", "add", address, "dev", name],
                               check=True)
            subprocess.run([*self.inside(pid), "ip", "link", "set", name, "up"], check=True)

    def set_gather(self, pid, device, on):
        program = NETWORKS + f"set_scatter_gather({device.encode()!r}, {on})"
        subprocess.run([*self.inside(pid), sys.executable, "-c", program], check=True)

    def compare_between(self, left, right, *options):
        """From one network to a drain in the other."""
        _, port = self.drain(address="10.9.9.2", inside=self.inside(right))
        done = subprocess.run([*self.inside(left), ZCTRACE, "compare", "--json", "-", "-q", "--to",
                               f"tcp:10.9.9.2:{port}", *options], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.rows_of(json.loads(done.stdout))

    def test_without_scatter_gather_the_kernel_copies(self):
        left, right = self.network(), self.network()
        self.connect(left, right, ("left", "right"), ("10.9.9.1/24", "10.9.9.2/24"))
        for gathers in (1, 0):
            self.set_gather(left, "left", gathers)
            with self.subTest(gathers=gathers):
                rows = self.compare_between(left, right, "--size", "1M", "--runs", "1", "--methods",
                                            "read_write/64K,sendfile/whole,splice/64K")
                for row in rows.values():
                    self.assertIs(row["verified"], True)
                self.assertEqual(rows["read_write/64K"]["copies"]["user"], 2)
                for label in ("sendfile/whole", "splice/64K"):
                    self.assertEqual(rows[label]["copies"]["user"], 0)
                    self.assertEqual(rows[label]["copies"]["kernel"], 0 if gathers else 1)

    def test_delay_and_loss_change_no_byte(self):
        left, right = self.network(), self.network()
        options = ("--size", "1M", "--runs", "2", "--methods", "read_write/64K,sendfile/whole",
                   "--program", f"py={self.python(SENDFILE)} {{source}} {{host}} {{port}}")
        self.connect(left, right, ("left", "right"), ("10.9.9.1/24", "10.9.9.2/24"))
        netem = subprocess.run([*self.inside(left), "tc", "qdisc", "add", "dev", "left", "root", "netem",
                                "delay", "5ms", "loss", "2%"], check=False, capture_output=True)
        if netem.returncode:  # a kernel without netem: frames pass through a relay instead
            subprocess.run([*self.inside(left), "ip", "link", "del", "left"], check=True)
            middle = self.network()
            self.connect(left, middle, ("left", "first"), ("10.9.9.1/24", None))
            self.connect(middle, right, ("second", "right"), (None, "10.9.9.2/24"))
            said = self.directory / "relay"
            with said.open("wb") as file:
                self.start([*self.inside(middle), sys.executable, "-c", NETWORKS + LOSSY_RELAY,
                            "first", "second"], stdout=file)
            for pid, name in ((left, "left"), (right, "right")):
                subprocess.run([*self.inside(pid), sys.executable, "-c", NETWORKS +
                                f"send_whole_frames({name.encode()!r})"], check=True)
            self.wait_until(lambda: said.read_text(), "the relay is ready")
        rows = self.compare_between(left, right, *options)
        for row in rows.values():
            self.assertIsNone(row["error"], row)
            self.assertIs(row["verified"], True)
            self.assertEqual(row["bytes"], 1 << 20)
