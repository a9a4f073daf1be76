# SPDX-License-Identifier: MIT
"""Locks, and many clients at once."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import sys
import threading
import time

from directory import DirectoryTest


class Locks(DirectoryTest):
    def check_exclusion(self, lock, unlock):
        path = self.file()
        with open(path, "r+b") as file:
            holder = self.in_child(
                "f = open(sys.argv[1], 'r+b')\n"
                f"fcntl.{lock}\nprint('held', flush=True)\nsys.stdin.readline()\n"
                f"fcntl.{unlock}\nprint('free', flush=True)\nsys.stdin.readline()", path)
            try:
                self.assertEqual(holder.stdout.readline(), "held\n")
                function = getattr(fcntl, lock.split("(")[0])
                with self.assertRaises(BlockingIOError):
                    function(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                waited = []

                def wait():
                    function(file, fcntl.LOCK_EX)
                    waited.append(True)
                waiter = threading.Thread(target=wait)
                waiter.start()
                time.sleep(0.1)
                self.assertFalse(waited)
                holder.stdin.write("\n")
                holder.stdin.flush()
                waiter.join(10)
                self.assertTrue(waited)
                function(file, fcntl.LOCK_UN)
            finally:
                holder.communicate("\n\n")

    def test_flock_excludes_waits_and_releases(self):
        self.check_exclusion("flock(f, fcntl.LOCK_EX)", "flock(f, fcntl.LOCK_UN)")

    def test_posix_locks_exclude_wait_and_release(self):
        self.check_exclusion("lockf(f, fcntl.LOCK_EX)", "lockf(f, fcntl.LOCK_UN)")

    def test_locks_end_with_their_process(self):
        path = self.file()
        for lock in (fcntl.flock, fcntl.lockf):
            holder = self.in_child("f = open(sys.argv[1], 'r+b')\n"
                                   f"fcntl.{lock.__name__}(f, fcntl.LOCK_EX)\n"
                                   "print('held', flush=True)\ntime.sleep(60)", path)
            self.assertEqual(holder.stdout.readline(), "held\n")
            with open(path, "r+b") as file:
                self.assertRaises(BlockingIOError, lock, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                holder.kill()
                holder.communicate()
                lock(file, fcntl.LOCK_EX)

    def test_locks_of_an_open_file_description_end_with_it(self):
        path = self.file()
        set_lock = 37  # F_OFD_SETLK
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        for _ in range(3):
            holder = self.in_child("import struct\nf = open(sys.argv[1], 'r+b')\n"
                                   "lock = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)\n"
                                   f"fcntl.fcntl(f, {set_lock}, lock)\n"
                                   "print('held', flush=True)\nsys.stdin.readline()", path)
            self.assertEqual(holder.stdout.readline(), "held\n")
            with open(path, "r+b") as file:
                self.assertRaises(BlockingIOError, fcntl.fcntl, file, set_lock, lock)
                holder.communicate("\n")
                # A file system may learn of the close a moment later.
                for attempt in range(1000):
                    with contextlib.suppress(BlockingIOError):
                        fcntl.fcntl(file, set_lock, lock)
                        break
                    time.sleep(0.01)
                else:
                    self.fail("it is still locked")

    def test_waiting_for_a_lock_ends_with_a_signal(self):
        path = self.file()
        for lock in ("flock", "lockf"):
            with open(path, "r+b") as file:
                getattr(fcntl, lock)(file, fcntl.LOCK_EX)
                waiter = self.in_child("f = open(sys.argv[1], 'r+b')\nprint('there', flush=True)\n"
                                       f"fcntl.{lock}(f, fcntl.LOCK_EX)", path)
                waiter.stdout.readline()
                time.sleep(0.1)
                waiter.send_signal(signal.SIGTERM)
                self.assertEqual(waiter.wait(10), -signal.SIGTERM)
                waiter.communicate()

    def test_more_lock_waiters_than_the_daemon_has_threads(self):
        path = self.file(content=b"0")
        code = ("f = open(sys.argv[1], 'r+b', buffering=0)\n"
                "for _ in range(3):\n"
                "    fcntl.lockf(f, fcntl.LOCK_EX)\n"
                "    f.seek(0); n = int(f.read()); f.seek(0); f.write(str(n + 1).encode())\n"
                "    fcntl.lockf(f, fcntl.LOCK_UN)\n")
        children = [self.in_child(code, path) for _ in range(24)]
        for child in children:
            self.assertEqual(child.wait(60), 0)
            child.communicate()
        self.assertEqual(path.read_bytes(), b"72")

    def test_getlk_reports_a_conflict(self):
        path = self.file()
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX, 10, 5)
            code = ("import struct\nf = open(sys.argv[1], 'r+b')\n"
                    "def get(start, length):\n"
                    "    return struct.unpack('hhqqi4x', fcntl.fcntl(f, fcntl.F_GETLK, struct.pack("
                    "'hhqqi4x', fcntl.F_WRLCK, 0, start, length, 0)))\n"
                    "hit, miss = get(0, 100), get(20, 100)\n"
                    "assert hit[0] == fcntl.F_WRLCK and hit[2:4] == (5, 10), hit\n"
                    "assert miss[0] == fcntl.F_UNLCK, miss\n")
            child = self.in_child(code, path)
            child.communicate()
            self.assertEqual(child.returncode, 0)


class ManyClients(DirectoryTest):
    def test_many_clients_at_once(self):
        code = """
import hashlib, os, sys
here, seed = sys.argv[1], int(sys.argv[2])
data = hashlib.shake_128(bytes([seed])).digest(300_001)
for turn in range(8):
    path = os.path.join(here, f'client-{seed}-{turn}')
    with open(path, 'wb') as file: file.write(data)
    os.rename(path, path + '-moved')
    os.mkdir(path)
    assert open(path + '-moved', 'rb').read() == data
    os.link(path + '-moved', path + '/linked')
    os.unlink(path + '-moved')
    assert os.listdir(path) == ['linked'] and os.listdir(here)
    os.truncate(path + '/linked', 1000)
    assert open(path + '/linked', 'rb').read() == data[:1000]
    os.unlink(path + '/linked'); os.rmdir(path)
"""
        clients = [subprocess.Popen([sys.executable, "-c", code, self.here, str(seed)],
                                    stderr=subprocess.PIPE, text=True) for seed in range(16)]
        for client in clients:
            _, errors = client.communicate(timeout=120)
            self.assertEqual(client.returncode, 0, errors)
        self.assertEqual(os.listdir(self.here), [])
