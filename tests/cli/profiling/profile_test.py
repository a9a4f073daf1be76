# SPDX-License-Identifier: MIT
"""`--profile`: where the CPU time of each row goes."""

import functools
import json
import pathlib
import re

from harness import TestCase, doctor
from report import Report

CLASSES = {"copy", "zero", "crypto", "checksum", "allocate", "page_cache", "filesystem", "network",
           "lock", "schedule", "entry", "user", "other"}
# Without interruption: enough calls for hundreds of samples.
COPIES = ["dd", "if=/dev/zero", "of=/dev/null", "bs=64K", "count=100000"]


@functools.cache
def why_no_profile():
    lines = [line for line in doctor().stdout.splitlines() if "CPU profile" in line]
    return None if lines and lines[0].startswith("ok") else lines


class Profile(TestCase):
    def setUp(self):
        super().setUp()
        if why_no_profile():
            self.skipTest(why_no_profile()[0])

    def assert_profile(self, profile, hz):
        self.assertEqual(profile["hz"], hz)
        if profile["samples"] == 0:
            self.assertIsNone(profile["share"])
            self.assertIsNone(profile["margin"])
            return
        self.assertEqual(set(profile["share"]), CLASSES)
        self.assertAlmostEqual(sum(profile["share"].values()), 1)
        self.assertTrue(0 < profile["margin"] <= 1)

    def test_rows_and_process_have_shares_that_add_up(self):
        report = self.observe(*COPIES, mode=["--profile=2000"]).report
        process = report["processes"][0]
        for figures in (process, report.totals, *process["rows"]):
            self.assert_profile(figures["cpu_profile"], 2000)
        self.assertGreater(process["cpu_profile"]["samples"], 0)
        self.assertLessEqual(sum(row["cpu_profile"]["samples"] for row in process["rows"]),
                             process["cpu_profile"]["samples"])

    def test_filling_with_zeros_is_not_copying(self):
        rows = self.observe(*COPIES, mode=["--profile"]).report.totals["rows"]
        profile = next(row["cpu_profile"] for row in rows
                       if (row["syscall"], row["from"]) == ("read", "device"))
        self.assertEqual(profile["hz"], 997)
        self.assertGreater(profile["share"]["zero"], profile["share"]["copy"])

    def test_without_it_there_is_no_profile(self):
        report = self.observe("true").report
        self.assertNotIn("cpu_profile", report.totals)
        self.assertNotIn("cpu_profile", report["processes"][0])

    def test_table_fits_eighty_columns_and_says_what_it_leaves_out(self):
        done = self.zctrace("run", "--profile", "--", *COPIES)
        self.assertIn("where the CPU time went", done.stderr)
        self.assertIn("997 samples a second", done.stderr)
        self.assertRegex(done.stderr, r"(?m)^read .*\d+%")

    def test_attach_has_it_in_each_interval(self):
        done = self.zctrace("attach", "-a", "-d", "0.5", "--profile", "--json", "-", "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_profile(Report(done.stdout).totals["cpu_profile"], 997)

    def test_compare_has_it_for_each_method(self):
        path = self.directory / "compared.json"
        done = self.zctrace("compare", "--size", "8M", "--runs", "1", "--profile", "--methods",
                            "read_write/64K,sendfile/whole", "--json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        for method in json.loads(path.read_text())["methods"]:
            self.assert_profile(method["cpu_profile"], 997)


class Refused(TestCase):
    """Bad rates are usage errors that name the range."""

    def assert_refused(self, *options):
        done = self.zctrace("run", *options, "--", "true")
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_rates_out_of_range(self):
        for rate in ("0", "10001", "1000000", "-1", "99999999999999999999", "many", "1.5"):
            with self.subTest(rate):
                error = self.assert_refused(f"--profile={rate}")
                self.assertIn("1 to 10000", error)
                self.assertIn("perf_event_max_sample_rate", error)

    def test_not_together_with_no_latency(self):
        self.assertIn("--no-latency", self.assert_refused("--profile", "--no-latency"))

    def test_highest_rate_works_unless_the_kernel_allows_less(self):
        limit = pathlib.Path("/proc/sys/kernel/perf_event_max_sample_rate").read_text().strip()
        done = self.zctrace("run", "-q", "--profile=10000", "--", "true")
        if int(limit) < 10000:
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(limit, done.stderr)
        elif not why_no_profile():
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_export_has_no_profile(self):
        done = self.zctrace("export", "--profile")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(re.search("--profile", done.stderr))
