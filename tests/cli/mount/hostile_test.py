# SPDX-License-Identifier: MIT
"""`zctrace mount` of root in directories that an unprivileged user changes at the same time."""

import contextlib
import os
import signal
import subprocess
import unittest

from mounts import AS_NOBODY, MountTest
from paths import NOBODY, PATIENCE_S, ZCTRACE

TRIES = 60  # in each way


@unittest.skipIf(os.geteuid() != 0, "needs root, and an ordinary user beside it")
class Races(MountTest):
    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.home = self.directory / "home"
        self.victim = self.directory / "victim"  # nothing of the user's
        self.private = self.directory / "private"
        for directory in (self.home, self.home / "source", self.home / "point", self.victim,
                          self.private):
            directory.mkdir()
            directory.chmod(0o755)
            if self.home in (directory, directory.parent):
                os.chown(directory, NOBODY, NOBODY)
        (self.private / "secret").write_text("secret")
        self.private.chmod(0o700)
        self.addCleanup(self.unmount_all)

    def ours(self):
        return [line.split()[1] for line in open("/proc/mounts", encoding="utf-8")
                if line.startswith("zctrace ") and str(self.directory) in line]

    def unmount_all(self):
        for point in self.ours():
            subprocess.run(["umount", "-l", point], check=False)

    @contextlib.contextmanager
    def exchanging(self, name, target):
        """NOBODY exchanges `name` in its home with a symbolic link to `target`, again and again."""
        link = self.home / "link"
        subprocess.run([*AS_NOBODY, "ln", "-s", target, link], check=True)
        attacker = self.start([*AS_NOBODY, self.program("exchange"), self.home / name, link],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_for_line(attacker.stdout, "ready")
        yield
        attacker.stdin.close()
        self.assertEqual(attacker.wait(PATIENCE_S), 0)
        for path in (link, self.home / name):
            if path.is_symlink():
                path.unlink()

    def try_once(self, source, point):
        """Mounts, and returns where it is mounted and what it shows, or the error."""
        process = self.start([ZCTRACE, "mount", "-q", source, point], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
        line = process.stderr.readline()
        places = self.ours()
        shown = [name for place in places for name in os.listdir(place)]
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(self.ours(), [], "it stays mounted")
        if process.returncode != 0:
            self.assertEqual(len((line + rest).splitlines()), 1, line + rest)
            self.assertEqual(places, [], line)
        return process.returncode, places, shown, line

    def check(self, attempt, is_wrong):
        for _ in range(TRIES):
            _, places, shown, line = attempt()
            self.assertFalse(is_wrong(places, shown), line)

    def test_mount_point_exchanged_for_a_link_never_leads_the_mount_astray(self):
        with self.exchanging("point", self.victim):
            self.check(lambda: self.try_once(self.source, self.home / "point"),
                       lambda places, _: str(self.victim) in places)

    def test_directory_above_the_mount_point_exchanged_for_a_link(self):
        above = self.home / "above"
        subprocess.run([*AS_NOBODY, "mkdir", "-p", above / "victim"], check=True)
        with self.exchanging("above", self.directory):
            self.check(lambda: self.try_once(self.source, above / "victim"),
                       lambda places, _: str(self.victim) in places)

    def test_source_exchanged_for_a_link_never_shows_a_private_directory(self):
        with self.exchanging("source", self.private):
            self.check(lambda: self.try_once(self.home / "source", self.point),
                       lambda _, shown: "secret" in shown)

    def test_link_of_another_user_is_refused_and_links_of_root_are_followed(self):
        theirs = self.home / "theirs"
        subprocess.run([*AS_NOBODY, "ln", "-s", self.victim, theirs], check=True)
        for source, point in ((self.source, theirs), (theirs, self.point),
                              (theirs / "..", self.point)):
            status, places, _, line = self.try_once(source, point)
            self.assertEqual((status, places), (1, []), line)
            self.assertIn("'theirs' is a symbolic link of another user", line)
        ours = self.directory / "ours"
        ours.symlink_to("victim")
        status, places, _, line = self.try_once(self.source, ours)
        self.assertEqual((status, places), (0, [str(self.victim)]), line)


class Renamed(MountTest):
    """A directory above the mount point has another name when the mount ends."""

    def setUp(self):
        super().setUp()
        self.above = self.directory / "above"
        self.point = self.above / "point"
        self.point.mkdir(parents=True)
        self.point.chmod(0o777)

    def rename(self):
        self.above.rename(self.directory / "renamed")
        self.point = self.directory / "renamed" / "point"

    def is_mounted(self):
        with open("/proc/mounts", encoding="utf-8") as mounts:
            return any(line.split()[1].startswith(f"{self.directory}/") for line in mounts)

    def check(self, end):
        self.file()
        mounted = self.mount()
        self.rename()
        self.assertEqual(os.listdir(self.point), ["file"])
        end(mounted)
        self.wait_until(lambda: not self.is_mounted(), "it is unmounted")
        self.assertEqual(os.listdir(self.point), [])

    def test_sigterm_unmounts(self):
        self.check(lambda mounted: mounted.stop(signal.SIGTERM))

    def test_sigterm_detaches_what_is_in_use(self):
        def end(mounted):
            self.addCleanup(os.close, os.open(self.point, os.O_PATH))
            mounted.end(signal.SIGTERM)
            self.assertIn("in use", mounted.stderr)
        self.check(end)

    def test_watcher_unmounts_after_sigkill(self):
        self.check(lambda mounted: mounted.process.kill())

    def test_a_later_mount_at_the_old_path_stays(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to mount")
        old = self.point

        def end(mounted):
            old.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "theirs", old], check=True)
            self.addCleanup(subprocess.run, ["umount", old], capture_output=True, check=False)
            mounted.stop(signal.SIGTERM)
            self.assertEqual(mounted.stderr, "")
            with open("/proc/mounts", encoding="utf-8") as mounts:
                self.assertIn(f"theirs {old} tmpfs", mounts.read())
            subprocess.run(["umount", old], check=True)
        self.check(end)
