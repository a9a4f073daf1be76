# SPDX-License-Identifier: MIT
"""Two instances of zctrace observe the same processes."""

from accounts import Accounted
from harness import in_both_modes
from paths import ZCTRACE
from report import Report, merge


class TwoObservers(Accounted):
    """Each instance has its own programs, maps and counts."""

    @in_both_modes
    def test_attached_to_the_same_process(self, mode):
        target = self.short_lived("processes", 500)
        first = self.attach("-p", target.pid, *mode, path=self.directory / "first.json")
        second = self.attach("-p", target.pid, path=self.directory / "second.json")
        known = self.let_live(target)
        expected = self.expected_rows(known, target.written)
        for attached in (first, second):
            report = self.end_of(attached)
            self.assert_same_rows(report.data_rows(), expected)
            self.assertEqual(report.process_count, known["processes"])

    def test_run_around_run(self):
        """Both the inner and the outer instance count the inner one's command exactly."""
        program = self.program("short_lived")
        inner, outer = self.directory / "inner.json", self.directory / "outer.json"
        done = self.zctrace("run", "-q", "--max-processes", 1000, "--json", outer, "--",
                            ZCTRACE, "run", "-q", "--json", inner, "--",
                            program, "processes", 300)
        self.assertEqual(done.returncode, 0, done.stderr)
        inner, outer = Report(inner.read_text()), Report(outer.read_text())
        for report in (inner, outer):
            self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assert_known(program, inner, done.stdout)
        theirs = [process for process in outer.processes if process["name"] == "short_lived"]
        self.assertEqual(len(theirs), 301)
        # Before its exec the command is a fork of zctrace, which only the outer instance observes: it
        # waits in a read for the gate to open. All other counts are the same.
        found, gate = {}, ("read", "pipe", "user")
        for process in theirs:
            for row in process["rows"]:
                if row["copy"] != "none":
                    merge(found, (row["syscall"], row["from"], row["to"]), row)
        found.pop(gate, None)
        self.assert_same_rows(found, inner.data_rows())
        observers = [process for process in outer.processes if process["name"] == "zctrace"]
        self.assertEqual(len(observers), 1)

    def test_run_around_cat(self):
        path = self.directory / "file"
        path.write_bytes(b"x" * 300007)
        done = self.zctrace("run", "-q", "--json", self.directory / "outer.json", "--",
                            ZCTRACE, "run", "-q", "--json", self.directory / "inner.json", "--",
                            "cat", path)
        self.assertEqual((done.returncode, len(done.stdout)), (0, 300007), done.stderr)
        for name in ("inner.json", "outer.json"):
            report = Report((self.directory / name).read_text())
            self.assertEqual(report["completeness"]["lost_events"], 0)
            (cat,) = [process for process in report.processes if process["name"] == "cat"]
            written = [row for row in cat["rows"] if (row["from"], row["to"]) == ("user", "pipe")]
            self.assertEqual(sum(row["bytes"] for row in written), 300007)
