# SPDX-License-Identifier: MIT
"""`zctrace mount` of root in directories that an unprivileged user changes at the same time."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

from harness import why_not_observable
from mounts import AS_NOBODY, MountTest, mounts_at
from paths import NOBODY, PATIENCE_S, ZCTRACE, tool

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


@unittest.skipIf(os.geteuid() != 0, "needs root to mount, and an ordinary user beside it")
class Sources(MountTest):
    """What lies below the source may be none of the users' business, or the mount itself."""

    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)

    def mount_there(self, kind, where, *options):
        where.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, *options, "none", where], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", where], check=False)

    def as_nobody(self, *command):
        return subprocess.run([*AS_NOBODY, *command], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S)

    def test_source_without_acls_is_readable_to_other_users(self):
        ram = self.directory / "ram"
        self.mount_there("ramfs", ram)
        (ram / "file").write_text("text")
        (ram / "private").write_text("text")
        (ram / "private").chmod(0o600)
        mounted = self.mount(source=ram)
        self.assertEqual(self.as_nobody("cat", self.point / "file").stdout, "text")
        self.assertIn("Permission denied", self.as_nobody("cat", self.point / "private").stderr)
        mounted.end()

    def test_file_systems_that_depend_on_the_reader_are_not_shown(self):
        for kind in ("proc", "sysfs"):
            self.mount_there(kind, self.source / kind)
        self.file()
        mounted = self.mount()
        self.assertRegex(mounted.process.stderr.readline(), "hidden, .*/proc, .*/sysfs\n")
        for path in ("proc/1/environ", "proc/self/status", "proc", "sysfs/kernel"):
            for prefix in ((), AS_NOBODY):
                done = subprocess.run([*prefix, "stat", self.point / path], capture_output=True,
                                      text=True, check=False, timeout=PATIENCE_S)
                self.assertIn("Permission denied", done.stderr)
        self.assertEqual(sorted(os.listdir(self.point)), ["file", "proc", "sysfs"])
        mounted.end()

    def test_source_that_depends_on_the_reader_is_refused(self):
        for source in ("/proc", "/proc/self/fdinfo", "/sys/kernel"):
            done = self.zctrace("mount", source, self.point)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr,
                             "^zctrace: cannot mount the source as root: its content .*\n$")

    def test_mount_that_appears_below_its_own_source_is_not_entered(self):
        shared = self.directory / "shared"
        self.mount_there("tmpfs", shared)
        subprocess.run(["mount", "--make-shared", shared], check=True)
        self.point = shared / "point"
        self.point.mkdir()
        inner = self.source / "inner"
        inner.mkdir()
        subprocess.run(["mount", "--bind", shared, inner], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", inner], check=False)
        mounted = self.mount()
        self.assertRegex(mounted.process.stderr.readline(),
                         f"hidden, because it is this mount itself, .*: {inner}/point")
        listed = subprocess.run(["ls", "-R", self.point], capture_output=True, text=True,
                                check=False, timeout=PATIENCE_S)
        self.assertIn("Too many levels", listed.stderr)
        mounted.end()

    def test_blocks_reserved_for_root_stay_roots(self):
        image = self.directory / "image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        disk = self.directory / "disk"
        disk.mkdir()
        subprocess.run([tool("mkfs.ext4"), "-q", "-m", "30", image], check=True)
        if subprocess.run(["mount", "-o", "loop", image, disk], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("no loop device can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        disk.chmod(0o777)
        mounted = self.mount(source=disk)
        for file, command in {"written": "head -c 16m /dev/zero >{}",
                              "direct": "dd if=/dev/zero of={} bs=1M count=16 oflag=direct",
                              "allocated": "fallocate -l 14m {}"}.items():
            with self.subTest(file):
                path = self.point / file
                done = self.as_nobody("sh", "-c", command.replace("{}", str(path)))
                self.assertIn("No space left", done.stderr)
                left = os.statvfs(disk)
                self.assertLess(left.f_bavail * left.f_frsize, 1 << 20)
                self.assertGreater(left.f_bfree * left.f_frsize, 3 << 20)
                path.unlink()
                self.wait_until(lambda: os.statvfs(disk).f_bavail > 5 << 8, "it is removed")
        subprocess.run(["dd", "if=/dev/zero", f"of={self.point}/roots", "bs=1M", "count=20",
                        "status=none"], check=False, capture_output=True)
        left = os.statvfs(disk)
        self.assertLess(left.f_bfree * left.f_frsize, 1 << 20)  # root may use them
        mounted.end()


@unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
class Rights(MountTest):
    # linux/capability.h
    CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 2, 5, 19, 21, 24
    CAP_SYS_BOOT, CAP_SYS_TIME, CAP_NET_ADMIN, CAP_SYS_MODULE, CAP_BPF, CAP_PERFMON = (
        22, 25, 12, 16, 39, 38)

    def rights(self, pid):
        """For each thread its permitted capabilities, and whether it has no_new_privs."""
        found = {}
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            fields = dict(line.split(":\t", 1)
                          for line in (task / "status").read_text().splitlines() if ":\t" in line)
            found[task.name] = int(fields["CapPrm"], 16), fields["NoNewPrivs"]
        return found

    def test_roots_mount_keeps_what_serving_needs(self):
        for options in ([], ["--observe"]):
            if options and why_not_observable():
                continue
            mounted = self.mount(*options)
            rights = self.rights(mounted.pid)
            self.assertGreater(len(rights), 4)
            for permitted, no_new_privileges in rights.values():
                for dropped in (self.CAP_SYS_RESOURCE, self.CAP_SYS_BOOT, self.CAP_SYS_TIME,
                                self.CAP_NET_ADMIN, self.CAP_SYS_MODULE, self.CAP_BPF,
                                self.CAP_PERFMON):
                    self.assertFalse(permitted >> dropped & 1, (options, dropped))
                self.assertEqual(no_new_privileges, "1")
            main, _ = rights[str(mounted.pid)]
            self.assertEqual(main & ~(1 << self.CAP_KILL),
                             1 << self.CAP_SYS_ADMIN | 1 << self.CAP_SYS_PTRACE |
                             1 << self.CAP_DAC_READ_SEARCH)
            mounted.end()

    def test_ordinary_users_mount_with_file_capabilities_keeps_none(self):
        self.directory.chmod(0o755)
        binary = self.directory / "zctrace"
        shutil.copy(ZCTRACE, binary)
        subprocess.run([tool("setcap"), "cap_bpf,cap_perfmon,cap_dac_read_search,cap_sys_ptrace=ep",
                        binary], check=True)
        (self.source / "private").write_text("secret")
        (self.source / "private").chmod(0o600)
        prefix, holder = self.as_an_ordinary_user()
        process = self.start([*prefix, binary, "mount", self.source, self.point],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(process.stderr, "is mounted at")
        for permitted, _ in self.rights(process.pid).values():
            self.assertEqual(permitted, 0)
        read = subprocess.run([*map(str, prefix), "cat", self.point / "private"],
                              capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(read.stdout, "")
        self.assertIn("Permission denied", read.stderr)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(mounts_at(self.point, holder.pid), [])
