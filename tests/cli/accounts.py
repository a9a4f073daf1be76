# SPDX-License-Identifier: MIT
"""Many short-lived processes whose counts are known."""

import json
import os
import signal

from attached import Attach
from paths import PATIENCE_S
from report import NO_CALLS, merge

PROCESSES = 20000
THREADS = 2000
# Bursts of short-lived processes, and how much memory zctrace may still hold afterwards. If it kept
# each process, that would be 2.2 KiB each and 129 MiB in all. A burst takes 35 MiB for a moment, and
# the thousand listed processes lie scattered over them, at worst one in each page.
BURSTS = 3
LISTED_KIB = 48 * 1024
# The most calls that move bytes in the life of one such process.
MOST_CALLS = 17


class Accounted(Attach):
    """Fixtures that wait for a signal to start, and reports that may lack what was lost."""

    def short_lived(self, kind, count):
        """The waiting fixture under a name of its own, as other tests may run at the same time."""
        path = self.directory / f"lives{os.getpid()}"
        if not path.exists():
            path.write_bytes(self.program("short_lived").read_bytes())
            path.chmod(0o755)
        return self.start([path, kind, count, "wait"], stdin=-1, stdout=-1, text=True)

    def let_live(self, process):
        """Lets the fixture start, waits until it ends, and returns what it did."""
        stdout, _ = process.communicate("x", timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0)
        process.written = len(stdout)
        return json.loads(stdout)

    def expected_rows(self, known, written):
        rows = {}
        for syscall, source, sink, calls, errors, restarts, moved in known["rows"]:
            merge(rows, (syscall, source, sink),
                  {"calls": calls, "errors": errors, "restarts": restarts, "bytes": moved})
        merge(rows, ("write", "user", "pipe"),
              {"calls": 1, "errors": 0, "restarts": 0, "bytes": written})
        return rows

    def interrupt(self, attached):
        """Ends it, even if it lost something."""
        attached.send_signal(signal.SIGINT)
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual((attached.returncode, errors), (0, ""))
        return attached.report_path.read_text()

    def assert_accounted(self, found, expected, completeness):
        """Exact if nothing was lost; otherwise no more is missing than was lost."""
        lost = completeness["lost"]
        if lost["task_memory"] + lost["accounts_full"] + lost["rows_full"] == 0:
            self.assert_same_rows(found, expected)
            return
        self.assertGreater(completeness["lost_events"], 0)
        missing = sum(row["calls"] - found.get(key, NO_CALLS)["calls"]
                      for key, row in expected.items())
        most = MOST_CALLS * completeness["unfollowed_tasks"] + lost["rows_full"]
        self.assertLessEqual(missing, most)
        self.assertGreaterEqual(missing, 0)
