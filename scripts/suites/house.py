# SPDX-License-Identifier: MIT
"""Runs scripts/house: one test of the whole source tree."""

import subprocess

from .paths import PATIENCE_S, ROOT
from .tally import Suite


def run(selection):
    """Yields the suite."""
    if not selection.has("house"):
        return
    done = subprocess.run([ROOT / "scripts" / "house"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE_S, check=False)
    counts = done.stdout.strip().removeprefix("ok   house: ")
    suite = Suite("house" if done.returncode else f"house, {counts}")
    if done.returncode:
        suite.failures = {"house": done.stdout}
    else:
        suite.passed = 1
    yield suite
