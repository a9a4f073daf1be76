# SPDX-License-Identifier: MIT
"""What strace counts of a command."""

import re
import subprocess
import tempfile

from paths import PATIENCE_S

# Commands behave differently on pipes, files and terminals, so each observer gets the same streams.
SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def strace_counts(*command, **options):
    """syscall -> (calls, errors) as `strace -c -f` counts them."""
    with tempfile.NamedTemporaryFile("r", prefix="zctrace-strace-") as summary:
        subprocess.run(["strace", "-c", "-f", "-U", "calls,errors,name", "-o", summary.name,
                        *map(str, command)], timeout=PATIENCE_S, check=True, **SILENT, **options)
        counts = {}
        for line in summary:
            found = re.fullmatch(r"\s*(\d+)\s+(\d+\s+)?(\w+)\s*", line)
            if found and found[3] != "total":
                # strace prints a table for each ABI.
                calls, errors = counts.get(found[3], (0, 0))
                counts[found[3]] = (calls + int(found[1]), errors + int(found[2] or 0))
        return counts
