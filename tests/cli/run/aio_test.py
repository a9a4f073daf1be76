# SPDX-License-Identifier: MIT
"""Native AIO: its requests are rows, whichever way the program learns of their completion."""

from harness import TestCase, in_both_modes
from report import Report


class Aio(TestCase):
    """Requests of io_submit are no syscalls; the calls that submit and reap them are."""

    @in_both_modes
    def test_reads_and_writes_plain_and_vectored(self, mode):
        report = self.observe_fixture("aio", self.directory / "file", mode=mode).report
        rows = report.totals["rows"]
        for row in rows:
            self.assertEqual(row["asynchronous"], row["syscall"].startswith("aio:"))
        self.assertEqual(report.totals["syscalls"],
                         sum(row["calls"] for row in rows if not row["asynchronous"]))
        self.assertEqual(report.bytes("aio:write", "user", "file"), 40 * 1009 + 7 * 1013)

    def test_requests_that_are_not_counted_are_not_called_equal(self):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--verify-counts", "--strict", "--room", "aio_contexts=1",
                            "--json", path, "--", self.program("aio"), self.directory / "file",
                            "second-context")
        self.assertEqual(done.returncode, 3, done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["completeness"]["lost"]["aio_results"], 40 * 2 + 7 * 2 + 1)
        self.assertFalse(report["completeness"]["verification"]["equal"])
        self.assertNotIn("aio:read", report.calls())

    def test_selection_by_name(self):
        report = self.observe(self.program("aio"), self.directory / "file",
                              mode=["-e", "aio:read"]).report
        self.assertGreater(report.calls()["aio:read"]["bytes"], 0)
        self.assertNotIn("aio:write", report.calls())

    @in_both_modes
    def test_more_requests_than_a_look_counts(self, mode):
        """They are counted by later calls on the context, or said to be lost at its end."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "-q", *mode, "--json", path, "--",
                            self.program("many_requests"), 4096)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = Report(path.read_text())
        row = report.calls()["aio:read"]
        lost = report["completeness"]["lost"]["aio_results"]
        self.assertEqual((row["calls"] + lost, row["bytes"] + lost), (4096, 4096))
        self.assertGreaterEqual(row["calls"], 256)
        self.assertEqual(report["completeness"]["lost_events"], lost)

    @in_both_modes
    def test_requests_whose_memory_is_gone_are_lost(self, mode):
        """A look gives up after a few of them, and says of all that they are lost."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "-q", *mode, "--json", path, "--",
                            self.program("many_requests"), 1024, "unmapped")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = Report(path.read_text())
        calls = report.calls()["aio:read"]["calls"]
        lost = report["completeness"]["lost"]["aio_results"]
        self.assertGreater(calls, 0)
        self.assertGreater(lost, 0)
        self.assertEqual(calls + lost, 1024)
