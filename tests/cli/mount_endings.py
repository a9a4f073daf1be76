# SPDX-License-Identifier: MIT
"""How a mount ends, whatever its transport."""

import contextlib
import os
import signal
import subprocess

from mounts import mounts_at
from paths import PATIENCE_S


@contextlib.contextmanager
def closing(path):
    """The open file; its mount may be gone when it is closed."""
    file = open(path, "r+b", buffering=0)
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):
            file.close()


class Endings:
    """Tests for a MountTest."""

    def test_signals_unmount_and_report(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                mounted = self.mount()
                os.listdir(self.point)
                mounted.stop(number)
                self.assertEqual(mounts_at(self.point), [])
                self.assertIn("opendir", mounted.stdout)

    def test_another_process_unmounts(self):
        mounted = self.mount()
        # Whatever looks at the new mount at this moment makes it busy.
        self.wait_until(lambda: subprocess.run(["fusermount3", "-u", self.point], check=False,
                                               timeout=PATIENCE_S).returncode == 0,
                        "the mount is not busy")
        mounted.process.wait(PATIENCE_S)
        mounted.stop()

    def test_a_busy_mount_is_detached(self):
        data = self.file()
        mounted = self.mount()
        with closing(self.point / "file") as held:
            mounted.process.send_signal(signal.SIGTERM)
            self.wait_until(lambda: not mounts_at(self.point), "the mount is detached")
            self.assertEqual(held.read(), data)  # it still serves the open file
            mounted.process.wait(PATIENCE_S)
            with self.assertRaises(OSError):
                os.pread(held.fileno(), 1, 0)
        self.assertIn("in use", mounted.process.stderr.read())
