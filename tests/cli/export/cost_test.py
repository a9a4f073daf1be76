# SPDX-License-Identifier: MIT
"""`zctrace export --cost`: the run times of its BPF programs, against bpftool's."""

import os
import signal
import subprocess

from exporters import Exporter
from harness import TestCase
from kernel_objects import bpf_objects_of, bpf_programs_of, measures_run_times
from paths import PATIENCE_S, tool
from screens import WRITER
from sys import executable

LEAST_SERIES = 150 + 64


class Cost(TestCase):
    def setUp(self):
        super().setUp()
        self.writer = self.start([executable, "-c", WRITER], stdout=subprocess.PIPE, text=True)
        self.wait_for_line(self.writer.stdout, "ready")

    def test_run_times_are_those_of_bpftool(self):
        exporter = Exporter(self, "-p", self.writer.pid, "--cost")
        self.assertTrue(measures_run_times(exporter.process.pid))
        exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_bpf_run_time_seconds_total", program="zc_sys_exit"),
            "the programs run")
        before = bpf_programs_of(exporter.process.pid)
        scrape = exporter.scrape()
        after = bpf_programs_of(exporter.process.pid)
        served = {dict(labels)["program"] for name, labels in scrape.samples
                  if name == "zctrace_bpf_runs_total"}
        self.assertEqual(served, set(before))
        for name, (runs, ns) in before.items():
            with self.subTest(name):
                found = scrape.sum("zctrace_bpf_runs_total", program=name)
                self.assertLessEqual(runs, found)
                self.assertLessEqual(found, after[name][0])
                found = round(1e9 * scrape.sum("zctrace_bpf_run_time_seconds_total", program=name))
                self.assertLessEqual(ns, found)
                self.assertLessEqual(found, after[name][1])
        done = subprocess.run([tool("promtool"), "check", "metrics"], input=scrape.text, text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_its_series_are_within_the_limit(self):
        exporter = Exporter(self, "-a", "--cost", "--max-series", LEAST_SERIES)
        scrape = exporter.scrape_until(lambda scrape: scrape.sum("zctrace_folded_series_total"),
                                       "more series than there is room for")
        self.assertLessEqual(len(scrape.samples), LEAST_SERIES)
        self.assertTrue(scrape.values("zctrace_bpf_runs_total"))
        done = self.zctrace("export", "-a", "--cost", "--by-port", "--max-series", "200")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines()[0],
                         "zctrace: --max-series 200: must be at least 264 with --by-port and --cost")

    def test_the_kernel_stops_measuring_at_the_end(self):
        exporter = Exporter(self, "-p", self.writer.pid, "--cost")
        exporter.scrape_until(lambda scrape: scrape.sum("zctrace_bpf_runs_total"), "it measures")
        other = Exporter(self, "-p", self.writer.pid)
        self.assertFalse(measures_run_times(other.process.pid))
        other.scrape_until(lambda scrape: scrape.sum("zctrace_syscalls_total"), "it counts")
        self.assertTrue(bpf_objects_of(other.process.pid)["prog"])
        self.assertGreater(bpf_programs_of(other.process.pid)["zc_sys_exit"][0], 0)
        self.assertEqual(exporter.end(signal.SIGKILL), -signal.SIGKILL)

        def nothing_measured():
            """Another user of the machine may measure, too, for a while."""
            runs, _ = bpf_programs_of(other.process.pid)["zc_sys_exit"]
            calls = other.scrape().sum("zctrace_syscalls_total")
            other.scrape_until(lambda scrape: scrape.sum("zctrace_syscalls_total") > calls + 100,
                               "more calls")
            return bpf_programs_of(other.process.pid)["zc_sys_exit"][0] == runs

        self.wait_until(nothing_measured, "runs are no longer counted")

    def test_nothing_is_measured_unless_asked_for(self):
        exporter = Exporter(self, "-p", self.writer.pid)
        self.assertEqual([name for name, _ in exporter.scrape().samples if "bpf" in name], [])
        self.assertFalse(measures_run_times(exporter.process.pid))
        self.assertFalse(measures_run_times(os.getpid()))
