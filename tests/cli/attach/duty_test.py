# SPDX-License-Identifier: MIT
"""`--duty`: estimates from slices of the time, against what the observed program counted itself."""

import json
import mmap
import re
import signal
import struct
import subprocess
import sys
import urllib.request

from exporters import Exporter
from harness import TestCase
from kernel_objects import descriptors_of
from paths import PATIENCE_S, ZCTRACE
from report import Report

# Writes 97 bytes at a steady rate, as far as the machine lets it, and counts the calls in a file.
STEADY = """
import mmap, os, struct, sys, time
counted = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 8)
sink = os.open("/dev/null", os.O_WRONLY)
piece = bytes(97)
calls = 0
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(20):
        os.write(sink, piece)
        calls += 1
        struct.pack_into("Q", counted, 0, calls)
    time.sleep(0.002)
"""
BYTES = 97
LEAST_SLICES = 16
# The error holds in 95 of 100 observations, which tests/unit/model/duty tries; three times as much in
# practically all.
TIMES = 3
NULL = ("write", "user", "device")


class Duty(TestCase):
    def setUp(self):
        super().setUp()
        path = self.directory / "calls"
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self.counted = mmap.mmap(file.fileno(), 8)
        self.writer = self.start([sys.executable, "-c", STEADY, path], stdout=subprocess.PIPE,
                                 text=True)
        self.wait_for_line(self.writer.stdout, "ready")

    def calls(self):
        return struct.unpack_from("Q", self.counted)[0]

    @staticmethod
    def writes(sums):
        (row,) = [row for row in sums["rows"] if (row["syscall"], row["from"], row["to"]) == NULL]
        return row

    def links_of(self, pid):
        """The BPF links that it holds: fewer between two slices."""
        return sum(name == "anon_inode:bpf_link" for name in descriptors_of(pid))

    def links_between_and_within(self, pid):
        """How many it holds between slices, and within one. They change one by one."""
        seen = []

        def both():
            seen.append(self.links_of(pid))
            return min(seen.count(min(seen)), seen.count(max(seen))) >= 10 and len(set(seen)) > 1

        self.wait_until(both, "slices begin and end")
        self.assertGreaterEqual(max(seen) - min(seen), 3)
        return min(seen), max(seen)

    def test_the_truth_is_near_the_estimate(self):
        path = self.directory / "report.json"
        before = self.calls()
        attach = self.start([ZCTRACE, "attach", "-p", self.writer.pid, "--duty", "40%", "--json",
                             path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(attach.stderr, "observing")
        begun = self.calls()
        between, within = self.links_between_and_within(attach.pid)
        # The slices that it needs to know its error, and some more.
        for _ in range(LEAST_SLICES + 4):
            self.wait_until(lambda: self.links_of(attach.pid) == within, "a slice begins")
            self.wait_until(lambda: self.links_of(attach.pid) == between, "it ends")
        ending = self.calls()
        attach.send_signal(signal.SIGINT)
        table, errors = attach.communicate(timeout=PATIENCE_S)
        after = self.calls()
        self.assertEqual((attach.returncode, errors), (0, ""))
        report = Report(path.read_text())
        duty = report["duty"]
        self.assertEqual(duty["share"], 0.4)
        self.assertGreaterEqual(duty["slices"], LEAST_SLICES)
        share = duty["observed_ns"] / report["duration_ns"]
        self.assertTrue(0.2 < share < 0.7, share)
        (process,) = report.processes
        row = self.writes(process)
        estimate = row["estimate"]
        self.assertGreaterEqual(estimate["slices"], LEAST_SLICES)
        self.assertLess(estimate["calls_error"], row["calls"])
        margin = TIMES * estimate["calls_error"]
        self.assertGreaterEqual(row["calls"], ending - begun - margin)
        self.assertLessEqual(row["calls"], after - before + margin)
        # As many bytes in each call: only rounding differs.
        self.assertAlmostEqual(row["bytes"], BYTES * row["calls"], delta=BYTES)
        self.assertAlmostEqual(estimate["bytes_error"], BYTES * estimate["calls_error"],
                               delta=2 * BYTES)
        self.assertIsNone(row["wall_ns"])
        self.assertIsNone(row["latency_ns"])
        for figure in ("wall_ns", "disk_read_bytes", "aio:read"):
            self.assertIn("--duty", report["unknown"][figure])
        self.assertEqual(report["options"]["timing"], "none")
        for sums in (process, report.totals):
            self.assertGreaterEqual(sums["syscalls"], row["calls"])
            self.assertLess(sums["estimate"]["syscalls_error"], sums["syscalls"])
        self.assertGreater(process["user_ns"], 0)
        self.assertRegex(table, r"ESTIMATES *from \d+ slices, .* of .* \(--duty\)")
        self.assertRegex(table, r"syscalls ± [\d.]+%")
        self.assertNotIn("nothing left out", table)
        # The same from the file.
        again = self.zctrace("report", path)
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertRegex(again.stdout, r"ESTIMATES *from \d+ slices")

    def test_a_short_observation_has_estimates_without_an_error(self):
        done = self.zctrace("attach", "-p", self.writer.pid, "--duty", "10", "-d", "300ms", "-q",
                            "--json", "-")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = Report(done.stdout)
        self.assertGreaterEqual(report["duty"]["slices"], 1)
        row = self.writes(report.totals)
        self.assertGreater(row["calls"], 0)
        self.assertIsNone(row["estimate"]["calls_error"])
        self.assertIsNone(report.totals["estimate"]["syscalls_error"])

    def test_counters_of_export_only_grow_and_say_that_they_are_estimates(self):
        exporter = Exporter(self, "-p", self.writer.pid, "--duty", "20%")
        slices = 0
        before = exporter.scrape()
        while slices < 4:
            scrape = exporter.scrape_until(
                lambda found, last=slices: found.sum("zctrace_duty_slices_total") > last,
                "another slice")
            slices = scrape.sum("zctrace_duty_slices_total")
            for key, value in before.counters().items():
                self.assertGreaterEqual(scrape.samples.get(key, -1), value, key)
            before = scrape
        self.assertEqual(before.values("zctrace_duty_share"), [0.2])
        self.assertGreater(before.sum("zctrace_duty_observed_seconds_total"), 0.5)
        calls = before.sum("zctrace_syscalls_total", syscall="write", to="device")
        self.assertGreater(calls, 0)
        self.assertAlmostEqual(before.sum("zctrace_bytes_total", syscall="write", to="device"),
                               BYTES * calls, delta=BYTES)
        for name in ("zctrace_syscalls_total", "zctrace_bytes_total",
                     "zctrace_delivered_bytes_total"):
            self.assertRegex(before.text, rf"# HELP {name} Estimated from slices")
        self.assertRegex(before.text, "# HELP zctrace_lost_events_total What")
        self.assertEqual([name for name, _ in before.samples if "duration" in name], [])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{exporter.port}/api/report",
                         timeout=PATIENCE_S) as answer:
            report = Report(answer.read().decode())
        self.assertEqual(report["duty"]["share"], 0.2)

    def test_what_slices_cannot_tell_is_refused(self):
        attach = ["attach", "-p", self.writer.pid, "--duty", "10%"]
        for option in (["--verify-counts"], ["--profile"], ["--timing", "all"], ["--advise"],
                       ["--by", "file"], ["--by", "peer"], ["--stacks", "x.json"], ["--csv", "-"],
                       ["--html", "x.html"], ["--record", "x.db"], ["-i", "1s"]):
            with self.subTest(option):
                done = self.zctrace(*attach, *option, cwd=self.directory)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                line = done.stderr.splitlines()[0]
                self.assertTrue(line.startswith(f"zctrace: --duty and {option[0]}"), line)
                self.assertIn(" cannot be combined: ", line)
        for option in ("--by-port", "--by-mount"):
            done = self.zctrace("export", "-a", "--duty", "10%", option)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"zctrace: --duty and {option} cannot be combined: ", done.stderr)
        for share in ("0", "0.5%", "91%", "100%", "-3", "x", "10%%", "nan", ""):
            with self.subTest(share):
                done = self.zctrace("attach", "-p", self.writer.pid, f"--duty={share}")
                self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["calls"])

    def test_diff_refuses_estimates(self):
        path = self.directory / "report.json"
        done = self.zctrace("attach", "-p", self.writer.pid, "--duty", "10%", "-d", "100ms", "-q",
                            "--json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.zctrace("diff", path, path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, re.escape(f"{path}") + ".*estimates.*--duty")
        self.assertEqual(json.loads(path.read_text())["duty"]["share"], 0.1)
