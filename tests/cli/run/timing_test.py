# SPDX-License-Identifier: MIT
"""--timing: which calls are timed, and what a report says about the others."""

import csv
import io

from harness import TestCase

# The kernel side times so many calls of a row in any case.
TIMED_AT_FIRST = 4096
CALLS = 30_011
LOOP = ("dd", "if=/dev/zero", "of=/dev/null", "bs=64", f"count={CALLS}", "status=none")


class Timing(TestCase):
    """A loop of many reads and writes."""

    def rows(self, *mode, command=LOOP):
        report = self.observe(*command, mode=list(mode)).report
        return report, [row for row in report.totals["rows"] if row["calls"] > 0]

    def busy(self, rows):
        busy = [row for row in rows if row["calls"] > 2 * TIMED_AT_FIRST]
        self.assertEqual(sorted(row["syscall"] for row in busy), ["read", "write"])
        return busy

    def test_adaptive_is_the_default(self):
        report, rows = self.rows()
        self.assertEqual(report["options"]["timing"], "adaptive")
        for row in self.busy(rows):
            latency = row["latency_ns"]
            self.assertGreaterEqual(row["calls"], CALLS)
            self.assertEqual(row["bytes"] // 64, CALLS)
            self.assertGreater(latency["timed_calls"], TIMED_AT_FIRST)
            self.assertLess(latency["timed_calls"], row["calls"] // 2)
            self.assertEqual(latency["timed_calls"] + latency["untimed_calls"], row["calls"])
            self.assertGreater(row["wall_error_ns"], 0)
            self.assertLessEqual(row["off_cpu_ns"], row["wall_ns"])
        for row in rows:
            if row["calls"] < TIMED_AT_FIRST and row["latency_ns"]:
                self.assertEqual(row["wall_error_ns"], 0, row["syscall"])
                self.assertNotIn("untimed_calls", row["latency_ns"])

    def test_all_times_every_call(self):
        report, rows = self.rows("--timing", "all")
        self.assertEqual(report["options"]["timing"], "all")
        for row in self.busy(rows):
            self.assertEqual(row["latency_ns"]["timed_calls"], row["calls"])
            self.assertEqual(row["wall_error_ns"], 0)

    def test_none_is_no_latency(self):
        for option in (["--timing", "none"], ["--no-latency"]):
            with self.subTest(option):
                report, rows = self.rows(*option)
                self.assertEqual(report["options"]["timing"], "none")
                self.assertFalse(report["latency_measured"])
                for row in self.busy(rows):
                    self.assertIsNone(row["wall_ns"])
                    self.assertIsNone(row["wall_error_ns"])

    def test_counts_do_not_depend_on_it(self):
        seen = []
        for timing in ("adaptive", "all", "none"):
            _, rows = self.rows("--timing", timing, "--verify-counts", "--strict")
            seen.append({row["syscall"]: (row["calls"], row["bytes"], row["errors"],
                                          row["cpu_copied_bytes"]) for row in self.busy(rows)})
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])

    def test_the_table_marks_estimates(self):
        done = self.zctrace("run", "--", *LOOP)
        self.assertIn("~", done.stderr)
        self.assertIn("TIME with ~ is estimated", " ".join(done.stderr.split()))
        for command in (["--timing", "all", "--", *LOOP], ["--", "true"]):
            self.assertNotIn("~", self.zctrace("run", *command).stderr)

    def test_csv_has_the_error(self):
        done = self.zctrace("run", "-q", "--csv", "-", "--", *LOOP)
        rows = {row["syscall"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
        self.assertGreater(int(rows["write"]["wall_error_ns"]), 0)

    def test_intervals_and_recordings_have_estimates(self):
        recording = self.directory / "recording"
        done = self.zctrace("run", "-q", "--record", recording, "--", *LOOP)
        self.assertEqual(done.returncode, 0, done.stderr)
        again = self.zctrace("report", recording)
        self.assertIn("TIME with ~ is estimated", " ".join(again.stdout.split()))

    def test_what_is_refused(self):
        done = self.zctrace("run", "--timing", "al", "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean", done.stderr)
        done = self.zctrace("run", "--timing", "all", "--no-latency", "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--no-latency", done.stderr)
