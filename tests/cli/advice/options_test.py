# SPDX-License-Identifier: MIT
"""--advise, --advise=measure and --basis: where CPU times come from, and what is refused."""

import json
import os

from advice.advice_case import MIB, PYTHON, AdviceCase
from attached import Attach
from comparing import Comparing
from report import reports_of

# What cp does across file systems, in calls of 64 KiB.
COPY = """
import os, sys
source, sink = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
try: os.copy_file_range(source, sink, 1 << 30)
except OSError: pass
while block := os.read(source, 1 << 16): os.write(sink, block)
"""


class Basis(AdviceCase, Comparing):
    def copied(self, *options):
        report = self.advised(*PYTHON, COPY, self.source(), self.memory() / "sink",
                              options=options)
        return self.only_advice(report, "fallback")["saves"]

    def test_a_saved_report_of_compare(self):
        _, compared = self.compare("--from", "disk", "--to", "file:other-fs", "--size", "4M",
                                   "--runs", 3, "--methods", "read_write/64K,sendfile/64K")
        path = self.directory / "compare.json"
        path.write_text(json.dumps(compared))
        saves = self.copied("--advise", "--basis", path)
        cpu = {row["method"]: row["cpu_ns"] / row["bytes"]
               for row in compared["methods"]}
        expected = (cpu["read_write"] - cpu["sendfile"]) * 8 * MIB
        self.assertAlmostEqual(saves["cpu_ns"], expected, delta=1)
        self.assertIn(f"CPU time by {path}: from disk to file:other-fs, read_write with 64.0 KiB",
                      saves["basis"])

    def test_a_report_of_other_kinds_says_nothing(self):
        _, compared = self.compare("--from", "disk", "--to", "null", "--size", "1M", "--runs", 1,
                                   "--methods", "read_write/64K,sendfile/64K")
        path = self.directory / "compare.json"
        path.write_text(json.dumps(compared))
        saves = self.copied("--advise", "--basis", path)
        self.assertIsNone(saves["cpu_ns"])
        self.assertIn("no measurement from disk to file:other-fs", saves["basis"])

    def test_measuring(self):
        def files():
            return {name for directory in ("/var/tmp", "/dev/shm") for name in os.listdir(directory)
                    if not name.startswith("zctrace-test-")}

        before = files()
        saves = self.copied("--advise=measure")
        self.assertIsInstance(saves["cpu_ns"], int)
        self.assertIn("CPU time by a measurement: from disk to file:other-fs, read_write with "
                      "64.0 KiB", saves["basis"])
        self.assertEqual(files() - before, set())

    def test_nothing_is_measured_where_there_is_nothing_to_say(self):
        report = self.advised("true", options=("--advise=measure",))
        self.assertEqual(report["advice"], [])
        self.assertNotIn("measuring", report.table)


class Refused(AdviceCase):
    def refused(self, *options):
        done = self.zctrace("run", *options, "--", "touch", self.directory / "ran")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertFalse((self.directory / "ran").exists())
        # The second line is the usage.
        return done.stderr.splitlines()[0]

    def test_what_does_not_fit_together(self):
        self.assertIn("--by thread", self.refused("--advise", "--by", "thread"))
        self.assertIn("give --advise as well", self.refused("--basis", "x.json"))
        self.assertIn("invalid value 'guess'", self.refused("--advise=guess"))
        done = self.zctrace("attach", "-p", os.getpid(), "-i", "1s", "--advise=measure")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--basis FILE gives each interval", done.stderr)

    def test_files_that_are_no_reports_of_compare(self):
        path = self.directory / "basis.json"
        self.assertIn("No such file", self.refused("--advise", "--basis", path))
        self.assertIn("Is a directory", self.refused("--advise", "--basis", self.directory))
        for text, why in (("", "is not a JSON report"), ("{}", "is not a report of"),
                          ('{"schema": "zctrace/2", "command": "compare"}', "not a whole report")):
            path.write_text(text)
            line = self.refused("--advise", "--basis", path)
            self.assertIn(why, line)
            self.assertIn(str(path), line)


class Combined(AdviceCase):
    def test_files_are_listed_only_where_they_are_asked_for(self):
        command = ["cp", self.source(), self.memory() / "sink"]
        report = self.advised(*command)
        self.assertNotIn("files", report.json)
        report = self.advised(*command, options=("--advise", "--by", "file"))
        self.assertIn("files", report.json)
        self.assertTrue(report["advice"])

    def test_formats(self):
        markdown, csv = self.directory / "report.md", self.directory / "report.csv"
        self.advised("cp", self.source(), self.memory() / "sink",
                     options=("--advise", "--markdown", markdown, "--csv", csv))
        self.assertIn("### What could be done better", markdown.read_text())
        self.assertNotIn("sendfile", csv.read_text())


class OfIntervals(Attach):
    def test_each_has_its_own(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid, "--advise", "-i", "50ms")
        self.wait_for_intervals(attached.report_path, 2)
        attached.terminate()
        attached.communicate()
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        self.assertGreaterEqual(len(reports), 2)
        for report in reports:
            self.assertEqual(report["advice"], [])

    def test_a_whole_observation_has_one(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid, "--advise")
        # 5,000 writes of 7 bytes to /dev/null: the device decides nothing.
        self.tell(target, "write 5003 7")
        self.assertEqual(self.detach(attached)["advice"], [])
