# SPDX-License-Identifier: MIT
"""Processes that fill the tables of rows and of errors."""

import collections
import errno
import pathlib
import signal

from harness import in_both_modes
from ordinary_user import AS_USER, OrdinaryUser
from paths import PATIENCE_S, ZCTRACE
from report import reports_of


class Rows(OrdinaryUser):
    def fill(self, *command):
        """Starts it as an ordinary user. Returns it, and the line that it prints when it is done."""
        filler = self.start([*AS_USER, self.program(command[0]), *command[1:]], stdin=-1,
                            stdout=-1, text=True)
        line = filler.stdout.readline()
        self.assertNotEqual(line, "")
        return filler, line

    def attach(self, path, *options):
        attached = self.start([ZCTRACE, "attach", "-a", "-q", *options, "-i", "200ms", "--json",
                               path], stdout=-1, stderr=-1, text=True)
        self.wait_until(lambda: path.exists() and reports_of(path), "the first interval")
        return attached

    def end(self, attached, filler):
        """Ends them and returns the reports."""
        attached.send_signal(signal.SIGINT)
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual((attached.returncode, errors), (0, ""))
        filler.stdin.close()
        filler.wait(timeout=PATIENCE_S)
        return reports_of(pathlib.Path(attached.args[-1]))

    def test_a_newcomer_beside_them_is_counted_exactly(self):
        attached = self.attach(self.directory / "attached.json", "--verify-counts", "--strict",
                               "--room", "rows=4096")
        filler, line = self.fill("many_rows", 60)
        self.assertGreater(60 * (int(line) - 11), 4096)
        self.run_known_dd()
        reports = self.end(attached, filler)
        self.assertEqual([report["completeness"]["lost_events"] for report in reports],
                         [0] * len(reports))
        self.assertGreater(sum(report["completeness"]["folded_rows"] for report in reports), 0)
        # It may run in two intervals.
        rows = [row for report in reports for process in report.processes
                if process["argv"][:1] == ["dd"] for row in process["rows"]]
        for key in (("read", "device", "user"), ("write", "user", "device")):
            calls = [row for row in rows if (row["syscall"], row["from"], row["to"]) == key]
            self.assertEqual((sum(row["calls"] for row in calls),
                              sum(row["bytes"] for row in calls)), (499, 499 * 1013), key)

    def run_known_dd(self):
        done = self.start(["dd", "if=/dev/zero", "of=/dev/null", "bs=1013", "count=499",
                           "status=none"])
        self.assertEqual(done.wait(timeout=PATIENCE_S), 0)

    def test_errors_of_a_newcomer_have_their_numbers(self):
        attached = self.attach(self.directory / "attached.json", "--room", "tallies=1024")
        filler, _ = self.fill("many_errors", 8, 400)
        newcomer = self.start([self.program("many_errors"), 1, 8], stdin=-1, stdout=-1, text=True)
        self.assertEqual(newcomer.stdout.readline(), "ready\n")
        newcomer.stdin.close()
        self.assertEqual(newcomer.wait(timeout=PATIENCE_S), 0)
        reports = self.end(attached, filler)
        errors = collections.Counter()
        for report in reports:
            for process in report.processes:
                for row in process["rows"]:
                    if process["parent_pid"] == newcomer.pid and row["syscall"] == "sendfile":
                        errors.update(row["errors_by"])
        self.assertEqual(errors, {errno.errorcode[number]: 1 for number in range(1, 9)})

    @in_both_modes
    def test_errors_beyond_the_capacity_of_a_process_are_counted(self, mode):
        done = self.observe(self.program("many_errors"), 1, 500, mode=mode)
        (row,) = [row for row in done.report.totals["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual((row["calls"], row["errors"]), (500, 500))
        self.assertEqual(sum(row["errors_by"].values()), 500)

    @in_both_modes
    def test_calls_in_folded_rows_are_all_there(self, mode):
        """One process of more kinds than its capacity, in a table without any."""
        whole, _ = self.run_as_user(self.program("many_rows"), 3, mode=mode)
        folded, _ = self.run_as_user(self.program("many_rows"), 3,
                                     mode=[*mode, "--room", "rows=200"])
        self.assertEqual(whole["completeness"]["folded_rows"], 0)
        self.assertGreater(folded["completeness"]["folded_rows"], 0)
        for figure in ("syscalls", "errors"):
            self.assertEqual(folded.totals[figure], whole.totals[figure])
        names = {row["syscall"] for row in folded.totals["rows"]}
        self.assertIn("(folded)", names)
