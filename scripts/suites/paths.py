# SPDX-License-Identifier: MIT
"""The repository, and how long a test program may take."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For a program that hangs; each takes a few minutes at most. Emulated processors are slower.
PATIENCE_S = int(os.environ.get("ZCTRACE_PATIENCE_S", "900"))
