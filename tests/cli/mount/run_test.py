# SPDX-License-Identifier: MIT
"""`zctrace run --mount`."""

import os
import pathlib
import signal
import subprocess
import unittest

from harness import why_not_observable
from mounts import AS_NOBODY, MEBIBYTE, MountTest, mounts_at
from paths import NOBODY, PATIENCE_S, ZCTRACE
from report import Report

TRIES = 20


@unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
class RunMount(MountTest):
    def setUp(self):
        super().setUp()
        reason = why_not_observable()
        if reason:
            self.skipTest(reason)

    def test_both_sides_of_the_same_bytes(self):
        data = self.file(size=4 * MEBIBYTE)
        before = mounts_at(self.source)
        report = self.observe("dd", f"if={self.source}/file", "of=/dev/null", "bs=64K",
                              mode=["--mount", self.source]).report
        self.assertEqual(report.bytes("read", "fuse", "user"), len(data))
        file = self.file_of(report, "file")
        self.assertEqual(file["bytes_read"], len(data))
        (process,) = report.processes
        self.assertEqual(process["fuse"]["bytes_read"], len(data))
        self.assertEqual(mounts_at(self.source), before)

    def test_the_working_directory_leads_through_the_mount(self):
        self.file()
        report = self.observe("cat", "file", mode=["--mount", self.source], cwd=self.source).report
        self.assertEqual(report.bytes("read", "fuse", "user"), MEBIBYTE + 7)

    def test_writes_reach_the_source_and_the_status_is_the_commands(self):
        self.observe("sh", "-c", f"echo text > {self.source}/new; exit 7", status=7,
                     mode=["--mount", self.source])
        self.assertEqual((self.source / "new").read_text(), "text\n")

    def test_the_caller_under_sudo_owns_what_it_creates(self):
        environment = {**os.environ, "SUDO_UID": str(NOBODY),
                       "SUDO_GID": str(NOBODY)}
        self.observe("touch", self.source / "new", mode=["--mount", self.source], env=environment)
        self.assertEqual((self.source / "new").stat().st_uid, NOBODY)

    def test_directory_that_is_exchanged_for_a_link_never_shows_another(self):
        """An ordinary user exchanges it, again and again, with a link to a directory of root's."""
        home, private = self.directory / "home", self.directory / "private"
        for directory in (home, home / "source", private):
            directory.mkdir()
            directory.chmod(0o755)
        for path in (home, home / "source"):
            os.chown(path, NOBODY, NOBODY)
        (private / "secret").touch()
        link = home / "link"
        subprocess.run([*AS_NOBODY, "ln", "-s", private, link], check=True)
        attacker = self.start([*AS_NOBODY, self.program("exchange"), home / "source", link],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_for_line(attacker.stdout, "ready")
        for _ in range(TRIES):
            done = self.zctrace("run", "-q", "--mount", home / "source", "--", "cat",
                                "/proc/mounts")
            places = [line.split()[1] for line in done.stdout.splitlines()
                      if line.split()[2] == "fuse.zctrace"]
            if done.returncode == 0:
                # Either name may be the directory's at the moment.
                self.assertIn(places, ([str(home / "source")], [str(link)]))
            else:
                self.assertEqual((places, len(done.stderr.splitlines())), ([], 1), done.stderr)
        attacker.stdin.close()
        self.assertEqual(attacker.wait(PATIENCE_S), 0)

    def test_a_source_that_does_not_answer_leaves_the_commands_status(self):
        below = self.directory / "below"
        below.mkdir()
        (below / "file").touch()
        server = self.start([ZCTRACE, "mount", below, self.source], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, ["umount", "-fl", self.source], capture_output=True,
                        check=False)
        self.addCleanup(server.send_signal, signal.SIGCONT)
        self.wait_for_line(server.stderr, "is mounted at")
        path = self.directory / "report.json"
        script = f"echo ready; read line; touch -r {self.source}/file 2>&- & read line; exit 7"
        process = self.start([ZCTRACE, "run", "-q", "--mount", self.source, "--json", path, "--",
                              "bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        self.wait_for_line(process.stdout, "ready")
        server.send_signal(signal.SIGSTOP)
        process.stdin.write("\n")
        process.stdin.flush()
        self.wait_until(lambda: self.a_thread_waits_for_an_answer(process.pid), "it is asked")
        _, errors = process.communicate("\n", timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 7, errors)
        self.assertEqual(errors, f"zctrace: '{self.source}' does not answer: zctrace ends while a "
                                 "thread still waits for it\n")
        self.assertEqual(Report(path.read_text()).processes[0]["name"], "bash")

    @staticmethod
    def a_thread_waits_for_an_answer(pid):
        return any((task / "wchan").read_text() == "request_wait_answer"
                   for task in pathlib.Path(f"/proc/{pid}/task").iterdir())

    def test_link_of_another_user_is_refused(self):
        theirs = self.directory / "theirs"
        theirs.symlink_to(self.source)
        os.chown(theirs, NOBODY, NOBODY, follow_symlinks=False)
        done = self.zctrace("run", "--mount", theirs, "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("'theirs' is a symbolic link of another user", done.stderr)

    def test_no_such_directory(self):
        done = self.zctrace("run", "--mount", self.directory / "missing", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
