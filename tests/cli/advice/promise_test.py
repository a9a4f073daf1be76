# SPDX-License-Identifier: MIT
"""What advice promises is what following it saves: each is followed, and counted again.

With calls of the same size as before, as many syscalls and copies are saved as promised, exactly.
With larger ones, the syscalls lie between what is promised and the most that is promised. CPU time
is not asserted: docs/advice.md has measurements.
"""

import fcntl
import os
import socket
import threading

from advice.advice_case import MIB, PYTHON, AdviceCase
from servers import BIG, Attached, NginxTest, fetch, rows_to

CHUNK = 16 << 10

COPY_IN_PYTHON = """
import os, sys
source, sink = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
if sys.argv[3] == "loop":
    while block := os.read(source, 1 << 14): os.write(sink, block)
else:
    while os.sendfile(sink, source, None, 1 << 14): pass
"""


class CRelay(AdviceCase):
    """A program that makes the same calls but for those that pass the bytes on."""

    def relayed(self, way, stdin, stdout):
        return self.advised(self.program("relay"), way, CHUNK, options=("--advise", "-e", "%all"),
                            stdin=stdin, stdout=stdout)

    def assert_kept(self, before, after):
        promised = self.only_advice(before, "relay")["saves"]
        saved = {figure: before.totals[figure] - after.totals[figure]
                 for figure in ("syscalls", "cpu_copied_bytes")}
        self.assertEqual(saved, {figure: promised[figure] for figure in saved})
        self.assert_none(after, "relay")

    def file_to_file(self, way, sink):
        with open(self.directory / "source", "rb") as stdin, open(sink, "wb") as stdout:
            return self.relayed(way, stdin, stdout)

    def test_copy_file_range(self):
        self.source()
        before = self.file_to_file("loop", self.directory / "one")
        self.assertEqual(self.only_advice(before, "relay")["instead"], "copy_file_range")
        self.assert_kept(before, self.file_to_file("copy", self.directory / "other"))

    def test_with_stacks_the_advice_names_the_functions_that_make_the_calls(self):
        self.source()
        options = ("--advise", "--stacks", self.directory / "stacks.json", "--stacks-every", "64K")
        with open(self.directory / "source", "rb") as stdin, \
                open(self.directory / "sink", "wb") as stdout:
            report = self.advised(self.program("relay"), "loop", CHUNK, options=options,
                                  stdin=stdin, stdout=stdout)
        self.assertEqual(self.only_advice(report, "relay")["stack"][:2], ["loop", "main"])
        self.assertIn("called from loop < main", " ".join(report.table.split()))

    def test_sendfile_to_a_file_of_another_file_system(self):
        self.source()
        memory = self.memory()
        before = self.file_to_file("loop", memory / "one")
        self.assertEqual(self.only_advice(before, "relay")["instead"], "sendfile")
        self.assert_kept(before, self.file_to_file("sendfile", memory / "other"))

    def drained(self, way, stdin, stdout, end):
        """Runs it while a thread reads the other end of its standard output."""
        def drain():
            while os.read(end, MIB):
                pass
            os.close(end)

        draining = threading.Thread(target=drain)
        draining.start()
        try:
            return self.relayed(way, stdin, stdout)
        finally:
            os.close(stdout)
            draining.join()

    def file_to_socket(self, way):
        out, peer = socket.socketpair(socket.AF_UNIX)
        with open(self.directory / "source", "rb") as stdin:
            return self.drained(way, stdin, out.detach(), peer.detach())

    def test_sendfile_to_a_socket(self):
        self.source()
        before = self.file_to_socket("loop")
        self.assertEqual(self.only_advice(before, "relay")["instead"], "sendfile")
        self.assert_kept(before, self.file_to_socket("sendfile"))

    def file_to_pipe(self, way):
        # It takes all: a splice moves only what there is room for, a write waits for more.
        end, out = os.pipe()
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, MIB)
        with open(self.directory / "source", "rb") as stdin:
            return self.drained(way, stdin, out, end)

    def test_splice_to_a_pipe(self):
        self.source(MIB)
        before = self.file_to_pipe("loop")
        self.assertEqual(self.only_advice(before, "relay")["instead"], "splice")
        self.assert_kept(before, self.file_to_pipe("splice"))

    def socket_to_socket(self, way):
        # All is there before it begins, so that each call finds a whole chunk.
        source, feeder = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        feeder.setsockopt(socket.SOL_SOCKET, 32, 16 * MIB)  # SO_SNDBUFFORCE
        block = os.urandom(CHUNK)
        for _ in range(128):
            feeder.sendall(block)
        feeder.close()
        out, peer = socket.socketpair(socket.AF_UNIX)
        with source:
            return self.drained(way, source, out.detach(), peer.detach())

    def test_splice_between_sockets(self):
        before = self.socket_to_socket("loop")
        promised = self.only_advice(before, "relay")
        self.assertEqual((promised["instead"], promised["saves"]["syscalls"]), ("splice", 0))
        after = self.socket_to_socket("through")
        self.assertEqual(before.totals["cpu_copied_bytes"] - after.totals["cpu_copied_bytes"],
                         promised["saves"]["cpu_copied_bytes"])
        # A splice takes no more than one buffer of the socket, where a read takes several.
        self.assert_none(after, "relay")


class APythonCopy(AdviceCase):
    def test_with_sendfile(self):
        source, memory = self.source(), self.memory()
        before, after = (self.advised(*PYTHON, COPY_IN_PYTHON, source, memory / way, way)
                         for way in ("loop", "sendfile"))
        promised = self.only_advice(before, "relay")["saves"]
        for figure in ("syscalls", "cpu_copied_bytes"):
            self.assertEqual(before.totals[figure] - after.totals[figure], promised[figure], figure)


class DdAndCp(AdviceCase):
    def test_cp_saves_as_much_as_larger_calls_can(self):
        source = self.source()
        options = ("--advise", "--by", "file")
        dd = self.advised("dd", f"if={source}", f"of={self.directory / 'one'}", "bs=64K",
                          options=options)
        cp = self.advised("cp", source, self.directory / "other", options=options)
        promised = self.only_advice(dd, "relay", "dd")["saves"]
        calls_before, copied_before = self.data_calls(dd, source, self.directory / "one")
        calls_after, copied_after = self.data_calls(cp, source, self.directory / "other")
        self.assertEqual(copied_before - copied_after, promised["cpu_copied_bytes"])
        # Either program also finds the end with one call.
        self.assertGreaterEqual(calls_before - calls_after, promised["syscalls"])
        self.assertLessEqual(calls_before - calls_after, promised["syscalls_most"])


class Nginx(NginxTest):
    def served(self, setting):
        self.start_nginx(f"sendfile {setting};")
        attached = Attached(self, "-p", self.master.pid, "--advise", "-e", "%all")
        self.assert_body("big", fetch(self.port, "big").body)
        self.wait_for_requests(1)
        report = attached.detach()
        self.end_nginx()
        return report

    def test_sendfile_on(self):
        off, on = self.served("off"), self.served("on")
        (advice,) = off["advice"]
        promised = advice["saves"]
        # A lower bound: the block that is sent with the header may not count as passed on.
        saved = off.totals["cpu_copied_bytes"] - on.totals["cpu_copied_bytes"]
        self.assertGreaterEqual(saved, promised["cpu_copied_bytes"])
        self.assertLessEqual(saved, promised["cpu_copied_bytes"] / 0.95)

        def moving(report):
            reads = sum(row["calls"] - row["errors"] for row in report.totals["rows"]
                        if row["syscall"] == "pread64")
            return reads + sum(calls for calls, _ in rows_to("socket", report).values())

        self.assertGreaterEqual(moving(off) - moving(on), promised["syscalls"])
        self.assertLessEqual(moving(off) - moving(on), promised["syscalls_most"] + 2)
        self.assertEqual(BIG % (32 << 10), 0)
