# SPDX-License-Identifier: MIT
"""What an ordinary user may do, and whose files it creates."""

import errno
import os
import stat
import struct
import subprocess
import sys
import unittest

from directory import NOBODY, DirectoryTest


class Users(DirectoryTest):
    @unittest.skipIf(os.geteuid() == 0, "root may do everything")
    def test_permissions_apply_to_the_owner(self):
        path = self.file(content=b"secret")
        os.chmod(path, 0)
        self.assert_errno(errno.EACCES, open, path)
        self.assertFalse(os.access(path, os.R_OK))
        os.chmod(path, 0o400)
        self.assertEqual(path.read_bytes(), b"secret")
        self.assert_errno(errno.EACCES, open, path, "ab")
        (self.here / "closed").mkdir(mode=0)
        self.assert_errno(errno.EACCES, os.listdir, self.here / "closed")
        self.assert_errno(errno.EACCES, os.stat, self.here / "closed/x")
        (self.here / "listable").mkdir(mode=0o400)
        self.assertEqual(os.listdir(self.here / "listable"), [])
        self.assert_errno(errno.EPERM, os.chown, path, 0, 0)
        script = self.file("script", b"#!/bin/sh\nexit 7\n")
        self.assert_errno(errno.EACCES, subprocess.call, [script])
        os.chmod(script, 0o700)
        self.assertEqual(subprocess.call([script]), 7)
        for directory in ("closed", "listable"):
            os.chmod(self.here / directory, 0o700)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_permissions_and_ownership_of_others(self):
        os.chmod(self.here, 0o755)
        path = self.file(content=b"secret")
        os.chmod(path, 0o600)
        shared = self.here / "shared"
        shared.mkdir()
        os.chmod(shared, 0o1777)
        os.chown(shared, 0, 4242)
        setgid = self.here / "setgid"
        setgid.mkdir()
        os.chown(setgid, 0, 4242)
        os.chmod(setgid, 0o2777)
        # A file of root in a supplementary group of the other user: a daemon may not know that group.
        team = self.here / "team"
        team.mkdir()
        os.chown(team, 0, 4343)
        os.chmod(team, 0o770)
        self.file("shared/roots")
        script = f"""
import errno, os
os.setgroups([4343]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.umask(0o022)
def refused(number, function, *arguments):
    try: function(*arguments)
    except OSError as error: assert error.errno == number, error
    else: raise AssertionError(function, arguments)
os.chdir({str(self.here)!r})
refused(errno.EACCES, open, 'file')
refused(errno.EACCES, open, 'new', 'w')
refused(errno.EPERM, os.unlink, 'shared/roots')
refused(errno.EPERM, os.chmod, 'shared/roots', 0o777)
open('shared/mine', 'w').write('x')
os.mkdir('shared/dir'); os.symlink('x', 'shared/link'); os.mkfifo('shared/fifo')
os.mkdir('setgid/dir'); open('setgid/file', 'w').close()
open('team/file', 'w').close()
os.chmod('shared/mine', 0o4755); open('shared/mine', 'a').write('y')
assert os.stat('shared/mine').st_mode & 0o7777 == 0o755, oct(os.stat('shared/mine').st_mode)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("mine", "dir", "link", "fifo"):
            status = (shared / name).lstat()
            self.assertEqual((name, status.st_uid, status.st_gid), (name, NOBODY, NOBODY))
        self.assertEqual((setgid / "dir").stat().st_gid, 4242)
        self.assertTrue((setgid / "dir").stat().st_mode & stat.S_ISGID)
        self.assertEqual((setgid / "file").stat().st_gid, 4242)
        self.assertEqual((team / "file").stat().st_uid, NOBODY)
        os.chown(path, 12, 34)
        self.assertEqual((path.stat().st_uid, path.stat().st_gid), (12, 34))
        os.mknod(self.here / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        self.assertEqual((self.here / "null").stat().st_rdev, os.makedev(1, 3))

    def as_nobody(self, script):
        """Runs a script as NOBODY in the supplementary group 4343."""
        start = ("import ctypes, os, stat, struct\n"
                 f"os.setgroups([4343]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.umask(0)\n"
                 f"os.chdir({str(self.here)!r})\n"
                 "def mode(path): return oct(os.stat(path).st_mode & 0o7777)\n")
        done = subprocess.run([sys.executable, "-c", start + script], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def files_of_nobody(self, mode, **groups):
        os.chmod(self.here, 0o777)
        for name, group in groups.items():
            path = self.file(name)
            os.chown(path, NOBODY, group)
            os.chmod(path, mode)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_truncation_by_an_ordinary_user_drops_set_user_id_and_set_group_id(self):
        self.files_of_nobody(0o6777, opened=NOBODY, truncated=NOBODY, written=0)
        self.assertEqual(self.as_nobody("""
os.close(os.open('opened', os.O_WRONLY | os.O_TRUNC))
os.truncate('truncated', 1)
os.write(os.open('written', os.O_WRONLY), b'x')
print(mode('opened'), mode('truncated'), mode('written'))
"""), ["0o777"] * 3)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_an_acl_drops_set_group_id_of_a_group_that_the_user_is_not_in(self):
        self.files_of_nobody(0o2755, own=NOBODY, team=4343, others=4242, roots=0)
        entries = struct.pack("<I" + "HHI" * 3, 2, 1, 7, 0xffffffff, 4, 5, 0xffffffff,
                              0x20, 5, 0xffffffff)
        try:
            os.setxattr(self.file("tried"), "system.posix_acl_access", entries)
        except OSError as error:
            self.skipTest(f"no ACLs here: {error}")
        self.assertEqual(self.as_nobody(f"""
for name in ('own', 'team', 'others', 'roots'):
    os.setxattr(name, 'system.posix_acl_access', {entries!r})
    print(mode(name))
"""), ["0o2755", "0o2755", "0o755", "0o755"])

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_group_members_create_set_group_id_files(self):
        for name, group in (("team", 4343), ("others", 4242)):
            (self.here / name).mkdir()
            os.chown(self.here / name, 0, group)
            os.chmod(self.here / name, 0o2777)
        os.chmod(self.here, 0o755)
        self.assertEqual(self.as_nobody("""
for name in ('team', 'others'):
    os.close(os.open(name + '/created', os.O_CREAT | os.O_WRONLY, 0o2770))
    os.mknod(name + '/made', stat.S_IFREG | 0o2770)
    os.mkdir(name + '/directory')
    for made in ('/created', '/made', '/directory'):
        print(mode(name + made))
"""), ["0o2770", "0o2770", "0o2777", "0o770", "0o770", "0o2777"])

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_a_whiteout_belongs_to_the_renaming_user(self):
        self.files_of_nobody(0o600, old=NOBODY)
        said = self.as_nobody("""
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, b'old', -100, b'new', 4) != 0: print(ctypes.get_errno())
""")
        if said:
            self.assertIn(int(said[0]), (errno.EINVAL, errno.EPERM))
            self.skipTest("no whiteouts here")
        status = (self.here / "old").lstat()
        self.assertEqual((stat.S_ISCHR(status.st_mode), status.st_uid, status.st_gid),
                         (True, NOBODY, NOBODY))

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_trusted_attributes_are_listed_only_to_root(self):
        self.files_of_nobody(0o600, file=NOBODY)
        try:
            for name in ("user.one", "trusted.two", "user.three"):
                os.setxattr(self.here / "file", name, b"")
        except OSError as error:
            self.skipTest(f"no such attributes here: {error}")
        listed = ("libc = ctypes.CDLL(None, use_errno=True)\n"
                  "def size(room): return libc.listxattr(b'file', bytes(64) if room else None, room)\n"
                  "print(*sorted(os.listxattr('file')), size(0), size(20), size(19))")
        self.assertEqual(self.as_nobody(listed), ["user.one", "user.three", "20", "20", "-1"])
        self.assertIn("trusted.two", os.listxattr(self.here / "file"))
