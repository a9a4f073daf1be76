# SPDX-License-Identifier: MIT
"""`-i` and `-d` of `run`."""

import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from report import Report, reports_of

LOOP = "for i in 1 2 3 4 5 6; do cat /etc/passwd >/dev/null; sleep 0.05; done; exit 7"


class Intervals(TestCase):
    def test_each_has_a_report_and_together_they_have_every_call(self):
        path, whole = self.directory / "r.json", self.directory / "whole.json"
        done = self.zctrace("run", "-i", "50ms", "--json", path, "--", "sh", "-c", LOOP)
        self.assertEqual(done.returncode, 7)
        reports = reports_of(path)
        self.assertGreater(len(reports), 2)
        self.assertEqual(done.stderr.count("Report on sh -c")
                         + done.stderr.count("no calls in this interval"), len(reports))
        self.zctrace("run", "-q", "--json", whole, "--", "sh", "-c", LOOP)
        for key, figures in Report(whole.read_text()).data_rows().items():
            sums = [report.data_rows()[key] for report in reports if key in report.data_rows()]
            self.assertEqual(sum(row["calls"] for row in sums), figures["calls"], key)
            self.assertEqual(sum(row["bytes"] for row in sums), figures["bytes"], key)

    def test_what_cannot_be_combined_is_refused(self):
        for option in ("-i", "-d"):
            done = self.zctrace("run", option, "1s", "--mount", self.directory, "--", "true")
            self.assertEqual(done.returncode, 2)
            self.assertIn("cannot be combined with --mount", done.stderr)


class Durations(TestCase):
    def start_run(self, script, *options):
        self.path = self.directory / "r.json"
        return self.start([ZCTRACE, "run", "-d", "300ms", "--json", self.path, *options, "--",
                           "sh", "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)

    def test_the_report_comes_then_and_the_command_goes_on(self):
        run = self.start_run("cat /etc/passwd >/dev/null; read x; cat /etc/group >/dev/null; exit 7")
        self.wait_for_line(run.stderr, "TIME is from entry")
        _, errors = run.communicate("go on\n", timeout=PATIENCE_S)
        self.assertEqual(run.returncode, 7, errors)
        report = Report(self.path.read_text())
        self.assertIsNone(report["exit_code"])
        self.assertEqual([process["name"] for process in report.processes], ["sh", "cat"])

    def test_a_command_that_ends_before_is_reported_as_always(self):
        done = self.zctrace("run", "-d", "5m", "--json", self.directory / "r.json", "--",
                            "sh", "-c", "exit 3")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(Report((self.directory / "r.json").read_text())["exit_code"], 3)

    def test_signals_reach_the_command_that_goes_on(self):
        run = self.start_run("trap 'exit 9' TERM; echo ready >&2; while :; do sleep 0.05; done", "-q")
        self.wait_until(lambda: self.path.exists() and self.path.stat().st_size, "the report")
        run.terminate()
        self.assertEqual(run.wait(PATIENCE_S), 9)
