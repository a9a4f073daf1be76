# SPDX-License-Identifier: MIT
"""`zctrace mount` killed at every stage: nothing stays mounted."""

import contextlib
import ctypes
import errno
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from harness import why_not_observable
from kernel_objects import bpf_objects_of
from mount_faults import READER, MountFaults
from mounts import mounts_at
from paths import PATIENCE_S, ZCTRACE
from processes import argv_of, children

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# Makes the kernel know that many files, and reads the directory when it gets a line: the kernel
# keeps the directory locked until the answer arrives.
DIRECTORY_READER = """
import ctypes, os, sys
directory = os.open(sys.argv[1], os.O_RDONLY)
files = [os.open(str(number), os.O_PATH, dir_fd=directory) for number in range(int(sys.argv[2]))]
print("ready", flush=True)
sys.stdin.readline()
libc = ctypes.CDLL(None, use_errno=True)
print(ctypes.get_errno() if libc.getdents64(directory, bytes(4096), 4096) < 0 else 0, flush=True)
"""


def forgetter_waits(pid):
    """Whether the thread that makes the kernel forget names waits there and cannot be killed."""
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if "(zctrace-forget) D" in status.read_text():
                return True
    return False


class Killed(MountFaults):
    # The visible stages of a mount that starts, in order; it is killed at each.
    STAGES = {"at once": lambda pid, _: True,
              "its watcher": lambda pid, _: children(pid),
              "its mount": lambda pid, is_mounted: is_mounted(),
              "its threads": lambda pid, is_mounted:
                  is_mounted() and len(os.listdir(f"/proc/{pid}/task")) > 2}

    def adopt_orphans(self, whether):
        """Makes orphaned helpers children of the test, which can then wait for all of them."""
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(whether), 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")

    def check_at_every_stage(self, begin, is_mounted):
        self.adopt_orphans(True)
        self.addCleanup(self.adopt_orphans, False)
        own = set(children(os.getpid()))
        for name, is_there in self.STAGES.items():
            # Each stage is short, and the time to the next differs from run to run.
            for _ in range(3):
                with self.subTest(name):
                    process = begin()
                    self.wait_until(lambda: is_there(process.pid, is_mounted), name)
                    process.kill()
                    process.wait(PATIENCE_S)
                    while left := set(children(os.getpid())) - own:
                        for pid in left:
                            self.assert_gone(pid)
                            os.waitpid(pid, 0)
                    self.assertFalse(is_mounted())

    def test_at_every_stage(self):
        self.check_at_every_stage(self.begin_mount, lambda: mounts_at(self.point))
        self.assertEqual(os.listdir(self.point), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
    def test_at_every_stage_as_an_ordinary_user(self):
        prefix, holder = self.as_an_ordinary_user()
        self.check_at_every_stage(lambda: self.begin_mount(prefix=prefix),
                                  lambda: mounts_at(self.point, holder.pid))

    def test_reader_gets_an_error_and_the_file_stays_whole(self):
        data = self.file()
        process = self.begin_mount("--cache", "none")
        self.wait_until(lambda: (self.point / "file").exists(), "it serves")
        reader = self.start_reader(self.point / "file")
        self.ask(reader)
        self.assertEqual(reader.stdout.readline(), "100003\n")
        process.kill()
        process.wait(PATIENCE_S)
        self.ask(reader)
        self.assertEqual(int(reader.stdout.readline()), errno.ENOTCONN)
        self.assert_unmounted(process)
        self.assertEqual((self.source / "file").read_bytes(), data)

    @unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
    def test_run_mount_while_observing(self):
        if reason := why_not_observable():
            self.skipTest(reason)
        self.file()
        process = self.start([ZCTRACE, "run", "-q", "--mount", self.source, "--", sys.executable,
                              "-c", READER, self.source / "file"], start_new_session=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_for_line(process.stdout, "ready")
        self.ask(process)
        self.assertEqual(process.stdout.readline(), "100003\n")
        ids = bpf_objects_of(process.pid)
        helpers = children(process.pid)
        process.kill()
        process.wait(PATIENCE_S)
        process.stdin.close()
        for pid in helpers:
            self.assert_gone(pid)
        self.assert_nothing_left(process, ids)
        self.assertEqual(mounts_at(self.source), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
    def test_run_mount_while_loading(self):
        if reason := why_not_observable():
            self.skipTest(reason)
        ran = self.directory / "ran"
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, ids = self.begin_and_stop(
                    lambda: self.start([ZCTRACE, "run", "-q", "--mount", self.source, "--",
                                        "touch", ran], start_new_session=True), objects)
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                ran.unlink(missing_ok=True)


@unittest.skipIf(os.geteuid() != 0, "needs root to end what would hang")
class KilledWhileForgetting(MountFaults):
    """To forget a name the kernel waits for a directory whose reader waits for zctrace: zctrace's
    thread does not die, and its device is not closed, before the mount has ended."""

    DESCRIPTORS = 400
    FILES = 300  # more than zctrace keeps with so few descriptors

    def setUp(self):
        super().setUp()
        self.below = self.directory / "below"
        self.below.mkdir()
        for number in range(self.FILES):
            (self.below / str(number)).touch()

    def mount_below(self):
        """Mounts zctrace on SOURCE too: while that mount is stopped, the one above gets no answers."""
        below = self.start([ZCTRACE, "mount", self.below, self.source], stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, ["umount", "-fl", self.source], capture_output=True,
                        check=False)
        self.wait_for_line(below.stderr, "is mounted at")
        return below

    def abort_in_the_end(self, namespace, point):
        """Aborts the connection at the end, as the processes could not be killed otherwise."""
        self.addCleanup(subprocess.run, ["nsenter", "-t", str(namespace), "-m", "umount", "-fl",
                                         point], capture_output=True, check=False)

    def stop_below_and_ask(self, below, process, reader):
        self.stop(below)
        self.ask(reader)
        self.wait_until(lambda: forgetter_waits(process.pid), "it waits for the directory")

    def check(self, below, prefix, namespace):
        process = self.begin_mount(
            prefix=[*prefix, "prlimit", f"--nofile={self.DESCRIPTORS}"], stderr=subprocess.PIPE,
            text=True)
        self.wait_for_line(process.stderr, "is mounted at")
        reader = self.start([*prefix, sys.executable, "-c", DIRECTORY_READER, self.point,
                             self.FILES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.abort_in_the_end(namespace, self.point)
        self.wait_for_line(reader.stdout, "ready")
        self.stop_below_and_ask(below, process, reader)
        process.kill()
        self.assertIn(self.answer(reader), (errno.ENOTCONN, errno.ECONNABORTED))
        below.send_signal(signal.SIGCONT)  # a thread may have sent it a request before it stopped
        process.wait(PATIENCE_S)
        self.wait_until(lambda: not mounts_at(self.point, namespace), "it is unmounted")

    def test_the_mount_ends(self):
        self.check(self.mount_below(), [], os.getpid())

    def test_the_mount_of_an_ordinary_user_ends(self):
        below = self.mount_below()
        prefix, holder = self.as_an_ordinary_user()
        self.check(below, prefix, holder.pid)

    def test_run_mount_ends(self):
        if reason := why_not_observable():
            self.skipTest(reason)
        below = self.mount_below()
        process = self.start(["prlimit", f"--nofile={self.DESCRIPTORS}", ZCTRACE, "run", "-q",
                              "--mount", self.source, "--", sys.executable, "-c", DIRECTORY_READER,
                              self.source, self.FILES], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        self.wait_for_line(process.stdout, "ready")
        started = children(process.pid)
        (reader,) = [pid for pid in started if argv_of(pid)[0].decode() == sys.executable]
        self.abort_in_the_end(reader, self.source)
        self.stop_below_and_ask(below, process, process)
        process.kill()
        self.assertIn(self.answer(process), (errno.ENOTCONN, errno.ECONNABORTED))
        below.send_signal(signal.SIGCONT)
        process.wait(PATIENCE_S)
        for pid in started:
            self.assert_gone(pid)
