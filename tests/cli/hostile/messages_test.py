# SPDX-License-Identifier: MIT
"""The lengths of messages that sendmmsg and recvmmsg leave in the memory of a hostile caller."""

import json
import os
import re

from harness import in_both_modes
from ordinary_user import OrdinaryUser


def kernel_version():
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


class Messages(OrdinaryUser):
    def assert_rows(self, report, known, names):
        rows = [row for row in known["rows"] if row[0] in names]
        self.assertEqual(len(rows), len(names))
        for syscall, source, sink, calls, _, _, moved in rows:
            found = report.data_rows()[(syscall, source, sink)]
            self.assertEqual((found["calls"], found["bytes"]), (calls, moved), syscall)

    @in_both_modes
    def test_forged_lengths_do_not_count(self, mode):
        if kernel_version() < (6, 3):
            return  # it does not tell the lengths; the next test is about that
        report, stdout = self.run_as_user(self.program("forged_lengths"), mode=mode)
        self.assert_rows(report, json.loads(stdout), ("sendmmsg", "recvmmsg"))
        self.assertEqual({row["claimed_bytes"] for row in report.totals["rows"]}, {0})

    @in_both_modes
    def test_lengths_that_may_be_forged_are_claimed(self, mode):
        """As on a kernel that does not tell the lengths."""
        report, _ = self.run_as_user(self.program("forged_lengths"),
                                     mode=[*mode, "--room", "claims=1"],
                                     status=3)  # lengths that no message can have are lost
        rows = {row["syscall"]: row for row in report.totals["rows"]}
        for name in ("sendmmsg", "recvmmsg"):
            self.assertEqual(rows[name]["claimed_bytes"], rows[name]["bytes"])
        self.assertEqual(rows["write"]["claimed_bytes"], 0)
        self.assertGreater(report["completeness"]["lost"]["message_lengths"], 0)

    @in_both_modes
    def test_cut_messages_with_as_many_buffers_as_possible(self, mode):
        for room in ([], ["--room", "claims=1"]):
            with self.subTest(room=room):
                if room:
                    # Each of 101 messages has 1,024 buffers, which is more than it looks at.
                    report, _ = self.run_as_user(self.program("long_vectors"),
                                                 mode=[*mode, *room], status=3)
                    self.assertGreater(report["completeness"]["lost"]["message_lengths"], 0)
                else:
                    report, stdout = self.run_as_user(self.program("long_vectors"), mode=mode)
                    self.assert_rows(report, json.loads(stdout), ("sendto", "recvmmsg"))

    @in_both_modes
    def test_a_message_counts_whose_length_has_no_memory_to_go_to(self, mode):
        """The kernel cannot write the length of the second message."""
        if kernel_version() < (6, 3):
            return
        report, _ = self.run_as_user(self.program("lost_lengths"), mode=mode)
        row = report.data_rows()["recvmmsg", "socket", "user"]
        self.assertEqual((row["calls"], row["bytes"]), (1, len("first") + len("second")))
