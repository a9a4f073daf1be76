# SPDX-License-Identifier: MIT
"""`zctrace attach -i` and `-d`: reports of intervals."""

import signal

from attached import Attach
from paths import PATIENCE_S
from processes import waits_in_call
from report import Report, reports_of


class Intervals(Attach):
    def test_duration(self):
        target = self.commanded()
        path = self.directory / "report.json"
        done = self.zctrace("attach", "-q", "-p", target.pid, "-d", "500ms", "--json", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = Report(path.read_text())
        self.assertGreaterEqual(report["duration_ns"], 500_000_000)
        self.assertIsNone(target.poll())

    def test_intervals_add_up_to_the_whole(self):
        target = self.commanded()
        self.tell(target, "threads 3", "fork 2")
        whole = self.attach("-p", target.pid)
        attached = self.attach("-p", target.pid, "-i", "50ms")

        for _ in range(7):
            self.tell(target, "write 101 7", "each 103 11", "children 107 13", "spawn 109 3")
            self.wait_for_intervals(attached.report_path, 1)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        sums = [sum(column) for column in zip(*(self.null_writes(r.totals) for r in reports))]
        expected = (7 * (101 + 3 * 103 + 2 * 107 + 2 * 109),
                    7 * (707 + 3 * 1133 + 2 * 1391 + 2 * 327))
        self.assertEqual(tuple(sums), expected)
        self.assert_writes(self.detach(whole).totals, *expected)
        starts = [report["started_at"] for report in reports]
        self.assertEqual(starts, sorted(starts))
        for report in reports:
            self.assertGreater(report["duration_ns"], 0)
            self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])

    def test_idle_interval_has_no_processes(self):
        target = self.commanded()
        self.wait_until(lambda: waits_in_call(target.pid), "it waits to be told something")
        attached = self.attach("-p", target.pid, "-i", "50ms")
        self.wait_for_intervals(attached.report_path, 3)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        self.assertGreaterEqual(len(reports), 3)
        for report in reports:
            self.assertEqual(report.processes, [])

    def test_idle_interval_is_one_line(self):
        target = self.commanded()
        self.wait_until(lambda: waits_in_call(target.pid), "it waits to be told something")
        done = self.zctrace("attach", "-p", target.pid, "-i", "100ms", "-d", "250ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"^20\S+Z  no calls in this interval$")

    def test_duration_of_whole_intervals_has_no_rest(self):
        target = self.commanded()
        path = self.directory / "intervals"
        for _ in range(3):
            path.unlink(missing_ok=True)
            done = self.zctrace("attach", "-q", "-p", target.pid, "-i", "100ms", "-d", "300ms",
                                "--json", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            # Fewer where the machine is busy and intervals come late.
            self.assertLessEqual(len(reports_of(path)), 3)

    def test_each_table_shows_its_time(self):
        target = self.commanded()
        done = self.zctrace("attach", "-p", target.pid, "-i", "100ms", "-d", "350ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
        self.assertEqual(done.stderr, "zctrace: observing 1 task; press Ctrl-C to stop\n")
