# SPDX-License-Identifier: MIT
"""What is written is read, by every call that moves bytes."""

import ctypes
import errno
import fcntl
import mmap
import os
import socket
import subprocess
import sys
import threading
import unittest

from directory import (DIRECT_IO, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, PASSTHROUGH, DirectoryTest,
                       digest, libc, random_bytes)


class Content(DirectoryTest):
    SIZES = (0, 1, 4095, 4096, 4097, 65536, 1000003, 5 * 1024 * 1024 + 7)

    def test_what_is_written_is_read(self):
        for size in self.SIZES:
            for chunk in (1 << 22, 4096, 777):
                if size // chunk > 2000:
                    continue
                with self.subTest(size=size, chunk=chunk):
                    data = random_bytes(size)
                    path = self.here / f"{size}-{chunk}"
                    with open(path, "wb", buffering=0) as file:
                        for at in range(0, size, chunk):
                            self.assertEqual(file.write(data[at:at + chunk]),
                                             len(data[at:at + chunk]))
                    self.assertEqual(path.stat().st_size, size)
                    with open(path, "rb", buffering=0) as file:
                        read = b"".join(iter(lambda: file.read(chunk), b""))
                    self.assertEqual(digest(read), digest(data))

    def test_reading_by_mmap_sendfile_splice_and_copy_file_range(self):
        data = random_bytes(3 * 1024 * 1024 + 11)
        path = self.file(content=data)
        with open(path, "rb") as file:
            with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapping:
                self.assertEqual(digest(mapping), digest(data))
            self.assertEqual(digest(self.through_socket(file, len(data))), digest(data))
            self.assertEqual(digest(self.through_pipe(file, len(data))), digest(data))
            with open(self.here / "copy", "wb") as copy:
                done = 0
                while done < len(data):
                    moved = os.copy_file_range(file.fileno(), copy.fileno(), len(data) - done, done)
                    self.assertGreater(moved, 0)
                    done += moved
        self.assertEqual(digest((self.here / "copy").read_bytes()), digest(data))

    def through_socket(self, file, size):
        mine, theirs = socket.socketpair()
        received = bytearray()

        def drain():
            while part := theirs.recv(1 << 16):
                received.extend(part)
        thread = threading.Thread(target=drain)
        thread.start()
        done = 0
        while done < size:
            done += os.sendfile(mine.fileno(), file.fileno(), done, size - done)
        mine.close()
        thread.join()
        theirs.close()
        return received

    def through_pipe(self, file, size):
        reader, writer = os.pipe()
        received = bytearray()
        done = 0
        while done < size:
            moved = os.splice(file.fileno(), writer, min(65536, size - done), offset_src=done)
            done += moved
            while moved:
                part = os.read(reader, moved)
                received.extend(part)
                moved -= len(part)
        os.close(reader)
        os.close(writer)
        return received

    def test_splice_and_sendfile_into_a_file(self):
        data = random_bytes(1024 * 1024 + 5, 2)
        source = self.file("source", data)
        with open(source, "rb") as file, open(self.here / "sent", "wb") as sent:
            done = 0
            while done < len(data):
                done += os.sendfile(sent.fileno(), file.fileno(), done, len(data) - done)
        self.assertEqual(digest((self.here / "sent").read_bytes()), digest(data))
        reader, writer = os.pipe()
        with open(source, "rb") as file, open(self.here / "spliced", "wb") as spliced:
            done = 0
            while done < len(data):
                moved = os.splice(file.fileno(), writer, 65536, offset_src=done)
                while moved:
                    out = os.splice(reader, spliced.fileno(), moved, offset_dst=done)
                    moved -= out
                    done += out
        os.close(reader)
        os.close(writer)
        self.assertEqual(digest((self.here / "spliced").read_bytes()), digest(data))

    @unittest.skipIf(DIRECT_IO, "no shared mappings without a page cache")
    def test_shared_mappings_write_and_see_writes(self):
        data = random_bytes(1024 * 1024)
        path = self.file(content=bytes(len(data)))
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[:] = data
            self.assertEqual(digest(path.read_bytes()), digest(data))
            mapping.flush()
            os.pwrite(file.fileno(), b"changed", 8190)
            self.assertEqual(mapping[8190:8197], b"changed")
        self.assertEqual(path.read_bytes()[8190:8197], b"changed")

    def test_o_direct(self):
        path = self.file(content=random_bytes(1 << 20))
        fd = os.open(path, os.O_RDWR | os.O_DIRECT)
        with mmap.mmap(-1, 1 << 20) as buffer:
            self.assertEqual(os.preadv(fd, [buffer], 0), 1 << 20)
            self.assertEqual(digest(buffer), digest(random_bytes(1 << 20)))
            buffer[:] = random_bytes(1 << 20, 9)
            self.assertEqual(os.pwritev(fd, [buffer], 0), 1 << 20)
        os.close(fd)
        self.assertEqual(digest(path.read_bytes()), digest(random_bytes(1 << 20, 9)))

    def test_appending_from_many_processes_loses_nothing(self):
        path = self.file(content=b"")
        writers = [subprocess.Popen(
            [sys.executable, "-c", "import os,sys\n"
             "fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)\n"
             "for i in range(200): os.write(fd, sys.argv[2].encode() * 50)",
             path, letter]) for letter in "abcd"]
        for writer in writers:
            self.assertEqual(writer.wait(), 0)
        content = path.read_bytes()
        self.assertEqual(len(content), 4 * 200 * 50)
        self.assertEqual({content[at:at + 50] for at in range(0, len(content), 50)},
                         {letter * 50 for letter in (b"a", b"b", b"c", b"d")})

    def test_o_append_ignores_the_offset_and_large_appends_work(self):
        path = self.file(content=b"first")
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.lseek(fd, 0, os.SEEK_SET)
        data = random_bytes(1 << 20)
        self.assertEqual(os.write(fd, data), len(data))
        os.close(fd)
        self.assertEqual(digest(path.read_bytes()), digest(b"first" + data))

    @unittest.skipIf(DIRECT_IO, "no shared mappings without a page cache")
    def test_mapping_of_a_file_opened_for_appending_writes_in_place(self):
        path = self.file(content=b"0" * 8192)
        with open(path, "ab+") as file, mmap.mmap(file.fileno(), 8192) as mapping:
            mapping[:5] = b"HELLO"
            mapping.flush()
            file.write(b"end")
        self.assertEqual(path.read_bytes(), b"HELLO" + b"0" * 8187 + b"end")

    @unittest.skipIf(PASSTHROUGH, "the kernel keeps the flags of the open for its backing file")
    def test_o_append_can_be_cleared(self):
        path = self.file(content=b"0" * 8192)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(fd, b"one")
        fcntl.fcntl(fd, fcntl.F_SETFL, 0)
        os.pwrite(fd, b"HELLO", 4)
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
        os.pwrite(fd, b"two", 0)
        os.close(fd)
        self.assertEqual(path.read_bytes(), b"0000HELLO" + b"0" * 8183 + b"onetwo")


class SizeAndHoles(DirectoryTest):
    def test_truncate_by_path_by_descriptor_and_at_open(self):
        path = self.file(content=b"0123456789")
        os.truncate(path, 5)
        self.assertEqual(path.read_bytes(), b"01234")
        with open(path, "r+b") as file:
            os.ftruncate(file.fileno(), 8)
        self.assertEqual(path.read_bytes(), b"01234\0\0\0")
        os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
        self.assertEqual(path.stat().st_size, 0)
        self.assert_errno(errno.EISDIR, os.truncate, self.here, 0)
        self.assert_errno(errno.ENOENT, os.truncate, self.here / "none", 0)

    def test_holes_are_found_and_read_as_zeros(self):
        path = self.here / "holes"
        mebibyte = 1 << 20
        with open(path, "w+b", buffering=0) as file:
            os.pwrite(file.fileno(), b"x" * 4096, mebibyte)
            os.ftruncate(file.fileno(), 3 * mebibyte)
            os.fsync(file.fileno())
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_DATA), mebibyte)
            self.assertEqual(os.lseek(file.fileno(), mebibyte, os.SEEK_HOLE), mebibyte + 4096)
            self.assert_errno(errno.ENXIO, os.lseek, file.fileno(), 2 * mebibyte, os.SEEK_DATA)
            self.assertEqual(os.pread(file.fileno(), 10, 0), bytes(10))
            self.assertLess(os.fstat(file.fileno()).st_blocks * 512, mebibyte)

    def test_fallocate(self):
        path = self.file(content=b"y" * 65536)
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, 131072)
            self.assertEqual(path.stat().st_size, 131072)
            mode = FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE
            if libc.fallocate64(file.fileno(), mode, ctypes.c_int64(4096), ctypes.c_int64(4096)) != 0:
                self.assertEqual(ctypes.get_errno(), errno.EOPNOTSUPP)
            else:
                self.assertEqual(os.pread(file.fileno(), 8194, 4095), b"y" + bytes(4096) + b"y" * 4097)
