# SPDX-License-Identifier: MIT
"""What a POSIX file system on Linux does, checked in the directory $CHECKED_DIRECTORY:

    CHECKED_DIRECTORY=DIR python3 -m unittest discover -s tests/posix -p '*_checks.py'

On a plain directory this tests the checks, on a mount it tests the mount.
$DIRECT_IO is set where the file system keeps no page cache, $PASSTHROUGH where the kernel reads and
writes the files of a FUSE mount itself.
"""

import ctypes
import errno
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

DIRECTORY = pathlib.Path(os.environ["CHECKED_DIRECTORY"])
DIRECT_IO = bool(os.environ.get("DIRECT_IO"))
PASSTHROUGH = bool(os.environ.get("PASSTHROUGH"))
NOBODY = 65534
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2
libc = ctypes.CDLL(None, use_errno=True)


def renameat2(source, target, flags):
    if libc.renameat2(-100, os.fsencode(source), -100, os.fsencode(target), flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def random_bytes(size, seed=1):
    return hashlib.shake_128(bytes([seed])).digest(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class DirectoryTest(unittest.TestCase):
    """A directory of its own for each test, inside the one that is checked."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=DIRECTORY, prefix="check-")
        self.addCleanup(directory.cleanup)
        self.here = pathlib.Path(directory.name)

    def assert_errno(self, number, function, *arguments, **keywords):
        with self.assertRaises(OSError) as caught:
            function(*arguments, **keywords)
        self.assertEqual(errno.errorcode[caught.exception.errno], errno.errorcode[number])

    def file(self, name="file", content=b"content"):
        path = self.here / name
        path.write_bytes(content)
        return path

    def in_child(self, code, *arguments):
        return subprocess.Popen([sys.executable, "-c", "import fcntl, os, sys, time\n" + code,
                                 *map(str, arguments)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
