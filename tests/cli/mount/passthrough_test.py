# SPDX-License-Identifier: MIT
"""`zctrace mount --passthrough`: the kernel moves the bytes, and the daemon only sees files opened."""

import os
import subprocess
import unittest

from mounts import AS_NOBODY, MEBIBYTE, READ_BY_MMAP, passes_through
from observed_mounts import ObserveTest
from paths import PATIENCE_S, ZCTRACE
from report import Report

# Each opens the same file in its own way, so that the opens overlap.
MIXED_OPENS = """
import mmap, os, sys
path = sys.argv[1]
reader = os.open(path, os.O_RDONLY)
writer = os.open(path, os.O_WRONLY)
both = os.open(path, os.O_RDWR)
os.pwrite(writer, b"one", 0)
assert os.pread(reader, 3, 0) == b"one"
with mmap.mmap(both, 4096) as mapping:
    assert mapping[:3] == b"one"
    mapping[3:6] = b"two"
    mapping.flush()
assert os.pread(reader, 6, 0) == b"onetwo"
os.rename(path, path + "-renamed")
os.close(writer)
os.unlink(path + "-renamed")
assert os.pread(reader, 6, 0) == b"onetwo"
with open(path, "wb") as again: again.write(b"new")
assert os.pread(reader, 6, 0) == b"onetwo"
with open(path, "r+b") as again: again.truncate(1)
assert open(path, "rb").read() == b"n"
"""


@unittest.skipIf(os.geteuid() != 0, "needs root, as zctrace does for this")
@unittest.skipUnless(passes_through(), "this kernel has no FUSE passthrough")
class Passthrough(ObserveTest):
    needs_bpf = False

    def test_no_request_moves_bytes(self):
        data = self.file()
        mounted = self.mount("--passthrough")
        self.assertEqual((self.point / "file").read_bytes(), data)
        (self.point / "new").write_bytes(data)
        self.run_python(READ_BY_MMAP, self.point / "file")
        report = mounted.stop()
        self.assertEqual((self.source / "new").read_bytes(), data)
        self.assertIs(report["mount"]["passthrough"], True)
        for operation in ("read", "mmap", "read_or_mmap", "write", "writeback"):
            self.assertEqual(self.sum_of(report, operation), 0, operation)
        self.assertGreaterEqual(self.sum_of(report, "open"), 2)
        for file in report["files"]:
            for figure in ("bytes_read", "bytes_written", "spliced_bytes", "copied_bytes"):
                self.assertIsNone(file[figure])
                self.assertIn(f"fuse.{figure}", report["unknown"])
        self.assertIn("passthrough", mounted.stdout)
        self.assertIn("the kernel reads and writes these files itself", " ".join(mounted.stdout.split()))
        again = subprocess.run([ZCTRACE, "report", mounted.report_path], capture_output=True,
                               text=True, timeout=PATIENCE_S, check=True)
        self.assertIn("the kernel reads and writes these files itself", " ".join(again.stdout.split()))

    def test_opens_of_all_kinds_at_once(self):
        mounted = self.mount("--passthrough")
        (self.source / "file").write_bytes(b"0" * 8192)
        self.run_python(MIXED_OPENS, self.point / "file")
        report = mounted.stop()
        self.assertEqual(self.sum_of(report, "open", "errors"), 0)
        self.assertEqual((self.source / "file").read_bytes(), b"n")

    def test_a_write_of_an_ordinary_user_drops_the_set_user_id_bit(self):
        self.file("program")
        os.chmod(self.source / "program", 0o4777)
        mounted = self.mount("--passthrough")
        subprocess.run([*AS_NOBODY, "dd", "if=/dev/zero", f"of={self.point / 'program'}", "bs=16",
                        "count=1", "conv=notrunc"], check=True, capture_output=True)
        mounted.stop()
        self.assertEqual((self.source / "program").stat().st_mode & 0o7777, 0o777)

    def test_files_that_the_kernel_does_not_take_are_served_by_the_daemon(self):
        """A passthrough mount is stacked as high as the kernel allows."""
        data = self.file()
        mounted = self.mount("--passthrough")
        above = self.directory / "above"
        above.mkdir()
        report_path = self.directory / "above.json"
        upper = self.start([ZCTRACE, "mount", "--passthrough", self.point, above, "--json",
                            report_path, "-q"], stderr=subprocess.PIPE, text=True)
        try:
            self.wait_until(lambda: os.path.ismount(above), "it is mounted")
            self.assertEqual((above / "file").read_bytes(), data)
        finally:
            subprocess.run(["umount", above], check=False)
            upper.wait(PATIENCE_S)
        report = Report(report_path.read_text())
        read = sum(file["operations"].get(name, {"bytes": 0})["bytes"] for file in report["files"]
                   for name in ("read", "read_or_mmap", "mmap"))
        self.assertGreaterEqual(read, len(data))
        self.assertIsNone(self.file_of(report, "file")["bytes_read"])
        mounted.stop()

    def test_an_ordinary_user_is_refused(self):
        done = subprocess.run([*AS_NOBODY, ZCTRACE, "mount", "--passthrough", self.source,
                               self.point], capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        self.assertEqual(done.returncode, 77)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


@unittest.skipIf(os.geteuid() != 0, "needs root, as zctrace does for this")
@unittest.skipUnless(passes_through(), "this kernel has no FUSE passthrough")
class Observed(ObserveTest):
    def test_syscalls_show_the_bytes(self):
        data = self.file(size=MEBIBYTE)
        mounted = self.observe_mount("--passthrough")
        subprocess.run(["dd", f"if={self.point}/file", "of=/dev/null", "bs=64K"], check=True,
                       capture_output=True)
        report = mounted.stop()
        applications = report["amplification"]["applications"]
        read = [row for row in applications["rows"] if row["syscall"] == "read"]
        self.assertEqual(sum(row["bytes"] for row in read if row["from"] == "fuse"), len(data))
