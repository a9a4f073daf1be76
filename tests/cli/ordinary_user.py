# SPDX-License-Identifier: MIT
"""Commands of an ordinary user that root observes."""

from harness import TestCase
from report import Report

# Any user but root; it needs no entry in /etc/passwd.
AS_USER = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups"]


class OrdinaryUser(TestCase):
    def run_as_user(self, *command, mode=(), status=0):
        """The report of an ordinary user's command that root observes, and its output."""
        path = self.directory / "hostile.json"
        done = self.zctrace("run", "-q", "--strict", "--verify-counts", *mode, "--json", path, "--",
                            *AS_USER, *command)
        self.assertEqual(done.returncode, status, done.stderr)
        return Report(path.read_text()), done.stdout
