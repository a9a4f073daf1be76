# SPDX-License-Identifier: MIT
"""Files that share their blocks: XFS and btrfs, each in a file of its own."""

import os
import subprocess
import sys

from harness import TestCase, doctor
from loop_mounts import mount_new
from paths import PATIENCE_S

BYTES = 4 << 20
PYTHON = [sys.executable, "-I", "-S", "-B", "-c"]

# argv: source, sink, bytes, offset in the source
COPY_FILE_RANGE = """
import os, sys
source, size = os.open(sys.argv[1], os.O_RDONLY), int(sys.argv[3])
os.lseek(source, int(sys.argv[4]), os.SEEK_SET)
sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
while size: size -= os.copy_file_range(source, sink, size)
"""
# argv: source, sink, offset, length
CLONE_RANGE = """
import fcntl, os, struct, sys
FICLONERANGE = 0x4020940d
source = os.open(sys.argv[1], os.O_RDONLY)
sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
offset, length = int(sys.argv[3]), int(sys.argv[4])
fcntl.ioctl(sink, FICLONERANGE, struct.pack("qQQQ", source, offset, length, 0))
"""


def kernel_release():
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


def direct_reads_are_seen():
    """Whether the kernel tells that a direct read has begun; before, charges have to do."""
    return any(line.startswith("ok") for line in doctor().stdout.splitlines()
               if "iomap_dio_rw_begin" in line)


class OnAFileSystem:
    """Mounts a new file system for each test."""

    MOUNT_OPTIONS = "loop"

    def setUp(self):
        super().setUp()
        self.place = mount_new(self, self.MAKE, self.SIZE, self.MOUNT_OPTIONS)
        self.source, self.sink = self.place / "source", self.place / "sink"
        self.source.write_bytes(os.urandom(BYTES))
        os.sync()

    def only_row(self, report, syscall, source="file", sink="file"):
        (row,) = [row for row in report.totals["rows"]
                  if (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]
        return row

    def assert_is_a_copy(self, length=BYTES, offset=0):
        self.assertTrue(self.sink.read_bytes()
                        == self.source.read_bytes()[offset:offset + length], "the copy differs")

    def assert_shared(self, report, syscall, length=BYTES):
        row = self.only_row(report, syscall)
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (length, 0))
        self.assertEqual(row["verdict"], "reflinked")
        # Blocks of the file system itself.
        self.assertLess(row["dirtied_bytes"], length)
        self.assertEqual((report.totals["zero_copy_share"], report.totals["kernel_only_share"]),
                         (1, 1))

    def assert_read(self, report, verdict, length=BYTES):
        """What dd read of the source, apart from what the loader reads."""
        row = self.only_row(report, "read", "file", "user")
        self.assertEqual(row["verdict"], verdict)
        loader = row["bytes"] - length
        self.assertLess(loader, 8192)
        self.assertEqual(row["cpu_copied_bytes"], loader if verdict == "direct" else row["bytes"])


class Clones(OnAFileSystem):
    """What file systems do that can share blocks."""

    def test_a_clone_of_the_whole_file_copies_nothing(self):
        report = self.observe("cp", "--reflink=always", self.source, self.sink).report
        self.assert_is_a_copy()
        self.assert_shared(report, "ioctl:FICLONE")

    def test_a_clone_of_a_range_copies_nothing(self):
        report = self.observe(*PYTHON, CLONE_RANGE, self.source, self.sink, 65536, 131072).report
        self.assert_is_a_copy(131072, 65536)
        self.assert_shared(report, "ioctl:FICLONERANGE", 131072)

    def test_copy_file_range_copies_nothing_where_it_can_share_blocks(self):
        report = self.observe(*PYTHON, COPY_FILE_RANGE, self.source, self.sink, BYTES, 0).report
        self.assert_is_a_copy()
        self.assert_shared(report, "copy_file_range")

    def test_copy_file_range_into_a_file_on_disk_shares_blocks_too(self):
        self.sink.touch()
        os.sync()  # So the file system has to change blocks of its own: they become dirty.
        report = self.observe(*PYTHON, COPY_FILE_RANGE, self.source, self.sink, BYTES, 0).report
        self.assert_is_a_copy()
        self.assert_shared(report, "copy_file_range")

    def test_copy_file_range_behind_a_page_in_memory_shares_blocks_too(self):
        self.sink.write_bytes(b"x" * 4096)  # dirty, and not on disk yet
        script = COPY_FILE_RANGE.replace("while size", "os.lseek(sink, 4096, 0)\nwhile size")
        report = self.observe(*PYTHON, script, self.source, self.sink, BYTES, 0).report
        self.assertTrue(self.sink.read_bytes()[4096:] == self.source.read_bytes())
        self.assert_shared(report, "copy_file_range")

    def test_copy_file_range_into_a_file_that_is_being_read_shares_blocks_too(self):
        script = COPY_FILE_RANGE.replace("os.O_WRONLY", "os.O_RDWR").replace(
            "while size: size -= os.copy_file_range(source, sink, size)",
            "while size: size -= os.copy_file_range(source, sink, 65536); os.pread(sink, 1, 0)")
        report = self.observe(*PYTHON, script, self.source, self.sink, BYTES, 0).report
        self.assert_is_a_copy()
        self.assert_shared(report, "copy_file_range")

    def test_copy_file_range_copies_the_part_of_a_block_that_it_cannot_share(self):
        length = BYTES - 1000
        report = self.observe(*PYTHON, COPY_FILE_RANGE, self.source, self.sink, length, 0).report
        self.assert_is_a_copy(length)
        row = self.only_row(report, "copy_file_range")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (length, length % 4096))
        self.assertEqual(row["verdict"], "mixed")
        self.assertGreaterEqual(row["dirtied_bytes"], 4096)
        self.assertEqual(report.totals["zero_copy_bytes"], length - length % 4096)

    def test_copy_file_range_to_another_place_within_blocks_is_a_copy(self):
        length = BYTES - 4096
        report = self.observe(*PYTHON, COPY_FILE_RANGE, self.source, self.sink, length, 1).report
        self.assert_is_a_copy(length, 1)
        row = self.only_row(report, "copy_file_range")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (length, length))
        self.assertEqual((row["verdict"], row["cpu_copied_measured_bytes"]), ("copied", length))
        self.assertEqual((report.totals["zero_copy_share"], report.totals["kernel_only_share"]),
                         (0, 1))

    def test_without_reflinks_cp_reads_and_writes(self):
        report = self.observe("cp", "--reflink=never", self.source, self.sink).report
        self.assert_is_a_copy()
        written = self.only_row(report, "write", "user", "file")
        self.assertEqual((written["cpu_copied_bytes"], written["cpu_copied_measured_bytes"]),
                         (BYTES, BYTES))
        self.assertAlmostEqual(report.totals["cpu_copies_per_byte"], 2, places=1)
        self.assertEqual((report.totals["zero_copy_share"], report.totals["kernel_only_share"]),
                         (0, 0))

    def test_the_table_says_that_the_files_share_their_blocks(self):
        done = self.zctrace("run", "--", "cp", "--reflink=always", self.source, self.sink,
                            env=os.environ | {"COLUMNS": "250"})
        self.assertEqual(done.returncode, 0, done.stderr)
        for wanted in ("0.00 per delivered byte", "reflinked"):
            self.assertIn(wanted, done.stderr)


class Xfs(Clones, TestCase):
    """XFS."""

    MAKE, SIZE = "mkfs.xfs", 320 << 20

    def test_direct_writes_copy_nothing(self):
        report = self.observe("dd", f"if={self.source}", f"of={self.sink}", "bs=1M",
                              "iflag=direct", "oflag=direct").report
        written = self.only_row(report, "write", "user", "file")
        self.assertEqual((written["verdict"], written["cpu_copied_bytes"]), ("direct", 0))
        self.assertGreaterEqual(written["dirtied_bytes"], BYTES)
        self.assertGreater(report.totals["zero_copy_share"], 0.99)
        self.assertEqual(report.totals["kernel_only_share"], 0)

    def test_direct_reads_of_a_hole_copy_nothing(self):
        if not direct_reads_are_seen():
            self.skipTest("needs the tracepoint iomap_dio_rw_begin (Linux 6.6)")
        with open(self.source, "wb") as hole:
            hole.truncate(BYTES)
        report = self.observe("dd", f"if={self.source}", "of=/dev/null", "bs=1M",
                              "iflag=direct").report
        self.assert_read(report, "direct")


class Btrfs(Clones, TestCase):
    """btrfs."""

    MAKE, SIZE = "mkfs.btrfs", 160 << 20

    def test_direct_writes_with_checksums_are_copied(self):
        if kernel_release() < (6, 15):
            self.skipTest("btrfs writes directly (before Linux 6.15)")
        report = self.observe("dd", f"if={self.source}", f"of={self.sink}", "bs=1M",
                              "oflag=direct").report
        written = self.only_row(report, "write", "user", "file")
        self.assertEqual((written["verdict"], written["cpu_copied_bytes"]), ("buffered", BYTES))


class JournaledData(OnAFileSystem, TestCase):
    """ext4 that writes data to its journal: it reads and writes through the page cache always."""

    MAKE, SIZE, MOUNT_OPTIONS = "mkfs.ext4", 64 << 20, "loop,data=journal"

    def test_direct_reads_are_buffered(self):
        if not direct_reads_are_seen():
            self.skipTest("needs the tracepoint iomap_dio_rw_begin (Linux 6.6)")
        with open(self.source, "rb") as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        report = self.observe("dd", f"if={self.source}", "of=/dev/null", "bs=1M",
                              "iflag=direct").report
        self.assert_read(report, "buffered")


class BlockDevice(TestCase):
    """A loop device, read and written without a file system."""

    def setUp(self):
        super().setUp()
        image = self.directory / "image"
        image.write_bytes(os.urandom(BYTES))
        made = subprocess.run(["losetup", "--find", "--show", image], check=False,
                              timeout=PATIENCE_S, capture_output=True, text=True)
        if made.returncode != 0:
            self.skipTest(f"no loop device: {made.stderr.strip()}")
        self.device = made.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", self.device], check=True,
                        timeout=PATIENCE_S)

    def only_row(self, report, syscall, source, sink):
        (row,) = [row for row in report.totals["rows"]
                  if (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]
        return row

    def test_direct_reads_copy_nothing(self):
        report = self.observe("dd", f"if={self.device}", "of=/dev/null", "bs=64K",
                              "iflag=direct").report
        row = self.only_row(report, "read", "device", "user")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"], row["verdict"]),
                         (BYTES, 0, "direct"))

    def test_direct_writes_copy_nothing(self):
        report = self.observe("dd", "if=/dev/zero", f"of={self.device}", "bs=64K", "count=16",
                              "oflag=direct", "status=none").report
        row = self.only_row(report, "write", "user", "device")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"], row["verdict"]),
                         (1 << 20, 0, "direct"))

    def test_other_reads_and_writes_are_copied(self):
        report = self.observe("dd", "if=/dev/zero", f"of={self.device}", "bs=64K", "count=16",
                              "status=none").report
        row = self.only_row(report, "write", "user", "device")
        self.assertEqual((row["cpu_copied_bytes"], row["verdict"]), (1 << 20, None))

    def test_a_splice_takes_its_pages(self):
        script = ("import os, sys\n"
                  "end = os.pipe()[1]\n"
                  "os.splice(os.open(sys.argv[1], os.O_RDONLY), end, 4096)\n")
        row = self.only_row(self.observe(*PYTHON, script, self.device).report, "splice", "device",
                            "pipe")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), (4096, 0))


class WithoutClones(TestCase):
    """A file system that cannot share blocks."""

    def test_a_clone_fails_and_moves_no_bytes(self):
        source, sink = self.directory / "source", self.directory / "sink"
        source.write_bytes(os.urandom(BYTES))
        done = subprocess.run(["cp", "--reflink=always", source, sink], check=False,
                              capture_output=True, timeout=PATIENCE_S)
        if done.returncode == 0:
            self.skipTest("the file system of the test's directory has clones")
        report = self.observe("cp", "--reflink=always", source, sink, status=1).report
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "ioctl:FICLONE"]
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"], row["verdict"]), (0, 0, None))
        self.assertEqual(row["errors_by"], {"EOPNOTSUPP": 1})
