# SPDX-License-Identifier: MIT
"""`zctrace top --cost`: its line, against bpftool."""

import re

from kernel_objects import bpf_programs_of, measures_run_times
from screens import Top

UNITS_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
# Of what compact_ns() writes, the digits that it leaves out.
ROUNDING = 0.06


def total_ns(text):
    found = re.search(r"BPF programs (?:(\d+)m)?([\d.]+)(ns|us|ms|s) of a CPU", text)
    return found and 60e9 * int(found[1] or 0) + float(found[2]) * UNITS_NS[found[3]]


class Cost(Top):
    def test_totals_are_those_of_bpftool(self):
        window = self.busy(f"{self.targets} -i 200ms --cost")
        text = window.wait_for(
            r"cost: BPF programs \d+(\.\d)?% of a CPU  a call [\d.]+[nu]s  "
            r"a switch [\d.]+[nu]s  zctrace \d+(\.\d)?%")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        pid = self.pid_of_top(window)
        self.assertTrue(measures_run_times(pid))
        window.type("t")

        def run_time_ns():
            # The walk is part of zctrace's own CPU time.
            return sum(ns for name, (_, ns) in bpf_programs_of(pid).items() if name != "zc_walk")

        before = run_time_ns()
        shown = self.wait_until(
            lambda: (found := total_ns(window.text())) and found >= before * (1 - ROUNDING) and found,
            "the screen has what bpftool had")
        self.assertLessEqual(shown * (1 - ROUNDING), run_time_ns())

    def test_it_is_not_there_unless_asked_for(self):
        window = self.busy()
        self.assertNotIn("cost:", window.text())
        self.assertFalse(measures_run_times(self.pid_of_top(window)))
