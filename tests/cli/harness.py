# SPDX-License-Identifier: MIT
"""Runs zctrace as a user does, and compares its reports with what is known."""

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import jsonschema

# Keeps this file's own lines out of a failure's traceback.
__unittest = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", ROOT / "build")).resolve()
ZCTRACE = str(BUILD / "zctrace")
PROGRAMS = BUILD / "programs"
NOBODY = 65534

MODES = {"with_latency": [], "no_latency": ["--no-latency"]}

# What hangs is a failure; little here takes more than a second or two on an idle machine.
PATIENCE_S = 240


NO_CALLS = {"calls": 0, "errors": 0, "restarts": 0, "bytes": 0}


def in_both_modes(test):
    """Makes two tests of test(self, mode): `mode` is a list of options."""
    test.in_both_modes = True
    return test


@functools.cache
def doctor():
    return subprocess.run([ZCTRACE, "doctor"], capture_output=True, text=True, timeout=PATIENCE_S)


def why_not_observable():
    """None where `zctrace run` works, otherwise doctor's reason."""
    if doctor().returncode == 0:
        return None
    missing = [line for line in doctor().stdout.splitlines() if line.startswith("MISSING")]
    return "; ".join(" ".join(line.split()) for line in missing) or doctor().stderr.strip()


@functools.cache
def schema():
    text = subprocess.run([ZCTRACE, "run", "--json-schema"], capture_output=True, text=True,
                          check=True, timeout=PATIENCE_S).stdout
    return jsonschema.Draft202012Validator(json.loads(text))


def merge(into, key, row):
    sums = into.setdefault(key, dict(NO_CALLS))
    for field in sums:
        sums[field] += row[field]


class Report:
    """A JSON report that was checked against the schema."""

    def __init__(self, text):
        self.json = json.loads(text)
        schema().validate(self.json)

    def __getitem__(self, name):
        return self.json[name]

    @property
    def totals(self):
        return self.json["totals"]

    @property
    def processes(self):
        return self.json["processes"]

    @property
    def process_count(self):
        return len(self.processes) + self["other_processes"]["count"]

    def process(self, pid):
        (found,) = [process for process in self.processes if process["pid"] == pid]
        return found

    def data_rows(self):
        """(syscall, from, to) -> counts, of everything that can move bytes."""
        rows = {}
        for row in self.totals["rows"]:
            if row["copy"] != "none":
                merge(rows, (row["syscall"], row["from"], row["to"]), row)
        return rows

    def calls(self):
        """syscall -> counts, whatever it moved between."""
        rows = {}
        for row in self.totals["rows"]:
            merge(rows, row["syscall"], row)
        return rows

    def bytes(self, syscall, source, sink):
        rows = [row for row in self.totals["rows"]
                if (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]
        return sum(row["bytes"] for row in rows)


def whole_lines(path):
    """Of a file that is being written: its last line may not be whole yet."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def reports_of(path):
    """Those of -i, a line each."""
    return [Report(line) for line in path.read_text().splitlines()]


class Observed:
    """What a finished `zctrace run` left: its status, its streams, its report."""

    def __init__(self, status, stdout, stderr, report):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.report = report


class TestCase(unittest.TestCase):
    """A directory of its own, gone afterwards, and helpers around one run of zctrace."""

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
        # Other users, too, run programs in it.
        self.directory.chmod(0o777)

    # --- running -----------------------------------------------------------------------

    def start(self, words, **options):
        """Starts a process that is killed and reaped whatever becomes of the test."""
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
        """Runs zctrace to its end; its streams come back as text."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([ZCTRACE, *map(str, words)], text=True, errors="surrogateescape",
                              timeout=PATIENCE_S, check=False, **options)

    def observe(self, *command, mode=(), status=0, **options):
        """`zctrace run` of a command whose exit status is known; nothing may be lost, and the
        counts must be the kernel's."""
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
        """The counts equal the kernel's own, of every process that could be read at rest."""
        verification = report["completeness"]["verification"]
        differences = verification["differences"]
        if os.environ.get("ZCTRACE_SANITIZER") == "thread":
            # Its own thread runs in the child up to the exec, before the child is observed.
            differences = [found for found in differences if not found["with_descendants"]]
        self.assertEqual(differences, [])
        self.assertEqual(verification["not_compared"]["no_room"], 0)
        self.assertEqual(verification["compared_processes"]
                         + sum(verification["not_compared"].values()), report.process_count)

    # --- comparing with a fixture's own account -------------------------------------------

    def program(self, name):
        path = PROGRAMS / name
        self.assertTrue(path.exists(), f"{path} is not built: make tests")
        return path

    _rows_before_main = {}

    def rows_before_main(self, program):
        """What the dynamic loader moves; a fixture that is told to ends right after it."""
        if program not in TestCase._rows_before_main:
            rows = self.observe(program, env={**os.environ, "KNOW_NOTHING": "1"}).report.data_rows()
            del rows["write", "user", "pipe"]
            TestCase._rows_before_main[program] = rows
        return TestCase._rows_before_main[program]

    def observe_fixture(self, name, *arguments, mode=(), **options):
        """Observes a fixture and checks every row against what the fixture says it did."""
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
        # The line that says what is known is itself one write.
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
        """For what tells nobody when it happens: asks until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not (result := condition()):
            self.assertLess(time.monotonic(), deadline, f"never happened: {what}")
            time.sleep(0.005)
        return result

    def wait_for_intervals(self, path, count):
        """Until so many more of -i are read and written to the file: what is done before and after
        this is in different ones, however fast it is done."""
        # The first one may have been read already.
        wanted = len(whole_lines(path)) + count + 1
        self.wait_until(lambda: len(whole_lines(path)) >= wanted, f"{count} intervals end")

    def wait_for_line(self, stream, wanted):
        """Reads lines up to one that holds `wanted`; the stream's end is a failure."""
        for line in stream:
            if wanted in line:
                return line
        self.fail(f"the stream ended without {wanted!r}")

    def make_fifo(self):
        """A FIFO that a program may wait at; it does not do so longer than the test."""
        path = self.directory / "fifo"
        os.mkfifo(path)
        self.addCleanup(self.open_fifo, path)
        return path

    @staticmethod
    def open_fifo(path):
        with contextlib.suppress(OSError):  # ENXIO: nobody waits
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

    def assert_gone(self, pid):
        self.wait_until(lambda: not is_running(pid), f"process {pid} ends")


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def children(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(word) for word in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def argv_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    return []


def waits_in_call(pid):
    """Whether every task of the process sleeps inside a call."""
    try:
        calls = [(task / "syscall").read_text().split()[0]
                 for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # -1: off its CPU for another reason, as a page that is read from the disk.
    return bool(calls) and not {"running", "-1"} & set(calls)


# What streams are decides what commands do with them: the same for each observer.
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
                # There is a table for each ABI.
                calls, errors = counts.get(found[3], (0, 0))
                counts[found[3]] = (calls + int(found[1]), errors + int(found[2] or 0))
        return counts


class Terminal:
    """A command in a tmux window of its own: what a user at a terminal sees and types."""

    def __init__(self, test, command, columns=80, rows=24, environment=()):
        self.test = test
        self.socket = pathlib.Path(tempfile.mkdtemp(dir=test.directory)) / "tmux"
        words = " ".join(f"{name}={value}" for name, value in environment)
        # The keys that end a command must not end the shell that shows its status.
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                   f"trap : INT QUIT; {words} {command}; echo status=$?; exec cat")
        test.addCleanup(self.close)

    def _tmux(self, *words):
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        environment.update(LC_ALL="C.UTF-8", TERM="xterm-256color", SHELL="/bin/sh")
        return subprocess.run(["tmux", "-S", str(self.socket), *words], check=True, text=True,
                              capture_output=True, timeout=PATIENCE_S, env=environment).stdout

    def text(self, *options):
        """All that was written, the part that scrolled away included; -J joins wrapped lines."""
        return self._tmux("capture-pane", "-p", "-S", "-", *options)

    def type(self, *keys):
        self._tmux("send-keys", *keys)

    def wait_for(self, *wanted, absent=()):
        """What it shows once all of `wanted` and nothing of `absent` is there: a program may have
        drawn half of what it is about to show."""
        def shown():
            text = self.text()
            return text if (all(re.search(each, text) for each in wanted) and
                            not any(re.search(each, text) for each in absent)) else None

        return self.test.wait_until(shown, f"{wanted!r} without {absent!r} on the terminal")

    def close(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")


def tool(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise unittest.SkipTest(f"{name} is not installed")
    return path
