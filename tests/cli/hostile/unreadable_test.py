# SPDX-License-Identifier: MIT
"""Processes whose /proc files do not answer delay nothing and are named by their comm."""

import os
import pathlib
import re
import signal
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from report import Report

# Of no other process.
USER = 61357


class Unreadable(TestCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        if not os.path.exists("/dev/fuse"):
            self.skipTest("there is no /dev/fuse")

    def hostile(self, how):
        """Starts one; returns its PID. It ends with the test, and so do reads that wait for it."""
        directory = self.directory / how
        directory.mkdir(exist_ok=True)
        process = self.start([self.program("unreadable"), how, directory, USER],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return int(self.wait_for_line(process.stdout, "ready").split()[1])

    def check_ends(self, how, number):
        hostile = self.hostile(how)
        attached = self.start([ZCTRACE, "attach", "-a", "--json", self.directory / "report.json"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(attached.stderr, "observing")
        subprocess.run(["dd", "if=/dev/zero", f"of={self.directory}/copy", "bs=10007", "count=101"],
                       check=True, capture_output=True)
        attached.send_signal(number)
        self.assertEqual(attached.wait(PATIENCE_S), 0)
        report = Report((self.directory / "report.json").read_text())
        (dd,) = [one for one in report.processes if one["name"] == "dd"]
        self.assertEqual(sum(row["bytes"] for row in dd["rows"]
                             if (row["syscall"], row["to"]) == ("write", "file")), 101 * 10007)
        (one,) = [one for one in report.processes if one["pid"] == hostile]
        self.assertEqual(one["argv"], [] if how == "memory" else ["true"])
        self.assertTrue(one["name"])
        # Its own reader is not a target.
        self.assertNotIn(attached.pid, [one["parent_pid"] for one in report.processes])

    def test_attach_ends_by_sigint_beside_held_memory(self):
        self.check_ends("memory", signal.SIGINT)

    def test_attach_ends_by_sigterm_beside_held_memory(self):
        self.check_ends("memory", signal.SIGTERM)

    def test_attach_ends_by_sigterm_beside_an_exec_that_waits(self):
        hostile = self.hostile("exec")
        done = self.zctrace("attach", "-a", "-q", "-d", "300ms", "--json",
                            self.directory / "report.json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = Report((self.directory / "report.json").read_text())
        self.assertIn(hostile, [one["pid"] for one in report.processes])

    def test_many_of_them(self):
        for _ in range(12):
            self.hostile("memory")
        done = self.zctrace("attach", "-a", "-q", "-d", "300ms")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_by_name_and_pid(self):
        for how in ("memory", "exec"):
            with self.subTest(how=how):
                hostile = self.hostile(how)
                for words in (["-p", hostile], ["-n", "unreadable", "--wait"], ["-G", "/"]):
                    done = self.zctrace("attach", "-q", "-d", "100ms", *words)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def test_export_serves_beside_them(self):
        self.hostile("memory")
        self.hostile("exec")
        exporter = self.start([ZCTRACE, "export", "-a", "--listen", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
        line = self.wait_for_line(exporter.stderr, "serving")
        url = re.search(r"http\S+", line)[0]
        scraped = subprocess.run(["curl", "-sS", url], capture_output=True, text=True, check=True,
                                 timeout=PATIENCE_S).stdout
        self.assertIn("zctrace_observed_processes", scraped)
        exporter.terminate()
        self.assertEqual(exporter.wait(PATIENCE_S), 0)

    def test_reader_does_not_outlive_zctrace(self):
        attached = self.start([ZCTRACE, "attach", "-a"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        self.wait_for_line(attached.stderr, "observing")
        helpers = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/comm")
                   if self.comm(path) == "zctrace-reader"]
        mine = [pid for pid in helpers if self.parent(pid) == attached.pid]
        self.assertTrue(mine)
        attached.kill()
        attached.wait()
        for pid in mine:
            self.assert_gone(pid)

    @staticmethod
    def comm(path):
        try:
            return path.read_text().strip()
        except OSError:
            return ""

    @staticmethod
    def parent(pid):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0
        return int(re.search(r"PPid:\s*(\d+)", status)[1])
