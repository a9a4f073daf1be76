# SPDX-License-Identifier: MIT
"""Runs `make lint`, which takes minutes: one test of the sources, on CPU time that nothing else wants."""

import os
import signal
import subprocess
import tempfile

from .paths import ROOT
from .tally import Suite

# A session has a share of the CPUs of its own on many machines (autogroup), so the policy is not enough.
LEAST = ["chrt", "--idle", "0", "sh", "-c", 'echo 19 >/proc/self/autogroup 2>/dev/null; exec "$@"', "sh"]
# The tests leave half of two CPUs to it.
PATIENCE_S = 3600


class Lint:
    """Starts it; with `with`, it does not outlive the block."""

    def __init__(self, build):
        # Variables of the make that runs the tests are not for this one.
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.output = tempfile.TemporaryFile()
        self.make = subprocess.Popen(
            [*LEAST, "make", "-k", f"-j{os.cpu_count() or 1}", f"BUILD={os.path.relpath(build, ROOT)}", "lint"],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.make.poll() is None:
            os.killpg(self.make.pid, signal.SIGTERM)
            self.make.wait()
        self.output.close()

    def suite(self):
        """Waits for its end."""
        try:
            status = self.make.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            status = f"none within {PATIENCE_S} s"
        suite = Suite("lint")
        if status == 0:
            suite.passed = 1
        else:
            self.output.seek(0)
            text = self.output.read().decode(errors="backslashreplace")
            suite.failures = {"lint": f"exit status {status}\n{text[-6000:]}"}
        return suite
