# SPDX-License-Identifier: MIT
"""Users of root's mount that wait forever inside the kernel, and hold locks that reads of their
/proc files need: they delay neither other users nor the end of the mount."""

import os
import pathlib
import signal
import subprocess

from mounts import AS_NOBODY, MountTest
from paths import NOBODY, PATIENCE_S

THREADS = 4
STUCK = 12
AHEAD_BYTES = 64 << 20


class StuckUsers(MountTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("needs root to mount, and an ordinary user beside it")
        self.directory.chmod(0o755)
        self.data = self.file()
        for number in range(STUCK):
            with open(self.source / str(number), "wb") as file:
                file.truncate(AHEAD_BYTES)

    def stuck(self, how, number):
        """Starts one that uses file `number` of the mount; returns its PID."""
        directory = self.directory / f"{how}-{number}"
        directory.mkdir()
        process = self.start([self.program("unreadable"), how, directory, NOBODY,
                              self.point / str(number)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return int(self.wait_for_line(process.stdout, "ready").split()[1])

    def check(self, how, waits, *options):
        mounted = self.mount("--threads", str(THREADS), *options)
        stuck = [self.stuck(how, number) for number in range(STUCK)]
        for pid in stuck:
            self.wait_until(lambda pid=pid: waits(pid), "it waits")
        self.wait_until(lambda: self.all_threads_wait_for_requests(mounted.pid),
                        "no thread waits for them")
        for _ in range(3):
            for user in ([], AS_NOBODY):
                done = subprocess.run([*user, "cat", self.point / "file"], capture_output=True,
                                      check=True, timeout=PATIENCE_S)
                self.assertEqual(done.stdout, self.data)
        report = mounted.stop(signal.SIGTERM)
        self.assertGreater(self.sum_of(report, "lookup"), 0)
        self.assertEqual(self.file_of(report, "file")["operations"]["open"]["count"], 6)
        for pid in stuck:
            self.assertTrue(waits(pid), "it was not stuck")

    def all_threads_wait_for_requests(self, pid):
        """By the call that each is in: read or splice, from the device."""
        threads = [task for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                   if (task / "comm").read_text() == "zctrace-fuse\n"]
        self.assertEqual(len(threads), THREADS)
        return all(self.first_descriptor(task) == "/dev/fuse" for task in threads)

    @staticmethod
    def first_descriptor(task):
        words = (task / "syscall").read_text().split()
        try:
            return os.readlink(task / "fd" / str(int(words[1], 16)))
        except (IndexError, ValueError, OSError):
            return None  # it runs, or is in another call

    @staticmethod
    def waits_in_exec(pid):
        """It has its new memory, into which nothing is written yet."""
        return not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()

    @staticmethod
    def lives(pid):
        return os.path.exists(f"/proc/{pid}")

    def test_execs_that_never_end(self):
        self.check("ahead", self.waits_in_exec)

    def test_execs_that_never_end_without_a_cache(self):
        self.check("ahead", self.waits_in_exec, "--cache", "none", "--no-splice")

    def test_memory_that_is_held(self):
        self.check("memory", self.lives)
