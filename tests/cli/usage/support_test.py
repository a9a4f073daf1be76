# SPDX-License-Identifier: MIT
"""scripts/support writes what kernels offer from what their guests left."""

import json
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ROOT, ZCTRACE


def check(name, state, detail="what it is for"):
    return {"name": name, "state": state, "detail": detail, "remedy": None}


class Support(TestCase):
    needs_bpf = False

    def result(self, kernel, checks, **more):
        path = self.directory / f"{kernel}.json"
        path.write_text(json.dumps({
            "kernel": kernel, "architecture": "amd64", "tally": "no test was counted",
            "smoke": {"ok": 13, "FAIL": 0}, "date": "2026-11-29", "passed": True,
            "doctor": {"version": "9.9", "can_observe": True, "can_mount": True,
                       "can_watch_fuse": False, "checks": checks}} | more))
        return path

    def support(self, *results):
        page = self.directory / "support.md"
        done = subprocess.run([ROOT / "scripts" / "support", page, ZCTRACE, *results], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        return done, page.read_text() if page.exists() else None

    def test_each_kernel_is_a_column_and_each_check_of_it_a_row(self):
        done, page = self.support(
            self.result("6.12.1", [check("tracepoint new", "ok", "more"), check("BTF", "ok"),
                                   check("tracepoint renamed", "ok", "much")],
                        tally="5 passed, 0 failed, 1 skipped"),
            self.result("6.1.2", [check("tracepoint new", "absent", "not in this kernel: no more"),
                                  check("tracepoint old", "ok", "much"),
                                  check("processes", "absent"), check("BTF", "ok")]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = {cells[0]: cells[1:3] for cells in
                ([cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()
                 if line.startswith("|"))}
        self.assertEqual(rows[""], ["Linux 6.1.2", "Linux 6.12.1"])
        self.assertEqual(rows["`new`: more"], ["no", "yes"])
        self.assertEqual(rows["`renamed` or `old`: much"], ["yes", "yes"])
        self.assertEqual(rows["BTF"], ["yes", "yes"])
        self.assertEqual(rows["`fuse`"], ["no", "no"])
        self.assertEqual(rows["tests that passed"],
                         ["13 of 13 smoke tests", "13 of 13 smoke tests, 5 passed, 0 failed, 1 skipped"])
        self.assertNotIn("processes", rows)
        self.assertIn("- tracepoint new: not in this kernel: no more.\n", page)

    def test_a_kernel_on_which_tests_failed_writes_nothing(self):
        done, page = self.support(self.result("6.1.2", [check("BTF", "ok")], passed=False))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "support: tests failed on 6.1.2; nothing was written\n")
        self.assertIsNone(page)

    def test_a_guest_that_did_not_get_to_doctor_writes_nothing(self):
        result = self.result("6.1.2", [], doctor=None)
        done, page = self.support(result)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"support: {result}: `zctrace doctor` did not run in the guest; "
                                      "see its output\n")
        self.assertIsNone(page)
