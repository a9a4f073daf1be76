# SPDX-License-Identifier: MIT
"""`zctrace mount`: how a mount ends, and what it refuses."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest

from mount_endings import Endings
from mounts import MountTest, mounts_at
from paths import PATIENCE_S, ZCTRACE


class Ending(Endings, MountTest):
    def mount_tmpfs(self):
        subprocess.run(["mount", "-t", "tmpfs", "theirs", self.point], check=True)
        self.addCleanup(subprocess.run, ["umount", self.point], capture_output=True, check=False)

    def types_at_point(self):
        return [line.split()[2] for line in mounts_at(self.point)]

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_a_later_mount_at_the_same_point_stays(self):
        mounted = self.mount()
        # zctrace sees both changes at once.
        mounted.process.send_signal(signal.SIGSTOP)
        # A child of zctrace that has just begun holds what it inherited for another moment.
        self.wait_until(lambda: subprocess.run(["fusermount3", "-u", self.point], check=False,
                                               capture_output=True).returncode == 0,
                        "it is unmounted")
        self.mount_tmpfs()
        mounted.process.send_signal(signal.SIGTERM)
        mounted.process.send_signal(signal.SIGCONT)
        mounted.stop()
        self.assertEqual(mounted.stderr, "")
        self.assertEqual(self.types_at_point(), ["tmpfs"])

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_a_mount_on_top_stays_and_the_one_below_is_reported(self):
        mounted = self.mount()
        self.mount_tmpfs()
        mounted.stop()
        self.assertIn(f"'{self.point}' stays mounted", mounted.stderr)
        self.assertEqual(self.types_at_point(), ["fuse.zctrace", "tmpfs"])
        subprocess.run(["umount", self.point], check=True)
        subprocess.run(["fusermount3", "-u", self.point], check=True)
        self.assertEqual(mounts_at(self.point), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_an_earlier_mount_stays_when_ours_is_detached(self):
        self.mount_tmpfs()
        mounted = self.mount()
        self.addCleanup(os.close, os.open(self.point, os.O_PATH))
        mounted.stop(signal.SIGTERM)
        self.assertIn("in use", mounted.stderr)
        self.assertEqual(self.types_at_point(), ["tmpfs"])

    def test_sigkill_leaves_no_mount(self):
        mounted = self.mount()
        os.listdir(self.point)
        mounted.process.kill()
        mounted.process.wait()
        self.wait_until(lambda: not mounts_at(self.point), "the watcher unmounts")
        self.assertEqual(os.listdir(self.point), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
    def test_sigkill_leaves_no_mount_of_an_ordinary_user(self):
        prefix, holder = self.as_an_ordinary_user()
        mounted = self.mount(prefix=prefix)
        self.assertTrue(mounts_at(self.point, holder.pid))
        mounted.process.kill()
        mounted.process.wait()
        self.wait_until(lambda: not mounts_at(self.point, holder.pid), "the watcher unmounts")


class BadInput(MountTest):
    def refused(self, *words, wanted, status=1, **options):
        done = self.zctrace("mount", *words, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1 if status == 1 else 2, done.stderr)
        self.assertTrue(done.stderr.startswith("zctrace: "), done.stderr)
        self.assertIn(wanted, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_each_error_is_one_clear_line(self):
        missing = self.directory / "missing"
        plain = self.directory / "plain"
        plain.touch()
        inner = self.source / "inner"
        inner.mkdir()
        self.refused(missing, self.point, wanted=f"cannot open source '{missing}': No such file")
        self.refused(plain, self.point, wanted="is not a directory")
        self.refused(self.source, missing,
                     wanted=f"cannot open mount point '{missing}': No such file")
        self.refused(self.source, plain, wanted="is not a directory")
        self.refused(self.source, inner, wanted="inside source")
        self.refused(inner, self.source, wanted="inside mount point")
        self.refused(self.source, self.source, wanted="same directory")
        (self.directory / "link").symlink_to(self.source)
        self.refused(self.source, self.directory / "link/inner", wanted="inside source")
        (self.point / "something").touch()
        self.refused(self.source, self.point, wanted="not empty")
        self.assertEqual(mounts_at(self.point), [])

    def test_usage(self):
        self.refused(self.source, wanted="missing MOUNTPOINT", status=2)
        self.refused(self.source, self.point, "--cache", "some", wanted="--cache", status=2)
        self.refused(self.source, self.point, "--threads", "0", wanted="--threads", status=2)
        done = self.zctrace("mount", self.source, self.point, "-d", "soon")
        self.assertEqual(done.returncode, 2, done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
    def test_no_device_and_no_fusermount3(self):
        def hidden(what, with_what):
            return subprocess.run(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                 f"mount --bind {with_what} {what}; exec \"$@\"", "sh",
                 ZCTRACE, "mount", self.source, self.point],
                capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        plain = self.directory / "plain"
        plain.touch()
        fusermount = pathlib.Path(shutil.which("fusermount3")).resolve()
        for what, wanted in (("/dev/fuse", "/dev/fuse"), (fusermount, "fusermount3")):
            done = hidden(what, plain)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(wanted, done.stderr)
