# SPDX-License-Identifier: MIT
"""The definition of the command line, and the pages and completions made from it."""

import functools
import json
import os
import subprocess

from paths import PATIENCE_S, ROOT, ZCTRACE


@functools.cache
def definition():
    """What `zctrace help --json` prints: scripts/reference makes everything from it."""
    done = subprocess.run([ZCTRACE, "help", "--json"], capture_output=True, text=True, check=True,
                          timeout=PATIENCE_S)
    return json.loads(done.stdout)


def options(command):
    return [option for group in command["groups"] for option in group["options"]]


def write_reference(directory, program=ZCTRACE, **environment):
    """Writes man/ and completions/ of a program into a directory."""
    subprocess.run([ROOT / "scripts" / "reference", program, directory], check=True,
                   env={**os.environ, **environment}, timeout=PATIENCE_S)
