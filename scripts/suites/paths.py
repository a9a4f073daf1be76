# SPDX-License-Identifier: MIT
"""The repository, and how long a test program may take."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For a program that hangs; each takes less than a minute.
PATIENCE_S = 900
