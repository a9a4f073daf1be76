# SPDX-License-Identifier: MIT
"""Where the build is, and how long a test waits before it fails."""

import os
import pathlib
import shutil
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", ROOT / "build")).resolve()
ZCTRACE = str(BUILD / "zctrace")
PROGRAMS = BUILD / "programs"
NOBODY = 65534
# A test that waits longer fails. Most waits take a second or two on an idle machine.
PATIENCE_S = 240


def tool(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise unittest.SkipTest(f"{name} is not installed")
    return path
