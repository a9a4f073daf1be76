# SPDX-License-Identifier: MIT
"""`zctrace diff`: what changed between saved reports, and the exit status for a pipeline."""

import json
import subprocess

from saved.differing import Differing, diff_schema


class Differences(Differing):
    def test_of_two_runs(self):
        a, b = self.dd("a.json", 64), self.dd("b.json", 4096)
        figures = self.figures(a, b)
        calls = figures["row read file->user", "calls"]
        self.assertGreater(calls["a"], calls["b"])
        self.assertEqual(calls["change"], calls["b"] - calls["a"])
        self.assertIsNone(calls["significant"])
        self.assertEqual(figures["process dd", "syscalls"], {**figures["totals", "syscalls"],
                                                             "scope": "process dd"})
        done = self.diff(a, b)
        self.assertIn("better", done.stdout)
        self.assertIn("the commands differ", done.stdout)
        self.assertIn("cannot tell a change from chance", done.stdout)

    def test_of_repeated_runs(self):
        a = ",".join(str(self.dd(f"a{i}.json", 64)) for i in range(3))
        b = ",".join(str(self.dd(f"b{i}.json", 4096)) for i in range(3))
        c = ",".join(str(self.dd(f"c{i}.json", 64)) for i in range(3))
        calls = self.figures(a, b)["row read file->user", "calls"]
        self.assertIs(calls["significant"], True)
        self.assertLess(calls["interval"][1], 0)
        self.assertIs(self.figures(a, c)["row read file->user", "calls"]["significant"], False)
        self.assertNotIn("row read", self.diff(a, c).stdout)

    def test_fails_if_a_condition_holds(self):
        a, b = self.dd("a.json", 4096), self.dd("b.json", 64)
        done = self.diff("-q", "--fail-if", "syscalls>+5%", "--fail-if", "row read file->user: calls<1",
                         "--fail-if", "process dd: errors>100000", a, b, status=4)
        self.assertEqual(done.stderr.count("zctrace: failed:"), 1, done.stderr)
        self.assertIn("'syscalls>+5%' holds", done.stderr)
        self.diff("-q", "--fail-if", "syscalls>+5%", a, a)
        found = json.loads(self.diff("-q", "--json", "-", "--fail-if", "syscalls>+5%", a, b,
                                     status=4).stdout)
        self.assertEqual(found["failed"], ["syscalls>+5%"])
        diff_schema().validate(found)

    def test_refuses_conditions_that_cannot_be_meant(self):
        a = self.dd("a.json", 4096)
        for condition, message in (("sycalls>5", "did you mean 'syscalls'?"),
                                   ("process ddd: syscalls>5", "did you mean 'process dd'?"),
                                   ("syscalls", "at column 9"), ("syscalls>5%", "+5%")):
            done = self.diff("--fail-if", condition, a, a, status=2)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_refuses_a_comparison_against_a_run(self):
        compared = self.directory / "c.json"
        self.zctrace("compare", "-q", "--size", "64K", "--runs", "3", "--methods",
                     "read_write/64K,sendfile/whole", "--json", compared)
        done = self.diff(compared, self.dd("a.json", 64), status=2)
        self.assertIn("no figures in common", done.stderr)
        figures = self.figures(compared, compared)
        wall = figures["method sendfile/whole", "wall_ns"]
        self.assertEqual(wall["change"], 0)
        self.assertIs(wall["significant"], False)

    def test_compares_observations_per_second(self):
        paths = []
        for name, wait in (("a", "0.05"), ("b", "0.01")):
            target = self.start(["sh", "-c", f"while :; do cat /etc/passwd; sleep {wait}; done"],
                                stdout=subprocess.DEVNULL)
            path = self.directory / name
            self.zctrace("attach", "-q", "-p", target.pid, "-d", "1s", "-i", "100ms", "--json", path)
            target.kill()
            paths.append(path)
        figures = self.figures(*paths)
        self.assertTrue(figures["totals", "syscalls"]["per_second"])
        self.assertGreater(figures["totals", "syscalls"]["change"], 0)
        self.assertFalse(figures["totals", "cpu_copies_per_byte"]["per_second"])
