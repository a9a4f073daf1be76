# SPDX-License-Identifier: MIT
"""COPIES of `zctrace compare`: what the experiment finds, what the calls promise, and the table of
docs/methods.md agree in every cell."""

import contextlib
import csv
import io
import os
import subprocess
import unittest

from comparing import Comparing
from loop_mounts import mount_new
from paths import PATIENCE_S

READING = ("read_write", "pread_pwrite", "readv_writev", "io_uring_read_write", "async_hop")
MAPPING = ("mmap_write", "mmap_send", "mmap_memcpy")
BY_REFERENCE = ("sendfile", "splice", "tee", "vmsplice", "io_uring_splice")
NOTIFIED = ("msg_zerocopy", "io_uring_send_zc")
EVIDENCE = {"file": "counters", "null": "rule"}


def table(method, sink):
    """(user, kernel) copies of each byte, as docs/methods.md has them."""
    if method in READING:
        return (1, 0) if sink == "null" else (2, 0)
    if method in MAPPING:
        return (0, 0) if sink == "null" else (1, 0)
    if method in BY_REFERENCE or method == "copy_file_range":
        return (0, 1) if sink == "file" else (0, 0)
    return (0, 1)


def counted(row):
    """Copies of each byte by the calls of the observed run; None: its loads and stores made some."""
    if row["method"] in MAPPING[2:]:
        return None
    sinks = 2 if row["method"] == "tee" else 1
    return sum(part["cpu_copied_bytes"] / (sinks if part["copy"] == "in_kernel" else 1)
               for part in row["rows"]) / row["bytes"]


def promised_bytes(row, sink):
    """The bytes that went through user space, according to the names of the calls."""
    return sum(part["bytes"] for part in row["rows"] if part.get("copy") == "copied" and
               not (sink == "null" and part["to"] == "device"))


class Copies(Comparing):
    def test_experiment_counts_and_table_agree_in_every_cell(self):
        cells = agreeing = 0
        others = self.file_systems()
        for source in ("disk", "tmpfs", *others):
            for sink in ("file",) if source in others else ("unix", "tcp", "pipe", "file", "null"):
                rows, _ = self.compare("--from", others.get(source, source), "--to", sink, "--size",
                                       "1M", "--runs", "1", "--warmup", "0", "--methods", "all",
                                       "--buffers", "64K")
                for row in rows.values():
                    if not row["supported"]:
                        continue
                    # btrfs may read directly in one run and not in the next; compare says so.
                    if (source == "mkfs.btrfs" and row["method"] == "direct_read_write" and
                            row["copies"]["contradiction"]):
                        self.assertNotEqual(row["copies"]["user"] + row["copies"]["kernel"],
                                            counted(row))
                        continue
                    cells += 1
                    with self.subTest(source=source, sink=sink, row=row["label"]):
                        self.assert_cell(row, sink)
                        agreeing += 1
        print(f"copies: experiment, counts and table agree in {agreeing} of {cells} cells")
        self.assertEqual(agreeing, cells)
        self.assertGreater(cells, 100)

    def file_systems(self):
        """A file on each file system that can share blocks, as far as they can be mounted here."""
        sources = {}
        for make, size in (("mkfs.xfs", 320 << 20), ("mkfs.btrfs", 160 << 20)):
            with open("/proc/filesystems", encoding="ascii") as known:
                if make.removeprefix("mkfs.") not in known.read().split():
                    subprocess.run(["modprobe", make.removeprefix("mkfs.")], check=False,
                                   timeout=PATIENCE_S, capture_output=True)
            with contextlib.suppress(unittest.SkipTest):
                source = mount_new(self, make, size) / "source"
                source.write_bytes(os.urandom(1 << 20))
                sources[make] = source
        return sources

    def assert_cell(self, row, sink):
        method, copies = row["method"], row["copies"]
        self.assertIsNone(row["copies_unknown"])
        self.assertIsNone(copies["contradiction"])
        self.assertEqual(copies["reader"], 0 if sink in ("file", "null") else 1)
        self.assertEqual(copies["per_byte"], copies["user"] + copies["kernel"] + copies["reader"])
        if (made := counted(row)) is not None:
            self.assertAlmostEqual(copies["user"] + copies["kernel"], made, delta=0.01)
        verdicts = {part["verdict"] for part in row["rows"]}
        if method == "direct_read_write":
            without = {part["syscall"] for part in row["rows"] if part["verdict"] == "direct"}
            without |= {"write"} if sink == "null" else set()
            self.assertEqual(copies["user"], len({"read", "write"} - without))
            return
        if method == "reflink" or (method == "copy_file_range" and "reflinked" in verdicts):
            self.assertEqual((verdicts - {None}, copies["per_byte"]), ({"reflinked"}, 0))
            return
        self.assertEqual((copies["user"], copies["kernel"]), table(method, sink))
        self.assertEqual(copies["evidence"], EVIDENCE.get(
            sink, "notifications" if method in NOTIFIED else "aliasing"))
        if method in NOTIFIED:
            self.assertEqual(row["copied_notifications"], row["notifications"])
        elif method != "mmap_memcpy":
            self.assertEqual(promised_bytes(row, sink), copies["user"] * row["bytes"])

    def test_copies_are_those_that_the_calls_made_where_direct_writes_fall_back(self):
        # btrfs sends direct writes through the page cache where it computes checksums, and drops
        # the pages, so that none is found there afterwards.
        source = mount_new(self, "mkfs.btrfs", 160 << 20) / "source"
        source.write_bytes(os.urandom(1 << 20))
        os.sync()
        rows, report = self.compare("--from", source, "--to", "file", "--runs", "3", "--methods",
                                    "direct_read_write/64K,read_write/64K")
        row = rows["direct_read_write/64K"]
        (written,) = [part for part in row["rows"] if part["syscall"] == "write"]
        self.assertEqual(row["copies"]["user"] + row["copies"]["kernel"],
                         counted(row), (row["copies"], written))
        if written["verdict"] == "buffered":
            self.assertGreaterEqual(row["copies"]["per_byte"], 1)
            self.assertEqual(row["copies"]["evidence"], "counters")
        self.assertFalse([line for line in report["warnings"] if "COPIES" in line])

    def test_direct_input_and_output_are_told_from_their_fallback(self):
        rows, _ = self.compare("--from", "tmpfs", "--to", "file", "--size", "1M", "--runs", "1",
                               "--methods", "direct_read_write/64K,read_write/64K")
        row = rows["direct_read_write/64K"]
        if row["supported"]:  # tmpfs takes O_DIRECT since Linux 6.6
            self.assertEqual(row["copies"]["user"], 2)
        rows, report = self.compare("--from", "disk", "--to", "file", "--size", "1M", "--runs", "1",
                                    "--methods", "direct_read_write/64K,read_write/64K")
        if report["source"]["filesystem"] in ("ext4", "xfs"):
            self.assertEqual(rows["direct_read_write/64K"]["copies"]["per_byte"], 0)
        self.assertEqual(rows["read_write/64K"]["copies"]["per_byte"], 2)

    def test_a_reader_that_splices_copies_nothing(self):
        rows, _ = self.compare("--size", "1M", "--runs", "1", "--drain", "splice", "--methods",
                               "sendfile/64K,read_write/64K")
        self.assertEqual(rows["sendfile/64K"]["copies"]["per_byte"], 0)
        self.assertEqual(rows["read_write/64K"]["copies"]["per_byte"], 2)

    def test_unknown_copies_are_null_with_a_reason(self):
        rows, report = self.compare("--from", "fuse", "--size", "1M", "--runs", "1", "--methods",
                                    "read_write/64K")
        for row in rows.values():
            self.assertIsNone(row["copies"])
            self.assertIn("cannot be told apart", row["copies_unknown"])
        self.assertTrue(any(line.startswith("COPIES is unknown for all rows: ")
                            for line in report["insights"]), report["insights"])
        empty = self.directory / "empty"
        empty.touch()
        rows, _ = self.compare("--from", empty, "--runs", "1", "--methods", "sendfile/64K")
        self.assertEqual(rows["sendfile/64K"]["copies_unknown"], "no bytes were moved")

    def test_the_table_shows_them_by_who_copied(self):
        records = self.directory / "rows.csv"
        done = self.zctrace("compare", "--size", "1M", "--runs", "1", "--to", "file", "--methods",
                            "read_write/64K,sendfile/64K,reflink", "--csv", records)
        self.assertRegex(done.stdout, r"(?m)^read_write +64K .* 2\+0 ")
        self.assertRegex(done.stdout, r"(?m)^sendfile +64K .* 0\+1 ")
        self.assertIn("sendfile/64K took no byte through user space, but the kernel copied them.",
                      done.stdout)
        parsed = list(csv.DictReader(io.StringIO(records.read_text())))
        self.assertEqual([(row["user_copies"], row["kernel_copies"], row["reader_copies"])
                          for row in parsed], [("2", "0", "0"), ("0", "1", "0"), ("", "", "")])


class Textbook(Comparing):
    def test_the_measurement_stands_beside_the_textbook(self):
        _, report = self.compare("--size", "4M", "--runs", "1", "--from", "tmpfs", "--textbook",
                                 "--methods", "read_write/64K,mmap_write/64K,sendfile/64K,splice/64K")
        lines = {line["line"]: line for line in report["textbook"]["lines"]}
        self.assertEqual([line["textbook"]["cpu_copies"] for line in lines.values()], [2, 1, 1, 0, 0])
        for name, copies, syscalls in (("read+write", 2, 129 / 64), ("mmap+write", 1, 66 / 64),
                                       ("sendfile", 0, 1), ("sendfile with gather", 0, 1),
                                       ("splice", 0, 130 / 64)):
            (row,) = lines[name]["measured"]
            self.assertEqual(row["cpu_copies"], copies, name)
            self.assertEqual(row["dma_copies"], 0, name)
            self.assertAlmostEqual(row["syscalls_per_chunk"], syscalls, msg=name)
            self.assertAlmostEqual(row["crossings_per_chunk"], 2 * syscalls, msg=name)
        self.assertIn("two syscalls", lines["splice"]["why"][0])
        self.assertIn("context switches are crossings", report["textbook"]["notes"][0])

    def test_a_cold_source_is_one_copy_by_a_device(self):
        rows, report = self.compare("--size", "4M", "--runs", "1", "--cold", "--textbook",
                                    "--methods", "read_write/64K")
        if report["source"]["filesystem"] not in ("ext4", "xfs"):
            self.skipTest("the source is not on a disk")
        self.assertEqual(rows["read_write/64K"]["disk_read_bytes"], 4 << 20)
        (row,) = report["textbook"]["lines"][0]["measured"]
        self.assertEqual(row["dma_copies"], 1)
