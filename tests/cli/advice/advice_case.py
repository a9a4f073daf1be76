# SPDX-License-Identifier: MIT
"""Runs programs under `zctrace run --advise`, and finds the advice about them."""

import os
import pathlib
import sys
import tempfile

from harness import TestCase
from report import Report

MIB = 1 << 20
# -I -S: reads no file of the user's.
PYTHON = [sys.executable, "-I", "-S", "-B", "-c"]


class AdviceCase(TestCase):
    def source(self, size=8 * MIB, name="source", directory=None):
        path = (directory or self.directory) / name
        path.write_bytes(os.urandom(size))
        return path

    def memory(self):
        """A directory on another file system, in memory."""
        directory = tempfile.TemporaryDirectory(dir="/dev/shm", prefix="zctrace-test-")
        self.addCleanup(directory.cleanup)
        return pathlib.Path(directory.name)

    def advised(self, *command, options=("--advise",), status=0, **keywords):
        """The report of a command; its table is in `table`."""
        path = self.directory / "report.json"
        done = self.zctrace("run", *options, "--strict", "--json", path, "--", *command, **keywords)
        self.assertEqual(done.returncode, status, done.stderr)
        report = Report(path.read_text())
        path.unlink()
        report.table = done.stderr
        self.assertLessEqual(len(report["advice"]), 10)
        return report

    def only_advice(self, report, kind, name=None):
        """The only advice of this kind, to the program `name` if given."""
        found = [one for one in report["advice"]
                 if one["kind"] == kind and name in (None, one["name"])]
        self.assertEqual(len(found), 1, report["advice"])
        return found[0]

    def assert_none(self, report, kind):
        self.assertEqual([one for one in report["advice"] if one["kind"] == kind], [])

    def data_calls(self, report, *paths):
        """Successful calls and copied bytes of the rows that moved bytes of any of these files, which
        --by file lists."""
        texts = {str(path) for path in paths}
        files = [file for file in report["files"] if file["path"] in texts]
        self.assertEqual(len(files), len(texts), report["files"])
        seen = {}
        for file in files:
            for row in file["rows"]:
                # A call from one of the files to another is in the rows of both.
                key = (row["syscall"], row["from"], row["to"])
                seen[key] = (row["calls"] - row["errors"] - row["restarts"],
                             row["cpu_copied_bytes"])
        return (sum(calls for calls, _ in seen.values()),
                sum(copied for _, copied in seen.values()))
