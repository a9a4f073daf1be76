# SPDX-License-Identifier: MIT
"""Runs of `zctrace compare` and their rows."""

import json
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from report import schema


class Comparing(TestCase):
    def compare(self, *options, expect=0):
        done = subprocess.run([ZCTRACE, "compare", "--json", "-", "-q", *map(str, options)],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, expect, done.stderr)
        report = json.loads(done.stdout)
        schema().validate(report)
        return self.rows_of(report), report

    @staticmethod
    def rows_of(report):
        """The rows of a report by their labels."""
        return {row["label"]: row for row in report["methods"]}
