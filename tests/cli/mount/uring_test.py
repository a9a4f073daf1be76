# SPDX-License-Identifier: MIT
"""`zctrace mount --transport uring`: the same file system, by io_uring."""

import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from mount_endings import Endings, closing
from mounts import AS_NOBODY, MEBIBYTE, MountTest, mounts_at
from observed_mounts import BLOCK, BLOCKS, ObserveTest
from paths import PATIENCE_S, ZCTRACE
from rings import WithRings, rings, why_no_rings

RING = ("--transport", "uring")
# Waits for a lock and reports what became of it. A signal interrupts the wait.
WAITER = """
import fcntl, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: (_ for _ in ()).throw(InterruptedError))
file = open(sys.argv[1], "r+b")
print("ready", flush=True)
sys.stdin.read()
try:
    getattr(fcntl, sys.argv[2])(file, fcntl.LOCK_EX)
    print("got it", flush=True)
except OSError as error:
    print(type(error).__name__, error.errno, flush=True)
"""


class OverRing(WithRings, MountTest):
    """Tests of which every mount uses io_uring."""

    def mount(self, *options, **keywords):
        return super().mount(*RING, *options, **keywords)


class Content(OverRing):
    def test_posix_checks_pass(self):
        for options in ([], ["--cache", "none"], ["--threads", "1"], ["--threads", "7"]):
            with self.subTest(options):
                report = self.check_posix(options)
                self.assertEqual(report["completeness"]["lost_events"], 0)
                self.assertEqual(report["mount"]["transport"], "uring")
                self.assertLessEqual(report["daemon"]["replies_written"], 1)  # to FUSE_INIT

    def test_posix_checks_pass_for_an_ordinary_user(self):
        self.check_posix([], [*self.private_device(), *AS_NOBODY],
                         ["nsenter", "-t", "{pid}", "-m", *AS_NOBODY])

    def test_many_processes_read_what_is_there(self):
        sums = {name: subprocess.run(["cksum"], input=self.file(name), check=True,
                                     capture_output=True).stdout for name in map(str, range(8))}
        mounted = self.mount("--cache", "none")
        readers = [self.start(["sh", "-c", 'for _ in 1 2 3; do cksum < "$0"; done',
                               self.point / name], stdout=subprocess.PIPE) for name in sums]
        for reader, checksum in zip(readers, sums.values()):
            self.assertEqual(reader.communicate(timeout=PATIENCE_S)[0], checksum * 3)
        report = mounted.stop()
        self.assertEqual(self.sum_of(report, "read", "bytes"), 8 * 3 * (MEBIBYTE + 7))


class Counts(MountTest):
    """What both transports count is equal."""

    def counts(self, *options):
        data = self.file()
        (self.source / "new").unlink(missing_ok=True)
        mounted = self.mount("--cache", "none", *options)
        self.assertEqual((self.point / "file").read_bytes(), data)
        (self.point / "new").write_bytes(data)
        with contextlib.suppress(FileNotFoundError):
            (self.point / "missing").stat()
        report = mounted.stop()
        operations = {file["path"]: {name: (each["count"], each["errors"], each["bytes"])
                                     for name, each in file["operations"].items()}
                      for file in report["files"]}
        return operations, report

    @unittest.skipIf(why_no_rings(), why_no_rings())
    def test_requests_are_those_of_the_other_transport(self):
        by_read, report = self.counts("--transport", "read", "--no-splice")
        daemon = report["daemon"]
        self.assertGreater(daemon["replies_written"], daemon["requests"] // 2)
        with rings():
            by_ring, report = self.counts(*RING)
        self.assertEqual(by_ring, by_read)
        self.assertFalse(report["mount"]["splice"])
        daemon = report["daemon"]
        self.assertEqual(daemon["replies_spliced"], 0)
        self.assertGreater(daemon["replies_committed"], 0)
        self.assertLessEqual(daemon["replies_written"], 1)  # to FUSE_INIT


class Observed(WithRings, ObserveTest):
    def test_the_daemons_side_has_the_bytes_of_requests_and_replies(self):
        self.file(size=BLOCKS * BLOCK)
        mounted = self.observe_mount(*RING, "--cache", "none")
        self.read_blocks()
        report = mounted.stop()
        requests = report["daemon"]["requests"]
        rows = {row["syscall"]: row for row in report["amplification"]["daemon"]["rows"]}
        self.assertEqual(rows["pread64"]["calls"], BLOCKS)
        self.assertEqual(rows["io_uring:fuse_reply"]["calls"],
                         rows["io_uring:fuse_request"]["calls"])
        self.assertLessEqual(rows.get("writev", {"calls": 0})["calls"], 1)  # to FUSE_INIT
        self.assertLessEqual(rows["io_uring:fuse_request"]["calls"], requests)
        moved = rows["io_uring:fuse_reply"]["bytes"]
        self.assertGreater(moved, BLOCKS * BLOCK)
        self.assertLess(moved, BLOCKS * BLOCK + 256 * requests)


class Locks(OverRing):
    def waiters(self, how, count, stopped=None):
        """Processes that wait for the lock; `stopped`: a daemon that has not heard of it yet."""
        processes = [self.start([sys.executable, "-c", WAITER, self.point / "file", how],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                     for _ in range(count)]
        for process in processes:
            self.wait_for_line(process.stdout, "ready")
        if stopped:
            stopped.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
        for process in processes:
            process.stdin.close()
            process.stdin = None
            self.wait_until(lambda: pathlib.Path(f"/proc/{process.pid}/wchan").read_text() ==
                            "request_wait_answer", "it waits for the daemon")
        return processes

    def test_more_waiters_than_threads_and_all_get_the_lock(self):
        for how in ("flock", "lockf"):
            self.file()
            mounted = self.mount("--threads", "2")
            with open(self.point / "file", "r+b") as held:
                getattr(fcntl, how)(held, fcntl.LOCK_EX)
                waiters = self.waiters(how, 9)
                # The threads go on serving.
                (self.point / "other").write_text("written meanwhile")
                self.assertEqual((self.point / "other").read_text(), "written meanwhile")
                getattr(fcntl, how)(held, fcntl.LOCK_UN)
                for waiter in waiters:
                    self.assertEqual(waiter.communicate(timeout=PATIENCE_S)[0], "got it\n")
            # The slots of the waiters are in use again.
            self.assertEqual(len((self.point / "file").read_bytes()), MEBIBYTE + 7)
            mounted.stop()

    def test_a_signal_interrupts_a_waiter(self):
        self.file()
        mounted = self.mount()
        with open(self.point / "file", "r+b") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiters = self.waiters("flock", 5)
            for waiter in waiters:
                waiter.send_signal(signal.SIGUSR1)
            for waiter in waiters:
                self.assertIn("InterruptedError", waiter.communicate(timeout=PATIENCE_S)[0])
        mounted.stop()

    def test_a_signal_before_the_daemon_has_the_request(self):
        """The kernel does not report it."""
        for how in ("flock", "lockf"):
            self.file()
            mounted = self.mount()
            with open(self.point / "file", "r+b") as held:
                getattr(fcntl, how)(held, fcntl.LOCK_EX)
                waiters = self.waiters(how, 2, mounted.process)
                for waiter, number in zip(waiters, (signal.SIGUSR1, signal.SIGKILL)):
                    waiter.send_signal(number)
                mounted.process.send_signal(signal.SIGCONT)
                self.assertIn("InterruptedError", waiters[0].communicate(timeout=PATIENCE_S)[0])
                self.assertEqual(waiters[1].wait(PATIENCE_S), -signal.SIGKILL)
            mounted.stop()

    def test_a_killed_waiter_leaves_nothing(self):
        self.file()
        mounted = self.mount()
        with open(self.point / "file", "r+b") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiter, = self.waiters("flock", 1)
            waiter.kill()
            waiter.wait(PATIENCE_S)
            fcntl.flock(held, fcntl.LOCK_UN)
        with open(self.point / "file", "r+b") as again:
            fcntl.flock(again, fcntl.LOCK_EX)
        mounted.stop()

    def test_waiters_get_an_error_when_the_mount_ends(self):
        self.file()
        mounted = self.mount()
        with closing(self.point / "file") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            waiter, = self.waiters("flock", 1)
            mounted.process.send_signal(signal.SIGINT)
            self.wait_until(lambda: not mounts_at(self.point), "it is detached")
            mounted.process.send_signal(signal.SIGINT)
            self.assertIn("OSError 37", waiter.communicate(timeout=PATIENCE_S)[0])  # ENOLCK
        mounted.process.wait(PATIENCE_S)


class Ending(Endings, OverRing):
    def test_sigkill_leaves_no_mount(self):
        self.file()
        mounted = self.mount()
        with closing(self.point / "file"):
            mounted.process.kill()
            mounted.process.wait(PATIENCE_S)
            self.wait_until(lambda: not mounts_at(self.point), "the watcher unmounts")
        self.assertEqual(os.listdir(self.point), [])

    def test_programs_start_with_dirty_pages(self):
        """A reader of their /proc files waits until these are written."""
        for options in ([], ["--threads", "1"], ["--threads", "2"]):
            mounted = self.mount(*options)
            subprocess.run([self.program("dirty_exec"), self.point, "10"], check=True,
                           timeout=PATIENCE_S)
            mounted.stop()


@unittest.skipIf(why_no_rings(), why_no_rings())
class Refused(MountTest):
    def test_where_it_is_switched_off(self):
        with rings(on=False):
            done = subprocess.run([ZCTRACE, "mount", *RING, self.source, self.point],
                                  capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 77)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for word in ("--transport uring", "enable_uring", "switched off"):
            self.assertIn(word, done.stderr)
        self.assertEqual(mounts_at(self.point), [])

    def test_the_default_does_not_need_it(self):
        with rings(on=False):
            mounted = self.mount()
            self.assertEqual(os.listdir(self.point), [])
            self.assertEqual(mounted.stop()["mount"]["transport"], "read")
