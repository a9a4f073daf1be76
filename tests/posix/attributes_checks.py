# SPDX-License-Identifier: MIT
"""Modes, times and extended attributes."""

import errno
import fcntl
import os
import stat
import time

from directory import DirectoryTest, random_bytes


class Attributes(DirectoryTest):
    def test_modes_umask_and_times(self):
        before = os.umask(0o027)
        try:
            path = self.here / "masked"
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
            (self.here / "dir").mkdir()
            os.mkfifo(self.here / "fifo")
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual(stat.S_IMODE((self.here / "dir").stat().st_mode), 0o750)
        self.assertEqual(stat.S_IMODE((self.here / "fifo").stat().st_mode), 0o640)
        os.chmod(path, 0o4711)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o4711)
        os.utime(path, ns=(123456789012345678, 234567890123456789))
        status = path.stat()
        self.assertEqual((status.st_atime_ns, status.st_mtime_ns),
                         (123456789012345678, 234567890123456789))
        os.symlink("nowhere", self.here / "link")
        os.utime(self.here / "link", ns=(1, 2), follow_symlinks=False)
        self.assertEqual((self.here / "link").lstat().st_mtime_ns, 2)
        now = time.time()
        os.utime(path)
        self.assertAlmostEqual(path.stat().st_mtime, now, delta=5)

    def test_a_write_changes_mtime_and_drops_set_user_id(self):
        path = self.file(content=b"program")
        os.chmod(path, 0o4755)
        os.utime(path, ns=(0, 0))
        with open(path, "r+b", buffering=0) as file:
            file.write(b"P")
        self.assertGreater(path.stat().st_mtime_ns, 0)
        if os.geteuid() != 0:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o755)

    def test_file_that_cannot_be_reopened_is_changed_and_locked_through_its_handle(self):
        for mode in (0o444, 0):
            with self.subTest(mode=oct(mode)):
                path = self.here / f"{mode}"
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
                self.assertEqual(os.write(fd, b"content"), 7)
                os.ftruncate(fd, 3)
                os.utime(fd)
                os.utime(fd, ns=(1, 2))
                os.fchmod(fd, mode | stat.S_ISVTX)
                os.posix_fallocate(fd, 0, 4096)
                for _ in range(2):
                    fcntl.lockf(fd, fcntl.LOCK_EX)
                    fcntl.lockf(fd, fcntl.LOCK_SH)
                    fcntl.lockf(fd, fcntl.LOCK_UN)
                fcntl.flock(fd, fcntl.LOCK_EX)
                fcntl.lockf(fd, fcntl.LOCK_EX)
                os.fchmod(fd, 0o600)
                holder = self.in_child("f = open(sys.argv[1], 'r+b')\n"
                                       "try: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
                                       "except BlockingIOError: print('held', flush=True)\n"
                                       "sys.stdin.readline()\n"
                                       "fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)", path)
                self.assertEqual(holder.stdout.readline(), "held\n")
                # A process loses all its locks on a file when it closes any descriptor of it.
                os.close(os.open(path, os.O_RDONLY))
                holder.communicate("\n")
                self.assertEqual(holder.returncode, 0)
                os.close(fd)

    def test_extended_attributes(self):
        path = self.file()
        try:
            os.setxattr(path, "user.one", b"1")
        except OSError as error:
            self.skipTest(f"no user attributes here: {error}")
        big = random_bytes(2000)
        os.setxattr(path, "user.big", big)
        self.assertEqual(os.getxattr(path, "user.one"), b"1")
        self.assertEqual(os.getxattr(path, "user.big"), big)
        self.assertEqual({name for name in os.listxattr(path) if name.startswith("user.")},
                         {"user.one", "user.big"})
        self.assert_errno(errno.EEXIST, os.setxattr, path, "user.one", b"", os.XATTR_CREATE)
        self.assert_errno(errno.ENODATA, os.setxattr, path, "user.two", b"", os.XATTR_REPLACE)
        os.removexattr(path, "user.one")
        self.assert_errno(errno.ENODATA, os.getxattr, path, "user.one")
        os.setxattr(self.here, "user.directory", b"d")
        self.assertEqual(os.getxattr(self.here, "user.directory"), b"d")

    def test_statvfs(self):
        status = os.statvfs(self.here)
        self.assertGreater(status.f_blocks, 0)
        self.assertEqual(status.f_namemax, 255)

    def test_syncing(self):
        with open(self.file(), "r+b") as file:
            os.fsync(file.fileno())
            os.fdatasync(file.fileno())
        directory = os.open(self.here, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
