# SPDX-License-Identifier: MIT
"""io_uring: its requests count as the calls that they replace."""

from harness import TestCase, in_both_modes
from report import Report


class Uring(TestCase):
    """io_uring operations are not syscalls, and kernel threads may do them."""

    def observe_uring(self, what, mode):
        observed = self.observe_fixture("uring", what, self.directory / "file", mode=mode)
        rows = observed.report.totals["rows"]
        for row in rows:
            self.assertEqual(row["asynchronous"], row["syscall"].startswith("io_uring:"))
        self.assertEqual(observed.report.totals["syscalls"],
                         sum(row["calls"] for row in rows if not row["asynchronous"]))
        return observed

    @in_both_modes
    def test_read_and_write(self, mode):
        observed = self.observe_uring("read_write", mode)
        self.assertEqual(observed.report.calls()["io_uring:other"]["calls"], 1)  # the no-op

    @in_both_modes
    def test_read_and_write_by_workers(self, mode):
        self.observe_uring("workers", mode)

    @in_both_modes
    def test_read_and_write_submitted_by_a_kernel_thread(self, mode):
        self.observe_uring("polled", mode)

    @in_both_modes
    def test_splice_by_workers(self, mode):
        self.observe_uring("splice", mode)

    @in_both_modes
    def test_splice_by_registered_files(self, mode):
        self.observe_uring("registered", mode)

    @in_both_modes
    def test_send_and_receive(self, mode):
        self.observe_uring("sockets", mode)

    @in_both_modes
    def test_messages_between_rings(self, mode):
        observed = self.observe_uring("messages", [*mode, "--strict"])
        self.assertEqual(observed.report.calls()["io_uring:other"]["calls"], 101)

    @in_both_modes
    def test_every_result_of_a_multishot_request(self, mode):
        observed = self.observe_uring("multishot", mode)
        self.assertEqual(observed.report.calls()["io_uring:other"]["calls"], 7)  # of poll

    def lost_results(self, what):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--strict", "--json", path, "--", self.program("uring"), what,
                            self.directory / "file")
        if "skip" in done.stdout:
            self.skipTest(done.stdout)
        self.assertEqual(done.returncode, 3, done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 0)
        lost = report["completeness"]["lost"]
        self.assertEqual({name for name, count in lost.items() if count}, {"uring_results"})
        return lost["uring_results"], report

    def test_results_that_overflow_the_ring_are_counted_as_lost(self):
        lost, report = self.lost_results("overflow")
        self.assertEqual(lost, 16)
        self.assertEqual(report.calls()["io_uring:other"]["calls"], 32)
