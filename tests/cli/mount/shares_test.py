# SPDX-License-Identifier: MIT
"""A user of root's mount that takes all descriptors it can get leaves some to others."""

import os
import subprocess
import sys

from mounts import AS_NOBODY, MountTest
from paths import PATIENCE_S

FILES = 1500
DESCRIPTORS = 1200
# A user may take three quarters of what is left after zctrace's own.
SHARE = (DESCRIPTORS - 256) * 3 // 4
DIRECTORIES = 30  # each in the one before
IN_EACH = 40
OTHER = 61360
# Says how many it got, and keeps them until its standard input ends.
TAKE = {
    "open": "os.open(str(number), os.O_RDONLY)",
    "in use": "os.open(str(number), os.O_PATH)",
    "directories": "os.open('.', os.O_RDONLY | os.O_DIRECTORY)",
    "created": "os.open(f'new-{number}', os.O_WRONLY | os.O_CREAT)",
}
TAKER = """
import errno, os, sys
os.chdir(sys.argv[1])
count = 0
try:
    for number in range(int(sys.argv[2])):
        {}
        count += 1
except OSError as error:
    assert error.errno == errno.ENFILE, error
print(count, flush=True)
sys.stdin.read()
"""


COST = {"open": 2, "in use": 1, "directories": 1, "created": 2}  # descriptors
MODEST = 40  # files
AS_OTHER = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]


class Shares(MountTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("needs root to become two users")
        self.directory.chmod(0o755)
        for number in range(FILES):
            (self.source / str(number)).write_text("text")

    def mount_limited(self, *options):
        return self.mount(*options, prefix=["prlimit", f"--nofile={DESCRIPTORS}"])

    def make_deep_tree(self):
        directory = self.source
        for _ in range(DIRECTORIES):
            directory = directory / "deeper"
            directory.mkdir()
            directory.chmod(0o755)
            for number in range(IN_EACH):
                (directory / f"file-{number}").touch()

    def list_all(self, user):
        done = subprocess.run([*user, "ls", "-lR", self.point], capture_output=True, text=True,
                              check=True, timeout=PATIENCE_S)
        self.assertEqual(done.stdout.count("file-"), DIRECTORIES * IN_EACH)

    def take(self, how, user, most=FILES):
        process = self.start([*user, sys.executable, "-c", TAKER.format(TAKE[how]), self.point,
                              most], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return process, int(process.stdout.readline())

    def give_back(self, *takers):
        for process in takers:
            process.stdin.close()
            process.wait(PATIENCE_S)

    def test_others_find_some(self):
        mounted = self.mount_limited()
        for how in TAKE:
            with self.subTest(how):
                greedy, count = self.take(how, AS_NOBODY)
                # Others may have as many files in the cache.
                self.assertGreaterEqual(count, (SHARE - MODEST) // COST[how] - 2)
                self.assertLess(count, FILES)
                modest, found = self.take("open", AS_OTHER, MODEST)
                self.assertEqual(found, MODEST)
                # Root is not limited, and reads files that no user has open.
                self.assertEqual((self.point / str(FILES - 1)).read_text(), "text")
                self.give_back(greedy, modest)
                self.wait_until(lambda: len(os.listdir(f"/proc/{mounted.pid}/fd")) < 700,
                                "they are given back")
        mounted.stop()

    def test_files_in_use_that_another_user_lists_do_not_count_for_it(self):
        for how in ("open", "in use"):
            with self.subTest(how):
                mounted = self.mount_limited()
                greedy, _ = self.take(how, AS_NOBODY)
                for _ in range(3):
                    done = subprocess.run([*AS_OTHER, "ls", "-l", self.point], check=False,
                                          capture_output=True, text=True, timeout=PATIENCE_S)
                    # A lookup waits only a moment for others to be forgotten, so on a busy machine
                    # a few may fail. All that follow failed where those in use counted.
                    self.assertGreaterEqual(done.stdout.count("root root"), FILES - 20, done.stderr)
                self.give_back(greedy)
                mounted.stop()

    def test_files_that_were_only_listed_make_room(self):
        """All of its own, and those of others as long as these hold more than it does."""
        self.make_deep_tree()
        for options, listers, holders in (
                ([], [AS_NOBODY], 1), (["--cache", "none"], [AS_NOBODY], 1),
                (["--cache", "always"], [AS_NOBODY], 1), (["--threads", "2"], [AS_NOBODY], 1),
                ([], [AS_OTHER], 2), ([], [[]], 2),
                (["--cache", "none"], [AS_NOBODY, AS_OTHER, []], 2)):
            with self.subTest((options, listers)):
                mounted = self.mount_limited(*options)
                for lister in listers:
                    self.list_all(lister)
                taker, count = self.take("open", AS_NOBODY)
                self.assertGreaterEqual(count, SHARE // holders // COST["open"] - 2)
                beside, found = self.take("open", AS_OTHER, MODEST)
                self.assertEqual(found, MODEST)
                self.give_back(taker, beside)
                mounted.stop()
