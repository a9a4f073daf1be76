# SPDX-License-Identifier: MIT
"""`zctrace mount`: whether a read call or a page fault caused a request, by BPF and by /proc."""

import os
import signal
import subprocess
import unittest

from mounts import MEBIBYTE, MountTest, NeedsFuseTracepoints
from paths import PATIENCE_S, ZCTRACE
from report import Report

# Neither of the rights that loading a program takes; no other one is missing.
WITHOUT_BPF = ["setpriv", "--bounding-set", "-bpf,-perfmon"]

# Reads the first half of a file by calls and the second by page faults, page by page and without
# readahead. The second file has the same in the other order.
HALVES = """
import mmap, os, sys
def halves(path, calls_first):
    file = os.open(path, os.O_RDONLY)
    size = os.fstat(file).st_size
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    mapping = mmap.mmap(file, 0, prot=mmap.PROT_READ)
    mapping.madvise(mmap.MADV_RANDOM)
    for at in range(0, size, 4096):
        if (at < size // 2) == calls_first:
            os.pread(file, 4096, at)
        else:
            mapping[at]
halves(sys.argv[1], True)
halves(sys.argv[2], False)
"""


class Causes(MountTest):
    def setUp(self):
        super().setUp()
        for name in range(8):
            (self.source / str(name)).write_bytes(os.urandom(MEBIBYTE))

    def read_halves(self, *pairs):
        """A process for each pair of files."""
        running = [subprocess.Popen(["/usr/bin/python3", "-c", HALVES, *pair]) for pair in pairs]
        self.assertEqual([process.wait() for process in running], [0] * len(pairs))

    def files(self, *names):
        return [self.point / str(name) for name in names]

    def bytes_of(self, report, name):
        operations = self.file_of(report, str(name))["operations"]
        return {of: operations[of]["bytes"] for of in ("read", "mmap", "read_or_mmap") if of in operations}


@unittest.skipIf(os.geteuid() != 0, "needs root")
class ByBpf(NeedsFuseTracepoints, Causes):
    """The kernel tells in which call each thread was."""

    def assert_halves(self, report, *names):
        for name in names:
            self.assertEqual(self.bytes_of(report, name), {"read": MEBIBYTE // 2, "mmap": MEBIBYTE // 2})

    def test_without_proc(self):
        mounted = self.mount()
        self.read_halves(self.files(0, 1))
        report = mounted.stop()
        self.assert_halves(report, 0, 1)
        self.assertEqual(report["daemon"]["proc_calls"], 0)

    def test_during_a_run_with_a_mount(self):
        report = self.observe("/usr/bin/python3", "-c", HALVES, self.source / "0", self.source / "1",
                              mode=["--mount", self.source]).report
        self.assert_halves(report, 0, 1)
        self.assertEqual(report["daemon"]["proc_calls"], 0)

    def test_two_mounts_beside_each_other(self):
        mounted = self.mount()
        other = self.directory / "other"
        other.mkdir()
        path = self.directory / "other.json"
        beside = self.start([ZCTRACE, "mount", "-q", "--json", path, self.source, other], stderr=subprocess.PIPE,
                            text=True)
        self.addCleanup(subprocess.run, ["umount", "-l", other], check=False, stderr=subprocess.DEVNULL)
        self.wait_for_line(beside.stderr, "is mounted at")
        self.read_halves(self.files(0, 1), [other / "1", other / "0"])
        self.assert_halves(mounted.stop(), 0, 1)
        beside.send_signal(signal.SIGINT)
        beside.wait(PATIENCE_S)
        self.assert_halves(Report(path.read_text()), 0, 1)

    def test_processes_beside_each_other(self):
        mounted = self.mount()
        self.read_halves(*(self.files(name, name + 1) for name in range(0, 8, 2)))
        self.assert_halves(mounted.stop(), *range(8))


@unittest.skipIf(os.geteuid() != 0, "needs root")
class ByProc(Causes):
    def test_without_bpf(self):
        mounted = self.mount(prefix=WITHOUT_BPF)
        self.read_halves(self.files(0, 1))
        report = mounted.stop()
        self.assertGreater(report["daemon"]["proc_calls"], 0)
        for name in (0, 1):
            found = self.bytes_of(report, name)
            # Of a task that does not sleep yet, /proc tells nothing.
            self.assertEqual(sum(found.values()), MEBIBYTE)
            self.assertGreater(found["read"], MEBIBYTE // 4)
            self.assertGreater(found["mmap"], MEBIBYTE // 4)
