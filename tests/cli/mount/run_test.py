# SPDX-License-Identifier: MIT
"""`zctrace run --mount`."""

import os
import unittest

from harness import why_not_observable
from mounts import MEBIBYTE, MountTest, mounts_at
from paths import NOBODY


@unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
class RunMount(MountTest):
    def setUp(self):
        super().setUp()
        reason = why_not_observable()
        if reason:
            self.skipTest(reason)

    def test_both_sides_of_the_same_bytes(self):
        data = self.file(size=4 * MEBIBYTE)
        before = mounts_at(self.source)
        report = self.observe("dd", f"if={self.source}/file", "of=/dev/null", "bs=64K",
                              mode=["--mount", self.source]).report
        self.assertEqual(report.bytes("read", "fuse", "user"), len(data))
        file = self.file_of(report, "file")
        self.assertEqual(file["bytes_read"], len(data))
        (process,) = report.processes
        self.assertEqual(process["fuse"]["bytes_read"], len(data))
        self.assertEqual(mounts_at(self.source), before)

    def test_the_working_directory_leads_through_the_mount(self):
        self.file()
        report = self.observe("cat", "file", mode=["--mount", self.source], cwd=self.source).report
        self.assertEqual(report.bytes("read", "fuse", "user"), MEBIBYTE + 7)

    def test_writes_reach_the_source_and_the_status_is_the_commands(self):
        self.observe("sh", "-c", f"echo text > {self.source}/new; exit 7", status=7,
                     mode=["--mount", self.source])
        self.assertEqual((self.source / "new").read_text(), "text\n")

    def test_the_caller_under_sudo_owns_what_it_creates(self):
        environment = {**os.environ, "SUDO_UID": str(NOBODY),
                       "SUDO_GID": str(NOBODY)}
        self.observe("touch", self.source / "new", mode=["--mount", self.source], env=environment)
        self.assertEqual((self.source / "new").stat().st_uid, NOBODY)

    def test_no_such_directory(self):
        done = self.zctrace("run", "--mount", self.directory / "missing", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
