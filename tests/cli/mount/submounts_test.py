# SPDX-License-Identifier: MIT
"""FUSE file systems below the source: that of another user may never answer, and is not shown."""

import os
import signal
import subprocess
import unittest

from mounts import AS_NOBODY, MountTest
from paths import NOBODY, PATIENCE_S

THREADS = 4
CALLS = {"statfs": ["stat", "-f"], "stat": ["stat"], "list": ["ls", "-l"], "open": ["cat"],
         "make": ["mkdir"], "remove": ["rmdir"]}


@unittest.skipIf(os.geteuid() != 0, "needs root to mount, and an ordinary user beside it")
class Submounts(MountTest):
    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.data = self.file()
        self.theirs = self.source / "inner" / "theirs"
        self.theirs.mkdir(parents=True)

    def serve(self, what, user, *options, prefix=()):
        server = self.start([*prefix, self.program("silent"), what, self.theirs, user, *options],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, [*map(str, prefix), "umount", "-l", self.theirs], check=False,
                        capture_output=True)
        self.wait_for_line(server.stdout, "ready")
        return server

    def end(self, server):
        server.stdin.close()
        server.wait(PATIENCE_S)

    def users_of(self, path, prefix):
        """Each call more often than there are serving threads, all at once."""
        return [self.start([*prefix, *command, path], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for command in CALLS.values() for _ in range(THREADS + 1)]

    def check_that_others_are_served(self, prefix=()):
        done = subprocess.run([*map(str, prefix), "cat", self.point / "file"], capture_output=True,
                              check=True, timeout=PATIENCE_S)
        self.assertEqual(done.stdout, self.data)

    def check_that_it_is_refused(self, prefix):
        for user in self.users_of(self.point / "inner" / "theirs", prefix):
            error = user.communicate(timeout=PATIENCE_S)[1]
            self.assertRegex(error, "Permission denied|File exists|busy", user.args)

    def test_file_system_of_another_user_is_not_entered(self):
        for what in ("all", "statfs"):
            for options in (["allow_other"], ["allow_other,default_permissions"], []):
                for first in (True, False):
                    with self.subTest((what, options, first)):
                        if first:
                            server = self.serve(what, NOBODY, *options)
                        mounted = self.mount("--threads", THREADS)
                        if first:
                            self.assertRegex(mounted.process.stderr.readline(),
                                             f"hidden, .*: {self.theirs}\n")
                        else:
                            self.check_that_others_are_served()
                            server = self.serve(what, NOBODY, *options)
                        self.check_that_it_is_refused(AS_NOBODY)
                        self.check_that_others_are_served()
                        mounted.stop(signal.SIGTERM)
                        self.end(server)

    def test_file_system_is_shown_again_once_it_is_unmounted(self):
        (self.theirs / "below").touch()
        server = self.serve("all", NOBODY, "allow_other")
        mounted = self.mount("--cache", "none")
        self.check_that_it_is_refused(AS_NOBODY)
        self.end(server)
        self.assertEqual(os.listdir(self.point / "inner" / "theirs"), ["below"])
        mounted.stop()

    def test_file_system_of_root_is_entered(self):
        server = self.serve("statfs", 0, "allow_other")
        mounted = self.mount()
        done = subprocess.run([*AS_NOBODY, "stat", "-c", "%F", self.point / "inner" / "theirs"],
                              capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertEqual(done.stdout, "directory\n")
        mounted.stop(signal.SIGTERM)
        self.end(server)

    def test_ordinary_users_mount_enters_its_own_and_no_others(self):
        prefix, holder = self.as_an_ordinary_user()
        inside = ["nsenter", "-t", holder.pid, "-m"]
        for user, enters in ((NOBODY, True), (NOBODY - 1, False)):
            with self.subTest(user):
                server = self.serve("statfs", user, "allow_other", prefix=inside)
                mounted = self.mount("--threads", THREADS, prefix=prefix)
                if enters:
                    subprocess.run([*map(str, prefix), "stat", self.point / "inner" / "theirs"],
                                   check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL)
                else:
                    self.check_that_it_is_refused(prefix)
                self.check_that_others_are_served(prefix)
                mounted.stop(signal.SIGTERM)
                self.end(server)
