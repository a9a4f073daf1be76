# SPDX-License-Identifier: MIT
"""Full maps: what finds no space is counted as lost; rows are folded."""

import json
import os
import signal

from accounts import MOST_CALLS, Accounted
from attached import NULL
from harness import in_both_modes
from paths import PATIENCE_S
from report import NO_CALLS, Report, reports_of


class Capacity(Accounted):
    """With tiny maps, what finds no space is counted as lost, --strict fails, and targets survive."""

    def run_without_capacity(self, room, *command):
        """Checks the status and the text of a run that lost something, and returns its report."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "--strict", "--room", room, "--json", path, "--", *command)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("LOST", done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 0)
        self.assertGreater(report["completeness"]["lost_events"], 0)
        return report, done.stdout

    def lost(self, report, reason):
        """How much was lost for this reason, which must be the only one."""
        lost = report["completeness"]["lost"]
        self.assertEqual({name for name, count in lost.items() if count}, {reason})
        return lost[reason]

    def test_processes(self):
        report, stdout = self.run_without_capacity("accounts=5", self.program("short_lived"),
                                               "processes", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "accounts_full")
        self.assertEqual(report["completeness"]["unfollowed_tasks"], lost)
        self.assertLess(report.process_count, known["processes"])
        self.assertGreaterEqual(report.process_count + lost, known["processes"])
        self.assert_short_by(report, known, lost)

    def test_tasks(self):
        report, stdout = self.run_without_capacity("tasks=20", self.program("short_lived"),
                                               "processes", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "task_memory")
        self.assertEqual(report["completeness"]["unfollowed_tasks"], lost)
        self.assertEqual(report.process_count, 20)
        self.assertGreaterEqual(20 + lost, known["processes"])
        self.assert_short_by(report, known, lost)

    def test_threads(self):
        report, stdout = self.run_without_capacity("tasks=20", self.program("short_lived"),
                                               "threads", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "task_memory")
        self.assertEqual(report.totals["threads"], 20)
        self.assertGreaterEqual(20 + lost, known["threads"])
        self.assert_short_by(report, known, lost)

    def assert_short_by(self, report, known, tasks):
        (expected,) = [row for row in known["rows"] if tuple(row[:3]) == NULL]
        found = report.data_rows().get(NULL, NO_CALLS)
        self.assertLess(found["calls"], expected[3])
        self.assertLessEqual(expected[3] - found["calls"], MOST_CALLS * tasks)
        self.assertLess(found["bytes"], expected[6])

    def assert_folded(self, report, whole):
        """What is not in the rows of their own is in the row (folded); nothing is lost."""
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertGreater(report["completeness"]["folded_rows"], 0)
        self.assertEqual(report.totals["syscalls"], whole.totals["syscalls"])
        for figure in ("calls", "errors", "restarts", "bytes"):
            self.assertEqual(sum(row[figure] for row in report.totals["rows"]),
                             sum(row[figure] for row in whole.totals["rows"]), figure)
        for key, row in report.data_rows().items():
            if key[0] != "(folded)":
                self.assertLessEqual(row["calls"], whole.data_rows()[key]["calls"])

    @in_both_modes
    def test_rows(self, mode):
        program = self.program("short_lived")
        whole = self.observe(program, "processes", 300, mode=mode).report
        report = self.observe(program, "processes", 300,
                              mode=[*mode, "--strict", "--room", "rows=7"]).report
        self.assertEqual(report.process_count, 301)
        self.assert_folded(report, whole)

    def test_rows_that_are_evicted(self):
        """The kernel has few rows, and there are more kinds of calls than a task has rows."""
        command = [self.program("vectors"), self.directory / "file"]
        whole = self.observe(*command, mode=["-e", "%io"]).report
        report = self.observe(*command, mode=["-e", "%io", "--strict", "--room", "rows=2"]).report
        self.assert_folded(report, whole)

    def test_command_lines(self):
        program = self.program("short_lived")
        report, stdout = self.run_without_capacity("commands=3", program, "commands", 100)
        lost = self.lost(report, "commands_full")
        self.assertLessEqual(lost, 100)
        # All counts are complete.
        self.assert_known(program, report, stdout)

    def test_all_processes_with_capacity_for_few(self):
        for room in ("accounts=3", "tasks=3"):
            with self.subTest(room=room):
                target = self.short_lived("processes", 100)
                path = self.directory / f"{room}.json"
                attached = self.attach("-a", "--strict", "--room", room, path=path)
                self.let_live(target)
                attached.send_signal(signal.SIGINT)
                _, errors = attached.communicate(timeout=PATIENCE_S)
                self.assertEqual((attached.returncode, errors), (3, ""))
                report = Report(path.read_text())
                self.assertGreater(report["completeness"]["lost_events"], 0)

    def test_a_refused_task_is_lost_once(self):
        """However often the collector checks for free space."""
        name = f"refused{os.getpid()}"
        targets = [self.commanded(name) for _ in range(4)]
        path = self.directory / "intervals.json"
        attached = self.attach("-n", name, "--room", "tasks=2", "-i", "50ms", path=path)
        self.wait_for_intervals(path, 30)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        reports = reports_of(path)
        lost = [report["completeness"]["lost"]["task_memory"] for report in reports]
        # The first interval starts with the losses from attaching.
        self.assertEqual((lost[0], sum(lost)), (2, 2))
        for target in targets:
            self.end(target)

    def test_more_pids_than_capacity(self):
        targets = [self.commanded() for _ in range(3)]
        pids = ",".join(str(target.pid) for target in targets)
        for room in ("wanted_pids=1", "tasks=1", "accounts=1"):
            with self.subTest(room=room):
                done = self.zctrace("attach", "-p", pids, "--room", room)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"^zctrace: cannot observe process \d+: .*\n$")
        for target in targets:
            self.end(target)

    def test_invalid_capacity_is_a_usage_error(self):
        for room in ("nothing=1", "rows=0", "rows", "rows=many", "observed=4"):
            with self.subTest(room=room):
                done = self.zctrace("run", "--room", room, "--", "true")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, "^zctrace: --room: .*\nUsage: ")
