# SPDX-License-Identifier: MIT
"""Targets that run commands on request, and `zctrace attach` beside them."""

import pathlib
import signal

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from processes import capabilities_of
from report import Report

NULL = ("write", "user", "device")


class Attach(TestCase):
    """Targets that run commands from the test, and `zctrace attach` beside them."""

    def commanded(self, name=None):
        """Starts the fixture, as `name` if given."""
        path = self.program("commanded")
        if name:
            copy = self.directory / name
            if not copy.exists():
                copy.write_bytes(path.read_bytes())
                copy.chmod(0o755)
            path = copy
        process = self.start([path], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ok")
        return process

    def tell(self, process, *lines):
        for line in lines:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            self.wait_for_line(process.stdout, "ok")

    def end(self, process):
        process.stdin.close()
        self.assertEqual(process.wait(timeout=PATIENCE_S), 0)

    def attach(self, *words, path=None):
        """Starts attach, and returns once it observes: it drops its capabilities right after that."""
        own = capabilities_of("self")
        path = path or self.directory / f"report-{len(list(self.directory.glob('report-*')))}"
        process = self.start([ZCTRACE, "attach", "-q", "--verify-counts", "--json", path, *words],
                             stdout=-1, stderr=-1, text=True)
        process.report_path = path

        def observes():
            if process.poll() is not None:
                self.fail(f"zctrace ended with {process.returncode}: {process.stderr.read()}")
            # Between fork and exec it is not zctrace yet.
            return (pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "zctrace\n"
                    and capabilities_of(process.pid) != own)

        self.wait_until(observes, "zctrace observes")
        return process

    def end_of(self, attached):
        """Waits until attach ends by itself, and returns its report."""
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0, errors)
        self.assertEqual(errors, "")
        report = Report(attached.report_path.read_text())
        self.assertEqual(report["command"], "attach")
        self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        self.assertEqual(report["completeness"]["unfollowed_tasks"], 0)
        self.assert_verified(report)
        return report

    def detach(self, attached, number=signal.SIGINT):
        attached.send_signal(number)
        return self.end_of(attached)

    @staticmethod
    def null_writes(process_or_totals):
        """(calls, bytes) of the writes to the null device of a process or of the totals."""
        rows = [row for row in process_or_totals["rows"]
                if (row["syscall"], row["from"], row["to"]) == NULL]
        return sum(row["calls"] for row in rows), sum(row["bytes"] for row in rows)

    def assert_writes(self, process_or_totals, calls, moved):
        self.assertEqual(self.null_writes(process_or_totals), (calls, moved))

    def pids(self, report):
        return {process["pid"] for process in report.processes}
