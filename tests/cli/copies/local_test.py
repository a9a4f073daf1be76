# SPDX-License-Identifier: MIT
"""How often a CPU copies each byte, between files, pipes and sockets of one machine."""

import json
import os
import pathlib
import re
import socket
import sys
import tempfile

from harness import TestCase, doctor, in_both_modes
from paths import tool

BYTES = 8 << 20
PYTHON = [sys.executable, "-I", "-S", "-B", "-c"]
DIRECT = 16384 if os.uname().machine == "x86_64" else 65536

STREAM = """
import os, socket, sys, threading
def drain(sock):
    while sock.recv(1 << 16): pass
def pair(family):
    if family == "unix": return socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]
source = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(source).st_size
out, peer = pair(sys.argv[2])
if not os.fork():
    out.close(); drain(peer); os._exit(0)
peer.close()
"""
SENDFILE = STREAM + """
while size: size -= os.sendfile(out.fileno(), source, None, size)
out.close(); os.wait()
"""
MMAP_WRITE = STREAM + """
import mmap
left = memoryview(mmap.mmap(source, size, prot=mmap.PROT_READ))
while left: left = left[os.write(out.fileno(), left):]
out.close(); os.wait()
"""
SPLICE = STREAM + """
taker, giver = os.pipe()
while size:
    n = os.splice(source, giver, 65536)
    size -= n
    while n: n -= os.splice(taker, out.fileno(), n)
out.close(); os.wait()
"""
# argv: source, sink, call
INTO_A_FILE = """
import os, sys
source, sink = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
size = os.fstat(source).st_size
taker, giver = os.pipe()
while size:
    if sys.argv[3] == "sendfile":
        size -= os.sendfile(sink, source, None, size)
        continue
    n = os.splice(source, giver, 65536)
    size -= n
    while n: n -= os.splice(taker, sink, n)
"""
RECEIVE = """
import os, socket, sys
left, right = socket.socketpair()
size = int(sys.argv[2])
if not os.fork():
    left.close(); right.sendall(b"x" * size); os._exit(0)
right.close()
sink = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
while size:
    got = left.recv(1 << 16)
    os.write(sink, got)
    size -= len(got)
os.wait()
"""


# Lends memory into which nothing was copied, which zctrace cannot know: python has read files.
LEND = """
import mmap, os, sys
sink = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
os.write(sink, mmap.mmap(-1, 1 << 17))
"""


def rows(report, syscall, source, sink):
    return [row for row in report.totals["rows"]
            if (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]


class Copies(TestCase):
    """Each byte counts as often as it is copied, whatever the call's name promises."""

    def setUp(self):
        super().setUp()
        self.source = self.directory / "source"
        self.source.write_bytes(os.urandom(BYTES))
        self.sink = self.directory / "sink"

    def only_row(self, report, syscall, source, sink):
        (row,) = rows(report, syscall, source, sink)
        return row

    def assert_shares(self, totals, kernel_only, zero_copy):
        self.assertEqual((totals["kernel_only_share"], totals["zero_copy_share"]),
                         (kernel_only, zero_copy))

    @in_both_modes
    def test_sendfile_into_a_socket_of_messages_copies(self, mode):
        script = ("import os, socket, sys\n"
                  "out, peer = socket.socketpair(socket.AF_UNIX, getattr(socket, sys.argv[2]))\n"
                  "os.sendfile(out.fileno(), os.open(sys.argv[1], os.O_RDONLY), 0, 1000)\n")
        for kind, verdict, copied in (("SOCK_STREAM", "by_reference", 0),
                                      ("SOCK_SEQPACKET", "copied", 1000),
                                      ("SOCK_DGRAM", "copied", 1000)):
            with self.subTest(kind):
                report = self.observe(*PYTHON, script, self.source, kind, mode=mode).report
                row = self.only_row(report, "sendfile", "file", "socket")
                self.assertEqual((row["protocol"], row["verdict"], row["cpu_copied_bytes"]),
                                 ("unix", verdict, copied))

    def test_sendfile_of_what_is_made_up_as_it_is_read_copies(self):
        script = ("import os, socket, sys\n"
                  "out, peer = socket.socketpair()\n"
                  "source = os.open(sys.argv[1], os.O_RDONLY)\n"
                  "os.sendfile(out.fileno(), source, 0, 1000)\n"
                  "os.splice(source, os.pipe()[1], 500)\n")
        for path in ("/proc/cpuinfo", "/sys/kernel/notes"):
            with self.subTest(path):
                report = self.observe(*PYTHON, script, path).report
                for syscall, sink in (("sendfile", "socket"), ("splice", "pipe")):
                    row = self.only_row(report, syscall, "file", sink)
                    self.assertGreater(row["bytes"], 0)
                    self.assertEqual((row["verdict"], row["cpu_copied_bytes"]),
                                     ("copied", row["bytes"]))

    def test_only_what_a_call_made_dirty_is_measured_of_it(self):
        """A small write that makes a page dirty vouches for no other write to that page."""
        script = ("import os, sys\n"
                  "sink = os.open(sys.argv[1], os.O_RDWR)\n"
                  "for at in range(100): os.pwrite(sink, b'x', at * 4096)\n"
                  "for at in range(100): os.pwrite(sink, b'x' * 4096, 0)\n")
        os.sync()
        report = self.observe(*PYTHON, script, self.source).report
        row = self.only_row(report, "pwrite64", "user", "file")
        self.assertEqual(row["cpu_copied_bytes"], 100 + 100 * 4096)
        if row["dirtied_bytes"] is not None and row["dirtied_bytes"] != 0:
            self.assertLess(row["cpu_copied_measured_bytes"], 100 + 2 * 4096)

    @in_both_modes
    def test_cat_into_a_pipe_copies_twice(self, mode):
        with open(os.devnull, "w", encoding="utf-8") as null:
            reader = self.start(["cat"], stdin=-1, stdout=null)
            report = self.observe("cat", self.source, mode=mode, stdout=reader.stdin).report
        copied = self.only_row(report, "write", "user", "pipe")
        self.assertEqual(copied["cpu_copied_bytes"], BYTES)
        self.assertAlmostEqual(report.totals["cpu_copies_per_byte"], 2, places=2)
        self.assert_shares(report.totals, 0, 0)

    @in_both_modes
    def test_cat_into_a_socket_copies_twice(self, mode):
        out, peer = socket.socketpair()
        with peer, open(os.devnull, "w", encoding="utf-8") as null:
            self.start(["cat"], stdin=peer, stdout=null)
            with out:
                report = self.observe("cat", self.source, mode=mode, stdout=out).report
        copied = self.only_row(report, "write", "user", "socket")
        self.assertEqual((copied["bytes"], copied["cpu_copied_bytes"]), (BYTES, BYTES))
        self.assertAlmostEqual(report.totals["cpu_copies_per_byte"], 2, places=2)
        self.assert_shares(report.totals, 0, 0)

    @in_both_modes
    def test_a_write_of_mapped_memory_copies_once(self, mode):
        for protocol in ("unix", "tcp"):
            with self.subTest(protocol):
                report = self.observe(*PYTHON, MMAP_WRITE, self.source, protocol,
                                      mode=mode).report
                row = self.only_row(report, "write", "user", "socket")
                self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (BYTES, BYTES))
                # The receiver copies each byte, too, and what the interpreter reads is far less.
                (sender,) = [one for one in report.processes if one["delivered_bytes"] == BYTES]
                self.assertAlmostEqual(sender["cpu_copies_per_byte"], 1, delta=0.2)
                self.assert_shares(report.totals, 0, 0)

    @in_both_modes
    def test_a_splice_through_a_pipe_to_a_socket_copies_nothing(self, mode):
        for protocol in ("unix", "tcp"):
            with self.subTest(protocol):
                report = self.observe(*PYTHON, SPLICE, self.source, protocol, mode=mode).report
                for source, sink in (("file", "pipe"), ("pipe", "socket")):
                    row = self.only_row(report, "splice", source, sink)
                    self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (BYTES, 0))
                self.assertEqual(row["verdict"], "by_reference")
                self.assert_shares(report.totals, 1, 1)

    @in_both_modes
    def test_sendfile_and_splice_into_a_file_copy_once(self, mode):
        for call, source in (("sendfile", "file"), ("splice", "pipe")):
            with self.subTest(call):
                sink = self.directory / call
                report = self.observe(*PYTHON, INTO_A_FILE, self.source, sink, call,
                                      mode=mode).report
                self.assertTrue(sink.read_bytes() == self.source.read_bytes(), "the copy differs")
                row = self.only_row(report, call, source, "file")
                self.assertEqual((row["bytes"], row["cpu_copied_bytes"], row["verdict"]),
                                 (BYTES, BYTES, "copied"))
                self.assert_shares(report.totals, 1, 0)

    def test_copy_file_range_on_a_disk_is_a_copy(self):
        report = self.observe("cp", self.source, self.sink).report
        row = self.only_row(report, "copy_file_range", "file", "file")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (BYTES, BYTES))
        self.assertEqual(row["verdict"], "copied")
        # The file system's own blocks may become dirty as well.
        self.assertTrue(BYTES <= row["dirtied_bytes"] < BYTES + 65536, row["dirtied_bytes"])
        self.assertEqual(row["cpu_copied_measured_bytes"], BYTES)
        self.assert_shares(report.totals, 1, 0)

    @in_both_modes
    def test_copy_file_range_in_memory_is_a_copy_by_rule(self, mode):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            source = pathlib.Path(memory) / "source"
            source.write_bytes(bytes(BYTES))
            report = self.observe("cp", source, source.with_name("sink"),
                                  mode=mode).report
        row = self.only_row(report, "copy_file_range", "file", "file")
        self.assertEqual((row["cpu_copied_bytes"], row["cpu_copied_measured_bytes"]), (BYTES, 0))
        self.assertEqual((row["verdict"], row["copies_evidence"]), ("copied", "rule"))
        self.assert_shares(report.totals, 1, 0)
        self.assertIsNone(row["dirtied_bytes"])
        self.assertIsNone(report.totals["dirtied_bytes"])

    def test_what_becomes_dirty_in_memory_is_not_known_but_on_a_disk_it_is(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            source = pathlib.Path(memory) / "source"
            source.write_bytes(os.urandom(BYTES))
            out = self.observe("dd", f"if={source}", f"of={self.sink}", "bs=1M").report
            back = self.observe("dd", f"if={self.sink}", f"of={source}", "bs=1M").report
        written = self.only_row(out, "write", "user", "file")
        self.assertGreaterEqual(written["dirtied_bytes"], BYTES)
        self.assertEqual(out["unknown"], {})
        written = self.only_row(back, "write", "user", "file")
        self.assertIsNone(written["dirtied_bytes"])
        self.assertEqual(list(written["unknown"]), ["dirtied_bytes"])
        self.assertIn("memory", back["unknown"]["dirtied_bytes"])
        self.assertIsNotNone(back.totals["disk_read_bytes"])

    @in_both_modes
    def test_sendfile_to_a_socket_copies_nothing(self, mode):
        for protocol in ("unix", "tcp"):
            with self.subTest(protocol):
                report = self.observe(*PYTHON, SENDFILE, self.source, protocol, mode=mode).report
                row = self.only_row(report, "sendfile", "file", "socket")
                self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (BYTES, 0))
                self.assertEqual((row["protocol"], row["verdict"]), (protocol, "by_reference"))
                self.assertEqual(row["uncopied_bytes"], BYTES)
                self.assert_shares(report.totals, 1, 1)

    @in_both_modes
    def test_what_tcp_takes_is_measured_where_the_kernel_tells(self, mode):
        tells = re.search(r"(?m)^ok +tracepoint tcp_sendmsg_locked ", doctor().stdout)
        evidence = "measured" if tells else "rule"
        report = self.observe(*PYTHON, SENDFILE, self.source, "tcp", mode=mode).report
        sent = self.only_row(report, "sendfile", "file", "socket")
        self.assertEqual(sent["copies_evidence"], evidence)
        self.assertEqual(sent["uncopied_measured_bytes"], BYTES if tells else 0)
        report = self.observe(*PYTHON, STREAM + "out.sendall(bytes(size)); out.close(); os.wait()",
                              self.source, "tcp", mode=mode).report
        sent = self.only_row(report, "sendto", "user", "socket")
        self.assertEqual((sent["bytes"], sent["cpu_copied_bytes"]), (BYTES, BYTES))
        self.assertEqual(sent["copies_evidence"], evidence)

    def test_a_rule_is_not_called_a_measurement(self):
        done = self.zctrace("run", "--json", self.directory / "report", "--", *PYTHON, SENDFILE,
                            self.source, "unix")
        (row,) = [row for row in json.loads((self.directory / "report").read_text())
                  ["processes"][0]["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual((row["copies_evidence"], row["uncopied_measured_bytes"]), ("rule", 0))
        self.assertNotIn("100.0% measured", done.stderr)

    def test_what_is_received_and_written_is_copied_twice_and_measured(self):
        report = self.observe(*PYTHON, RECEIVE, self.sink, BYTES).report
        received = self.only_row(report, "recvfrom", "socket", "user")
        self.assertEqual(received["cpu_copied_measured_bytes"], BYTES)
        written = self.only_row(report, "write", "user", "file")
        # Without the pages that two writes share.
        self.assertGreater(written["cpu_copied_measured_bytes"], BYTES * 0.99)
        self.assertEqual(received["cpu_copied_bytes"] + written["cpu_copied_bytes"], 2 * BYTES)

    def test_direct_on_a_disk_copies_nothing(self):
        os.sync()
        report = self.observe("dd", f"if={self.source}", f"of={self.sink}", "bs=1M",
                              "iflag=direct", "oflag=direct").report
        written = self.only_row(report, "write", "user", "file")
        self.assertEqual((written["verdict"], written["cpu_copied_bytes"]), ("direct", 0))
        (read,) = [row for row in rows(report, "read", "file", "user")]
        self.assertGreaterEqual(read["disk_read_bytes"], BYTES)
        self.assertLess(read["cpu_copied_bytes"], 1 << 20)
        self.assertGreater(report.totals["zero_copy_share"], 0.99)
        self.assertEqual(report.totals["kernel_only_share"], 0)

    def test_the_zero_copy_share_of_lent_memory_is_at_least_what_is_said(self):
        observed = self.observe(*PYTHON, LEND, self.sink)
        written = self.only_row(observed.report, "write", "user", "file")
        if written["verdict"] != "direct":
            self.skipTest("the file system does not write directly")
        totals = observed.report.totals
        self.assertEqual((written["cpu_copied_bytes"], totals["zero_copy_at_most_bytes"]),
                         (0, 1 << 17))
        self.assertLess(totals["zero_copy_bytes"], totals["zero_copy_at_most_bytes"])
        done = self.zctrace("run", "--", *PYTHON, LEND, self.sink)
        self.assertRegex(done.stderr, r"zero-copy share +at least [\d.]+% [^%]*at most 100\.0%")

    def test_copies_for_each_delivered_byte_are_shown_of_a_pipeline_and_not_of_a_count(self):
        script = f"cat {self.source} | wc -c"
        done = self.zctrace("run", "--", "sh", "-c", script)
        self.assertRegex(done.stderr, r"cpu copies +(2\.9\d|3\.\d\d) per delivered byte, ")
        observed = self.observe("wc", "-l", self.source)
        self.assertIsNone(observed.report.totals["cpu_copies_per_byte"])
        self.assertIn("hardly any", observed.report["unknown"]["cpu_copies_per_byte"])
        done = self.zctrace("run", "--", "wc", "-l", self.source)
        self.assertRegex(done.stderr, r"cpu copies +8\.\d MiB, of 8\.\d MiB received, only \d+ B "
                                      "passed on")

    def test_direct_on_a_file_in_memory_is_buffered(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            path = pathlib.Path(memory) / "file"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | DIRECT))
            except OSError as error:
                self.skipTest(f"this kernel has no O_DIRECT on tmpfs: {error}")
            report = self.observe("dd", f"if={self.source}", f"of={path}", "bs=1M",
                                  "oflag=direct").report
        written = self.only_row(report, "write", "user", "file")
        self.assertEqual(written["verdict"], "buffered")
        self.assertEqual(written["cpu_copied_bytes"], BYTES)
        self.assertAlmostEqual(report.totals["cpu_copies_per_byte"], 2, places=1)
        self.assert_shares(report.totals, 0, 0)

    @in_both_modes
    def test_nothing_is_copied_from_zero_to_null(self, mode):
        report = self.observe("dd", "if=/dev/zero", "of=/dev/null", "bs=64K", "count=10",
                              mode=mode).report
        for row in rows(report, "read", "device", "user") + rows(report, "write", "user", "device"):
            self.assertEqual(row["cpu_copied_bytes"], 0)

    @in_both_modes
    def test_errors_are_apart_by_number(self, mode):
        report = self.observe(*PYTHON, """
import os
read, write = os.pipe()
os.set_blocking(read, False)
for _ in range(5):
    try: os.read(read, 1)
    except BlockingIOError: pass
for _ in range(3):
    try: os.read(write, 1)
    except OSError: pass
""", mode=mode).report
        (row,) = rows(report, "read", "pipe", "user")
        self.assertEqual(row["errors_by"], {"EAGAIN": 5, "EBADF": 3})
        for row in report.totals["rows"]:
            self.assertEqual(sum(row["errors_by"].values()), row["errors"])

    def test_what_was_not_measured_is_null_with_its_reason(self):
        report = self.observe(tool("cat"), self.source, mode=["--no-latency"]).report
        self.assertIsNone(report.totals["disk_read_bytes"])
        self.assertIsNone(report.totals["rows"][0]["dirtied_bytes"])
        self.assertEqual(set(report["unknown"]), {"disk_read_bytes", "dirtied_bytes", "wall_ns",
                                                 "off_cpu_ns", "latency_ns"})
        self.assertEqual(self.observe("true").report["unknown"], {})

    def test_operations_of_io_uring_and_aio_have_no_charges(self):
        for fixture, *words in (("uring", "read_write"), ("aio",)):
            with self.subTest(fixture):
                report = self.observe_fixture(fixture, *words, self.directory / "file").report
                operations = [row for row in report.totals["rows"]
                              if row["asynchronous"] and row["bytes"]]
                self.assertTrue(operations)
                for row in operations:
                    self.assertIsNone(row["disk_read_bytes"])
                    self.assertIn("io_uring", row["unknown"]["dirtied_bytes"])
                self.assertIsNone(report.totals["dirtied_bytes"])
                self.assertIn("io_uring", report["unknown"]["dirtied_bytes"])

    def test_least_and_mean_latency_lie_between_zero_and_the_most(self):
        for row in self.observe("cat", self.source).report.totals["rows"]:
            if latency := row["latency_ns"]:
                self.assertLessEqual(latency["min"], latency["mean"])
                self.assertLessEqual(latency["mean"], latency["max"])
                self.assertLessEqual(latency["timed_calls"], row["calls"])

    def test_the_table_says_what_became_of_the_bytes(self):
        done = self.zctrace("run", "--", "cp", self.source, self.sink,
                            env=os.environ | {"COLUMNS": "250"})
        self.assertEqual(done.returncode, 0, done.stderr)
        for wanted in ("COPIES", "cpu copies", "1.00 per delivered byte", "kernel-only",
                       "copied by the kernel"):
            self.assertIn(wanted, done.stderr)
