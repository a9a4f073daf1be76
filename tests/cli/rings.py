# SPDX-License-Identifier: MIT
"""FUSE over io_uring, which tests switch on for as long as they need it."""

import contextlib
import fcntl
import os
import pathlib
import unittest

PARAMETER = pathlib.Path("/sys/module/fuse/parameters/enable_uring")


def why_no_rings():
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/fuse", os.O_RDWR))  # loads the module
    if not PARAMETER.exists():
        return "this kernel has no FUSE over io_uring"
    return None if os.geteuid() == 0 else "needs root to switch FUSE over io_uring on"


@contextlib.contextmanager
def rings(on=True):
    """Switches it on or off, and afterwards back; one user at a time."""
    with open(PARAMETER, "r+", encoding="ascii") as parameter:
        fcntl.flock(parameter, fcntl.LOCK_EX)
        before = parameter.read().strip()
        PARAMETER.write_text("Y" if on else "N")
        try:
            yield
        finally:
            PARAMETER.write_text(before)


class WithRings(unittest.TestCase):
    """Its tests run while FUSE over io_uring is switched on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_no_rings()
        if reason:
            raise unittest.SkipTest(reason)
        cls.enterClassContext(rings())
