# SPDX-License-Identifier: MIT
"""Advice that follows from the counts alone."""

import os

from advice.advice_case import MIB, PYTHON, AdviceCase
from copies.lending import LENT
from harness import in_both_modes

# copy_file_range fails, so it reads and writes.
FALLS_BACK = """
import errno, os, sys
source = os.open(sys.argv[1], os.O_RDONLY)
sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | int(sys.argv[3]))
try:
    os.copy_file_range(source, sink, 1 << 30)
    sys.exit("it did not fail")
except OSError as error:
    if error.errno != int(sys.argv[4]): raise
while block := os.read(source, 1 << 16):
    os.write(sink, block)
"""

# Its reader takes 64 KiB, waits for 10 ms, and so on.
SLOW_READER = """
import os, socket, sys, time
out, peer = socket.socketpair(socket.AF_UNIX)
if not os.fork():
    out.close()
    while peer.recv(1 << 16): time.sleep(0.01)
    os._exit(0)
peer.close()
source = os.open(sys.argv[1], os.O_RDONLY)
left = os.fstat(source).st_size
while left: left -= os.sendfile(out.fileno(), source, None, left)
out.close(); os.wait()
"""


class Fallback(AdviceCase):
    def fall_back(self, sink, flag, number):
        source = self.source()
        report = self.advised(*PYTHON, FALLS_BACK, source, sink, int(flag), int(number))
        self.assert_none(report, "relay")
        advice = self.only_advice(report, "fallback")
        self.assertEqual(advice["bytes"], 8 * MIB)
        self.assertEqual((advice["from"]["path"], advice["to"]["path"]), (str(source), str(sink)))
        self.assertEqual(advice["via"], ["read", "write"])
        self.assertEqual(advice["saves"]["syscalls"], 128)
        self.assertEqual(advice["saves"]["cpu_copied_bytes"], 8 * MIB)
        self.assertIsNone(advice["saves"]["cpu_ns"])
        return advice, report

    def test_across_file_systems_sendfile_works(self):
        advice, report = self.fall_back(self.memory() / "sink", 0, 18)
        self.assertEqual((advice["instead"], advice["legal"]), ("sendfile", True))
        self.assertIn("copy_file_range failed with EXDEV", advice["why"])
        self.assertIn("use sendfile instead", " ".join(report.table.split()))

    def test_a_file_open_for_appending_forbids_it(self):
        advice, _ = self.fall_back(self.directory / "sink", os.O_APPEND, 9)
        self.assertEqual((advice["instead"], advice["legal"]), ("copy_file_range", False))
        self.assertIn("O_APPEND", advice["why"])

    def test_of_cp(self):
        sink = self.memory() / "sink"
        report = self.advised("cp", self.source(), sink)
        advice = self.only_advice(report, "fallback", "cp")
        self.assertEqual((advice["instead"], advice["bytes"]), ("sendfile", 8 * MIB))

    def test_on_one_file_system_there_is_none(self):
        report = self.advised("cp", self.source(), self.directory / "sink")
        self.assertEqual(report["advice"], [])


class SmallBuffer(AdviceCase):
    @in_both_modes
    def test_of_dd(self, mode):
        source, sink = self.source(20_000 * 512), self.directory / "sink"
        report = self.advised("dd", f"if={source}", f"of={sink}", "bs=512",
                              options=("--advise", *mode))
        advice = self.only_advice(report, "small_buffer", "dd")
        # A buffer of 64 KiB needs 157 reads and as many writes; the last read finds the end.
        self.assertEqual(advice["saves"]["syscalls"], 20_001 + 20_000 - 2 * 157)
        self.assertEqual((advice["from"]["path"], advice["to"]["path"]), (str(source), str(sink)))
        self.assertIn("use a buffer of 64 KiB", " ".join(report.table.split()))

    def test_many_small_files_are_not_its_fault(self):
        for number in range(700):
            (self.directory / str(number)).write_bytes(b"x" * 100)
        report = self.advised("sh", "-c", f"cat {self.directory}/*")
        self.assert_none(report, "small_buffer")


class AskedOtherwise(AdviceCase):
    def test_direct_on_a_file_in_memory(self):
        source = self.source(directory=self.memory())
        report = self.advised("dd", f"if={source}", "of=/dev/null", "bs=1M", "iflag=direct")
        advice = self.only_advice(report, "direct_fallback", "dd")
        self.assertEqual((advice["bytes"], advice["from"]["path"]), (8 * MIB, str(source)))
        self.assertEqual((advice["instead"], advice["legal"]), (None, False))
        self.assertIn("in memory", advice["why"])

    def test_msg_zerocopy_over_the_loopback(self):
        report = self.advised(*PYTHON, LENT, "asked")
        advice = self.only_advice(report, "zerocopy_copied")
        self.assertEqual((advice["bytes"], advice["legal"]), (MIB, True))
        self.assertEqual(advice["instead"], "sendto without MSG_ZEROCOPY")
        self.assertIn("loopback", advice["why"])
        # Every call that asked for notifications.
        (asked,) = [row for row in report.totals["rows"] if row["syscall"] == "recvmsg"]
        self.assertEqual(advice["saves"]["syscalls"], asked["calls"])

    def test_ktls_in_software(self):
        done = self.zctrace("run", "-q", "--advise", "--json", self.directory / "report.json", "--",
                            self.program("ktls"), self.source(2 * MIB))
        if "skip" in done.stdout:
            self.skipTest(done.stdout)
        report = self.advised(self.program("ktls"), self.source(2 * MIB))
        advice = self.only_advice(report, "tls_software")
        self.assertFalse(advice["legal"])


class Blocked(AdviceCase):
    def test_sendfile_to_a_slow_reader(self):
        source = self.source(4 * MIB)
        report = self.advised(*PYTHON, SLOW_READER, source)
        advice = self.only_advice(report, "blocked")
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual((advice["waited_ns"], advice["bytes"]), (row["off_cpu_ns"], 4 * MIB))
        self.assertEqual(advice["from"]["path"], str(source))
        self.assertIn("SO_SNDBUF", advice["instead"])

    def test_needs_times(self):
        report = self.advised(*PYTHON, SLOW_READER, self.source(4 * MIB),
                              options=("--advise", "--no-latency"))
        self.assert_none(report, "blocked")


class Silence(AdviceCase):
    def test_of_programs_that_have_no_choice(self):
        source = self.source()
        for command in (["true"], ["gzip", "-1", "-k", source], ["cksum", source]):
            report = self.advised(*command)
            self.assertEqual(report["advice"], [], command)
            self.assertEqual(report.table.splitlines()[-1],
                             "advice           nothing to change was found")

    def test_where_it_is_not_asked_for(self):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--json", path, "--", "true")
        self.assertNotIn("advice", done.stderr)
        self.assertNotIn('"advice"', path.read_text())
