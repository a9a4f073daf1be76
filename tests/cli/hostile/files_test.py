# SPDX-License-Identifier: MIT
"""Report files: who can read them, and which file a failed run removes."""

import os
import signal
import stat
import subprocess

from harness import TestCase
from paths import NOBODY, PATIENCE_S, ZCTRACE


class Files(TestCase):
    def test_report_is_readable_by_its_owner_only(self):
        for option in ("--json", "--csv", "--markdown"):
            path = self.directory / f"report{option}"
            done = self.zctrace("run", "-q", option, path, "--", "true", umask=0)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_existing_file_keeps_its_mode(self):
        path = self.directory / "report"
        path.write_text("old")
        path.chmod(0o644)
        self.assertEqual(self.zctrace("run", "-q", "--json", path, "--", "true").returncode, 0)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644)

    def test_report_belongs_to_the_user_of_sudo(self):
        if os.geteuid() != 0:
            self.skipTest("sudo's user differs only for root")
        path = self.directory / "report"
        environment = {**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
        done = self.zctrace("run", "-q", "--json", path, "--", "true", env=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((path.stat().st_uid, path.stat().st_gid), (NOBODY, NOBODY))

    def failing_run(self, path, script):
        """A run whose command is gone before it starts: the new report stays empty."""
        return self.zctrace("run", "-q", "--json", path, "--", script)

    def test_failed_run_removes_its_empty_report(self):
        path = self.directory / "report"
        self.assertEqual(self.failing_run(path, "/nonexistent").returncode, 127)
        self.assertFalse(path.exists())

    def test_file_that_took_the_name_of_the_report_stays(self):
        """The directory of the report is replaced by another while zctrace runs."""
        own, other = self.directory / "own", self.directory / "other"
        for directory in (own, other):
            directory.mkdir()
        (other / "report").write_text("of another run")
        attached = self.start([ZCTRACE, "attach", "-a", "--json", own / "report"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(attached.stderr, "observing")
        own.rename(self.directory / "moved")
        other.rename(own)
        # Neither the table nor the report can be written, so the report stays empty.
        subprocess.run(["prlimit", "--pid", str(attached.pid), "--fsize=0:0"], check=True)
        attached.send_signal(signal.SIGINT)
        self.assertNotEqual(attached.wait(PATIENCE_S), 0)
        self.assertEqual((own / "report").read_text(), "of another run")

    def test_renamed_report_does_not_cost_the_file_that_has_its_name(self):
        path = self.directory / "report"
        script = self.directory / "script"
        # It replaces the report before zctrace fails to write it: the limit of file sizes is 0.
        script.write_text(f"#!/bin/sh\nmv {path} {path}.old; echo mine > {path}.new; mv {path}.new "
                          f"{path}\n")
        script.chmod(0o755)
        done = subprocess.run(["prlimit", "--fsize=8:8", ZCTRACE, "run", "-q", "--json", path, "--",
                               script], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(path.read_text(), "mine\n")

    def test_opening_a_fifo_ends_by_sigint(self):
        fifo = self.make_fifo()
        for words in (["attach", "-a"], ["run", "--", "true"]):
            process = self.start([ZCTRACE, words[0], "-q", "--json", fifo, *words[1:]])
            self.wait_until(lambda: self.opens(process.pid), "it waits for a reader")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), -signal.SIGINT)

    @staticmethod
    def opens(pid):
        with open(f"/proc/{pid}/wchan", encoding="ascii") as wchan:
            return "partner" in wchan.read()

    def test_writing_to_a_fifo_that_nothing_reads_ends_by_sigterm(self):
        fifo = self.make_fifo()
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        argument = "a" * 100_000
        script = f"for n in $(seq 200); do sh -c true {argument[:1000]}; done"
        process = self.start([ZCTRACE, "run", "-q", "--json", fifo, "--", "sh", "-c", script])
        self.wait_until(lambda: self.writes(process.pid), "it waits for space")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), -signal.SIGTERM)

    @staticmethod
    def writes(pid):
        """Whether it waits in a write without SIGTERM blocked."""
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            (blocked,) = [int(line.split()[1], 16) for line in status if line.startswith("SigBlk:")]
        with open(f"/proc/{pid}/wchan", encoding="ascii") as wchan:
            return "pipe_write" in wchan.read() and not blocked >> (signal.SIGTERM - 1) & 1

    def test_empty_names_and_short_times_are_refused(self):
        for words, message in (
                (["run", "--json", "", "--", "true"], "--json needs the name of a file"),
                (["run", "--csv", "", "--", "true"], "--csv needs the name of a file"),
                (["attach", "-a", "--markdown", ""], "--markdown needs the name of a file"),
                (["doctor", "--json", ""], "--json needs the name of a file"),
                (["attach", "-a", "-i", "1ns"], "-i must be at least 10"),
                (["attach", "-a", "-d", "9ms"], "-d must be at least 10"),
                (["top", "-d", "1ns"], "-d must be at least 10"),
                (["mount", ".", "mnt", "-i", "1ns"], "-i must be at least 10"),
                (["mount", ".", "mnt", "-d", "9ms"], "-d must be at least 10")):
            done = self.zctrace(*words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr.replace(": ", " "))
