# SPDX-License-Identifier: MIT
"""Names, links and directories."""

import errno
import os
import socket
import stat

from directory import RENAME_EXCHANGE, RENAME_NOREPLACE, DirectoryTest, renameat2


class Names(DirectoryTest):
    def test_rename_replaces_and_keeps_the_inode(self):
        old, new = self.file("old", b"old"), self.file("new", b"new")
        inode = old.stat().st_ino
        os.rename(old, new)
        self.assertEqual((new.read_bytes(), new.stat().st_ino), (b"old", inode))
        self.assertFalse(old.exists())

    def test_rename_with_flags(self):
        one, two = self.file("one", b"1"), self.file("two", b"2")
        self.assert_errno(errno.EEXIST, renameat2, one, two, RENAME_NOREPLACE)
        renameat2(one, self.here / "free", RENAME_NOREPLACE)
        renameat2(self.here / "free", two, RENAME_EXCHANGE)
        self.assertEqual((two.read_bytes(), (self.here / "free").read_bytes()), (b"1", b"2"))
        self.assert_errno(errno.EINVAL, renameat2, two, self.here / "x",
                          RENAME_EXCHANGE | RENAME_NOREPLACE)

    def test_rename_of_directories(self):
        (self.here / "a/b").mkdir(parents=True)
        self.file("a/b/file", b"deep")
        self.assert_errno(errno.EINVAL, os.rename, self.here / "a", self.here / "a/b/c")
        os.rename(self.here / "a", self.here / "z")
        self.assertEqual((self.here / "z/b/file").read_bytes(), b"deep")
        (self.here / "full").mkdir()
        self.file("full/x")
        with self.assertRaises(OSError) as caught:
            os.rename(self.here / "z", self.here / "full")
        self.assertIn(caught.exception.errno, (errno.ENOTEMPTY, errno.EEXIST))
        self.assert_errno(errno.ENOTDIR, os.rename, self.here / "z", self.file("plain"))
        self.assert_errno(errno.ENOENT, os.rename, self.here / "none", self.here / "other")

    def test_unlink_while_open(self):
        path = self.file(content=b"still there")
        with open(path, "r+b") as file:
            os.unlink(path)
            self.assertFalse(path.exists())
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
            self.assertEqual(file.read(), b"still there")
            os.pwrite(file.fileno(), b"more", 0)
            os.ftruncate(file.fileno(), 4)
            os.fchmod(file.fileno(), 0o600)
            self.assertEqual(os.pread(file.fileno(), 100, 0), b"more")
        self.assert_errno(errno.ENOENT, os.stat, path)

    def test_o_tmpfile_or_its_refusal(self):
        try:
            fd = os.open(self.here, os.O_TMPFILE | os.O_RDWR)
        except OSError as error:
            self.assertIn(error.errno, (errno.EOPNOTSUPP, errno.EISDIR))
        else:
            os.close(fd)

    def test_hard_links_are_one_inode(self):
        path = self.file(content=b"once")
        other = self.here / "other"
        os.link(path, other)
        self.assertEqual(path.stat().st_ino, other.stat().st_ino)
        self.assertEqual(path.stat().st_nlink, 2)
        other.write_bytes(b"changed")
        self.assertEqual(path.read_bytes(), b"changed")
        os.unlink(path)
        self.assertEqual(other.stat().st_nlink, 1)
        self.assert_errno(errno.EEXIST, os.link, other, self.file("taken"))
        os.symlink("other", self.here / "symlink")
        os.link(self.here / "symlink", self.here / "linked", follow_symlinks=False)
        self.assertTrue((self.here / "linked").is_symlink())

    def test_symlinks_and_their_loops(self):
        os.symlink("target", self.here / "dangling")
        self.assertEqual(os.readlink(self.here / "dangling"), "target")
        self.assert_errno(errno.ENOENT, open, self.here / "dangling")
        os.symlink("loop", self.here / "loop")
        self.assert_errno(errno.ELOOP, open, self.here / "loop")
        self.file("target", b"found")
        self.assertEqual((self.here / "dangling").read_bytes(), b"found")
        self.assert_errno(errno.ELOOP, os.open, self.here / "dangling", os.O_RDONLY | os.O_NOFOLLOW)
        self.assert_errno(errno.EEXIST, os.symlink, "x", self.here / "loop")
        long = "x" * 4000
        os.symlink(long, self.here / "long")
        self.assertEqual(os.readlink(self.here / "long"), long)

    def test_directories(self):
        (self.here / "d").mkdir()
        self.assert_errno(errno.EEXIST, os.mkdir, self.here / "d")
        self.file("d/file")
        self.assert_errno(errno.ENOTEMPTY, os.rmdir, self.here / "d")
        self.assert_errno(errno.EISDIR, open, self.here / "d", "wb")
        self.assert_errno(errno.ENOTDIR, os.rmdir, self.here / "d/file")
        self.assert_errno(errno.ENOTDIR, os.stat, self.here / "d/file/x")
        self.assert_errno(errno.ENAMETOOLONG, os.stat, self.here / ("n" * 256))
        os.unlink(self.here / "d/file")
        os.rmdir(self.here / "d")
        self.assert_errno(errno.ENOENT, os.rmdir, self.here / "d")

    def test_a_large_directory_is_listed_whole(self):
        names = {f"entry-{number:05}-{'x' * (number % 60)}" for number in range(3000)}
        for name in names:
            (self.here / name).touch()
        self.assertEqual(set(os.listdir(self.here)), names)
        self.assertEqual({entry.name for entry in os.scandir(self.here) if entry.is_file()}, names)
        fd = os.open(self.here, os.O_RDONLY)
        for _ in range(2):  # the same directory again, after a rewind
            self.assertEqual(set(os.listdir(fd)), names)
        os.close(fd)
        inodes = {entry.name: entry.inode() for entry in os.scandir(self.here)}
        self.assertEqual(inodes["entry-00007-xxxxxxx"],
                         (self.here / "entry-00007-xxxxxxx").stat().st_ino)

    def test_strange_names(self):
        for name in (b"a b", b"new\nline", b"\xff\xfe", b"-rf", b"...", "ü".encode(), b"\x1b[31m"):
            path = os.path.join(os.fsencode(self.here), name)
            with open(path, "wb") as file:
                file.write(name)
            self.assertIn(name, os.listdir(os.fsencode(self.here)))
            with open(path, "rb") as file:
                self.assertEqual(file.read(), name)

    def test_create_exclusively(self):
        path = self.here / "exclusive"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
        self.assert_errno(errno.EEXIST, os.open, path, os.O_CREAT | os.O_EXCL | os.O_RDWR)

    def test_fifos_sockets(self):
        os.mkfifo(self.here / "fifo")
        reader = os.open(self.here / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(self.here / "fifo", os.O_WRONLY)
        os.write(writer, b"through")
        self.assertEqual(os.read(reader, 100), b"through")
        os.close(writer)
        os.close(reader)
        here = os.open(self.here, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(f"/proc/self/fd/{here}/socket")
            server.listen()
            client.connect(f"/proc/self/fd/{here}/socket")
        os.close(here)
        self.assertTrue(stat.S_ISSOCK((self.here / "socket").stat().st_mode))
