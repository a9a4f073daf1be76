# SPDX-License-Identifier: MIT
"""Runs `make lint`, which takes minutes: one test of the sources, on CPU time that nothing else wants."""

import contextlib
import os
import signal
import subprocess
import tempfile

from .paths import ROOT
from .tally import Suite

# A session has a share of the CPUs of its own on many machines (autogroup), so the policy is not enough.
LEAST = ["chrt", "--idle", "0", "sh", "-c", 'echo 19 >/proc/self/autogroup 2>/dev/null; exec "$@"', "sh"]
# After all other tests have ended.
PATIENCE_S = 3600


@contextlib.contextmanager
def deferred(*numbers):
    """Signals that come meanwhile are handled at the end."""
    came = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in came:
        handlers[number](number, None)


class Lint:
    """`make lint` in a session of its own. stop() it, whatever happens after start()."""

    def __init__(self, build):
        self.command = [*LEAST, "make", "-k", f"-j{os.cpu_count() or 1}", f"BUILD={os.path.relpath(build, ROOT)}",
                        "lint"]
        # Variables of the make that runs the tests are not for this one.
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.output = None
        self.make = None

    def start(self):
        # A signal in the middle of it would leave a process that is not known here.
        with deferred(signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            self.output = tempfile.TemporaryFile()
            self.make = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                                         stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)

    def stop(self):
        if self.make and self.make.poll() is None:
            os.killpg(self.make.pid, signal.SIGTERM)
            self.make.wait()

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
