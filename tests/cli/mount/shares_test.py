# SPDX-License-Identifier: MIT
"""A user of root's mount that takes all descriptors it can get leaves some to others."""

import os
import subprocess
import sys

from mounts import AS_NOBODY, MountTest
from paths import PATIENCE_S

FILES = 1500
DESCRIPTORS = 1200
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


class Shares(MountTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("needs root to become two users")
        self.directory.chmod(0o755)
        for number in range(FILES):
            (self.source / str(number)).write_text("text")
        self.mounted = self.mount(prefix=["prlimit", f"--nofile={DESCRIPTORS}"])

    def take(self, how, user, most=FILES):
        prefix = AS_NOBODY if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}",
                                                 "--clear-groups"]
        process = self.start([*prefix, sys.executable, "-c", TAKER.format(TAKE[how]), self.point,
                              most], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return process, int(process.stdout.readline())

    def test_others_find_some(self):
        for how in TAKE:
            with self.subTest(how):
                greedy, count = self.take(how, None)
                self.assertGreater(count, 100)
                self.assertLess(count, FILES)
                modest, found = self.take("open", OTHER, 40)
                self.assertEqual(found, 40)
                # Root is not limited, and reads files that no user has open.
                self.assertEqual((self.point / str(FILES - 1)).read_text(), "text")
                for process in (greedy, modest):
                    process.stdin.close()
                    process.wait(PATIENCE_S)
                self.wait_until(lambda: len(os.listdir(f"/proc/{self.mounted.pid}/fd")) < 700,
                                "they are given back")
        again, found = self.take("open", None, 100)
        self.assertEqual(found, 100)
        again.stdin.close()
        self.mounted.stop()
