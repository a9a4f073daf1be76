# SPDX-License-Identifier: MIT
"""Runs zctrace as a user does, and compares its reports with what is known."""

import contextlib
import errno
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from paths import PATIENCE_S, PROGRAMS, ZCTRACE
from processes import is_running
from report import NO_CALLS, Report, merge, whole_lines

# Keeps this file's own lines out of a failure's traceback.
__unittest = True

MODES = {"with_latency": [], "no_latency": ["--no-latency"]}
# Every call has a row of its own.
ALL = ["-e", "%all"]


def in_both_modes(test):
    """Turns test(self, mode) into two tests; `mode` is a list of options."""
    test.in_both_modes = True
    return test


@functools.cache
def runs_32_bit_programs():
    """False where the kernel refuses them, as it does with IA-32 emulation off."""
    try:
        subprocess.run([PROGRAMS / "exec_m32"], env={"KNOW_NOTHING": "1"}, timeout=PATIENCE_S,
                       stdout=subprocess.DEVNULL)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return False
    return True


@functools.cache
def doctor():
    return subprocess.run([ZCTRACE, "doctor"], capture_output=True, text=True, timeout=PATIENCE_S)


def why_not_observable():
    """None if `zctrace run` works, otherwise the reason that doctor gives."""
    if doctor().returncode == 0:
        return None
    missing = [line for line in doctor().stdout.splitlines() if line.startswith("MISSING")]
    return "; ".join(" ".join(line.split()) for line in missing) or doctor().stderr.strip()


class Observed:
    """The status, the output and the report of a finished `zctrace run`."""

    def __init__(self, status, stdout, stderr, report):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.report = report


class TestCase(unittest.TestCase):
    """A temporary directory for each test, and helpers to run zctrace and check its report."""

    maxDiff = None
    needs_bpf = True

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        for name, test in list(vars(cls).items()):
            if not getattr(test, "in_both_modes", False):
                continue
            delattr(cls, name)
            for mode, options in MODES.items():
                def bound(self, test=test, options=options):
                    test(self, options)
                bound.__doc__ = test.__doc__
                setattr(cls, f"{name}_{mode}", bound)

    @classmethod
    def setUpClass(cls):
        reason = why_not_observable() if cls.needs_bpf else None
        if reason:
            raise unittest.SkipTest(reason)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="zctrace-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        # Other users run programs in it too.
        self.directory.chmod(0o777)

    # --- running -----------------------------------------------------------------------

    def start(self, words, **options):
        """Starts a process; the test kills it and waits for it at its end, even if it fails."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in words], **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()

        self.addCleanup(end)
        return process

    def zctrace(self, *words, **options):
        """Runs zctrace until it ends; its output is text."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([ZCTRACE, *map(str, words)], text=True, errors="surrogateescape",
                              timeout=PATIENCE_S, check=False, **options)

    def observe(self, *command, mode=(), status=0, **options):
        """Runs a command with a known exit status under `zctrace run`. Nothing may be lost, and the
        counts must equal the kernel's."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "--verify-counts", *mode, "--json", path, "--", *command,
                            **options)
        self.assertEqual(done.returncode, status, done.stderr)
        report = Report(path.read_text())
        path.unlink()
        self.assertEqual(report["exit_code"], status)
        self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        self.assertEqual(report["completeness"]["unfollowed_tasks"], 0)
        self.assert_verified(report)
        self.assertEqual(report["argv"], [os.fsencode(str(word)).decode(errors="replace")
                                          for word in command])
        return Observed(done.returncode, done.stdout, done.stderr, report)

    def assert_verified(self, report):
        """The counts of every process that could be compared equal the kernel's own."""
        verification = report["completeness"]["verification"]
        differences = verification["differences"]
        if os.environ.get("ZCTRACE_SANITIZER") == "thread":
            # The sanitizer's thread runs in the child until the exec, before it is observed.
            differences = [found for found in differences if not found["with_descendants"]]
        self.assertEqual(differences, [])
        self.assertEqual(verification["not_compared"]["no_room"], 0)
        self.assertEqual(verification["compared_processes"]
                         + sum(verification["not_compared"].values()), report.process_count)

    # --- comparing with what a fixture counted ---------------------------------------------

    def program(self, name):
        path = PROGRAMS / name
        self.assertTrue(path.exists(), f"{path} is not built: make tests")
        # int80 is a 64-bit program that enters the kernel as a 32-bit one does.
        if (name == "int80" or name.endswith("_m32")) and not runs_32_bit_programs():
            self.skipTest("this kernel runs no 32-bit programs")
        return path

    _rows_before_main = {}

    def rows_before_main(self, program):
        """What the dynamic loader moves: with KNOW_NOTHING a fixture ends right after it."""
        if program not in TestCase._rows_before_main:
            rows = self.observe(program, env={**os.environ, "KNOW_NOTHING": "1"}).report.data_rows()
            del rows["write", "user", "pipe"]
            TestCase._rows_before_main[program] = rows
        return TestCase._rows_before_main[program]

    def observe_fixture(self, name, *arguments, mode=(), **options):
        """Observes a fixture and compares every row with what the fixture counted."""
        program = self.program(name)
        observed = self.observe(program, *arguments, mode=mode, **options)
        observed.known = self.assert_known(program, observed.report, observed.stdout)
        return observed

    def assert_known(self, program, report, stdout):
        known = json.loads(stdout.splitlines()[-1])
        if "skip" in known:
            self.skipTest(known["skip"])
        expected = {}
        for key, row in self.rows_before_main(program).items():
            for _ in range(known.get("execs", 1)):
                merge(expected, key, row)
        # The fixture prints its counts with one more write.
        merge(expected, ("write", "user", "pipe"),
              {"calls": 1, "errors": 0, "restarts": 0, "bytes": len(stdout)})
        plain = {}
        for syscall, source, sink, calls, errors, restarts, moved in known["rows"]:
            row = {"calls": calls, "errors": errors, "restarts": restarts, "bytes": moved}
            if (source, sink) == ("other", "other"):
                plain[syscall] = row
            else:
                merge(expected, (syscall, source, sink), row)
        self.assert_same_rows(report.data_rows(), expected)
        if self.has_every_row(report):
            calls = report.calls()
            self.assert_same_rows({name: calls.get(name, NO_CALLS) for name in plain}, plain)
        if "processes" in known:
            self.assertEqual(report.process_count, known["processes"])
        if "threads" in known:
            self.assertEqual(report.totals["threads"], known["threads"])
        self.assertEqual(report["completeness"]["compat_syscalls"], known.get("compat", 0))
        self.assertEqual(report["completeness"]["in_flight_at_end"], 0)
        if "in_kernel" in known:
            self.assertEqual(report.totals["in_kernel_bytes"], known["in_kernel"])
        return known

    def assert_same_rows(self, found, expected):
        """Shows only the rows that differ."""
        wrong = [f"{key}: found {found.get(key, NO_CALLS)}, expected {expected.get(key, NO_CALLS)}"
                 for key in sorted(found.keys() | expected.keys())
                 if found.get(key, NO_CALLS) != expected.get(key, NO_CALLS)]
        if wrong:
            self.fail("\n" + "\n".join(wrong))

    @staticmethod
    def has_every_row(report):
        """Whether the report is one of -e %all."""
        return any(row["syscall"] == "execve" for row in report.totals["rows"])

    # --- waiting ---------------------------------------------------------------------------

    def wait_until(self, condition, what):
        """Polls the condition, for events that send no notification."""
        deadline = time.monotonic() + PATIENCE_S
        while not (result := condition()):
            self.assertLess(time.monotonic(), deadline, f"never happened: {what}")
            time.sleep(0.005)
        return result

    def wait_for_intervals(self, path, count):
        """Waits until `count` more intervals are in the file, so that what happens before and after
        is in different intervals."""
        # The first of them may have begun before this call.
        wanted = len(whole_lines(path)) + count + 1
        self.wait_until(lambda: len(whole_lines(path)) >= wanted, f"{count} intervals end")

    def wait_for_line(self, stream, wanted):
        """Reads lines until one contains `wanted`; the end of the stream is a failure."""
        for line in stream:
            if wanted in line:
                return line
        self.fail(f"the stream ended without {wanted!r}")

    def make_fifo(self):
        """A FIFO for a program to wait at; the test opens it at its end."""
        path = self.directory / "fifo"
        os.mkfifo(path)
        self.addCleanup(self.open_fifo, path)
        return path

    @staticmethod
    def open_fifo(path):
        with contextlib.suppress(OSError):  # ENXIO: no process waits
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

    def assert_gone(self, pid):
        self.wait_until(lambda: not is_running(pid), f"process {pid} ends")
