# SPDX-License-Identifier: MIT
"""Processes that begin and end in ways that are easy to miss."""

from harness import in_both_modes
from ordinary_user import OrdinaryUser


class Tasks(OrdinaryUser):
    @in_both_modes
    def test_exec_from_threads_under_load(self, mode):
        """The thread takes over the number of its leader, which may still be on its way out."""
        report, _ = self.run_as_user(self.program("thread_execs"), 150, mode=mode)
        verification = report["completeness"]["verification"]
        self.assertEqual(verification["differences"], [])
        self.assertEqual(verification["not_compared"]["changed_while_read"], 0)
        self.assertGreaterEqual(verification["compared_processes"], 154)
