# SPDX-License-Identifier: MIT
"""Processes with a hundred thousand arguments cost neither memory nor room in a report."""

import re
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from report import Report

SCRIPT = "echo ready; read line"
WORDS = 100_000
MOST_KIB = 64 * 1024


class Arguments(TestCase):
    def hostile(self, count, words):
        for _ in range(count):
            process = self.start(["sh", "-c", SCRIPT, *words],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.wait_for_line(process.stdout, "ready")

    def attach(self):
        path = self.directory / "report.json"
        done = self.zctrace("attach", "-a", "-q", "-d", "200ms", "--json", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLess(path.stat().st_size, 4 << 20)
        return [one["argv"] for one in Report(path.read_text()).processes
                if one["argv"][:3] == ["sh", "-c", SCRIPT]]

    def test_many_empty_words(self):
        self.hostile(20, [""] * WORDS)
        found = self.attach()
        self.assertEqual(len(found), 20)
        for argv in found:
            self.assertEqual(argv, ["sh", "-c", SCRIPT, "…"])

    def test_one_long_word(self):
        self.hostile(3, ["a" * 100_000])
        for argv in self.attach():
            self.assertLessEqual(sum(len(word.encode()) + 1 for word in argv), 4096 + 4)
            self.assertTrue(argv[-1].endswith("a…"))

    def test_exec_while_observed(self):
        done = self.zctrace("run", "-q", "--json", self.directory / "report.json", "--", "sh", "-c",
                            "true", *[""] * WORDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        (process,) = Report((self.directory / "report.json").read_text()).processes
        self.assertEqual((len(process["argv"]), process["argv"][-1]), (257, "…"))

    def test_export_stays_small(self):
        self.hostile(20, [""] * WORDS)
        exporter = self.start([ZCTRACE, "export", "-a", "--listen", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
        url = re.search(r"http\S+", self.wait_for_line(exporter.stderr, "serving"))[0]
        for _ in range(3):
            subprocess.run(["curl", "-sS", "-o", "/dev/null", url], check=True, timeout=PATIENCE_S)
        with open(f"/proc/{exporter.pid}/status", encoding="ascii") as status:
            (peak,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
        self.assertLess(peak, MOST_KIB)
