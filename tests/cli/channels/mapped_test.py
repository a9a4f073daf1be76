# SPDX-License-Identifier: MIT
"""mapped_bytes: what page faults map of files, which no call shows."""

import mmap
import os
import pathlib
import sys
import tempfile
import unittest

from channels.channel_case import ChannelCase

PAGE = mmap.PAGESIZE
PAGES = 211  # less than a huge page, which the kernel would map at once

TOUCH = """
import mmap
def mapped(path, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED):
    fd = os.open(path, os.O_RDWR)
    m = mmap.mmap(fd, 0, flags=flags, prot=prot)
    os.close(fd)
    return m
def touch(m):
    for at in range(0, len(m), mmap.PAGESIZE): m[at]
def write(m):
    for at in range(0, len(m), mmap.PAGESIZE): m[at] = 1
"""


def tells_mappings():
    with open("/sys/kernel/btf/vmlinux", "rb") as types:
        return b"btf_trace_mm_filemap_map_pages" in types.read()


@unittest.skipUnless(tells_mappings(), "this kernel does not tell what page faults map")
class Mapped(ChannelCase):
    def file(self, name="file", pages=PAGES, directory=None):
        path = (directory or self.directory) / name
        # In single pages: of a large folio, the kernel may map more than it tells. Clean: a page that
        # is being written back is locked, so the kernel passes it over and tells its range again.
        with open(path, "wb", buffering=0) as file:
            for _ in range(pages):
                file.write(os.urandom(PAGE))
            os.fsync(file.fileno())
        return path

    def observe_touching(self, code, options=()):
        return self.observe_python(TOUCH + code, options)

    def assert_mapped(self, report, path, pages):
        file = self.file_of(report, path)
        self.assertEqual(file["mapped_bytes"], pages * PAGE, path)
        return file

    def test_every_page_of_a_file_that_is_in_the_cache_counts_once(self):
        path = self.file()
        report = self.observe_touching(f"touch(mapped({str(path)!r}))\n")
        file = self.assert_mapped(report, path, PAGES)
        # No call read it: it is listed, with its name, for its mapping alone.
        self.assertEqual((file["read_bytes"], file["written_bytes"], file["rows"]), (0, 0, []))
        self.assertEqual(file["processes"], [report.processes[0]["pid"]])
        self.assertRegex(report.table, r"MAPPED")
        self.assertRegex(report.table, r"/file .*\d.*mmap")
        listed = sum(file["mapped_bytes"] for file in report["files"])
        self.assertEqual(report["other_files"]["mapped_bytes"], 0)
        of_process = report.processes[0]
        self.assertEqual(sum(file["mapped_bytes"] for file in of_process["files"]), listed)

    def test_a_part_of_a_file_that_ends_inside_a_page_counts_in_whole_pages(self):
        path = self.directory / "file"
        path.write_bytes(os.urandom(7 * PAGE + 13))
        report = self.observe_touching(f"touch(mapped({str(path)!r}))\n")
        self.assert_mapped(report, path, 8)

    def test_a_second_mapping_counts_again(self):
        path = self.file()
        report = self.observe_touching(
            f"touch(mapped({str(path)!r}))\ntouch(mapped({str(path)!r}))\n")
        self.assert_mapped(report, path, 2 * PAGES)

    def test_a_mapped_file_that_is_not_touched_counts_nothing(self):
        path = self.file()
        report = self.observe_touching(f"m = mapped({str(path)!r})\n")
        self.assertEqual([file for file in report["files"] if file["path"] == str(path)], [])

    def test_a_file_that_is_read_and_mapped_is_one_file(self):
        path = self.file()
        report = self.observe_touching(
            f"m = mapped({str(path)!r})\ntouch(m)\nfd = os.open({str(path)!r}, os.O_RDONLY)\n"
            f"os.read(fd, 1009)\n")
        file = self.assert_mapped(report, path, PAGES)
        self.assertEqual(file["read_bytes"], 1009)

    def test_private_mappings(self):
        path = self.file()
        report = self.observe_touching(
            f"touch(mapped({str(path)!r}, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE))\n")
        self.assert_mapped(report, path, PAGES)

    def test_pages_that_are_written_first_count_one_by_one(self):
        path = self.file()
        report = self.observe_touching(
            f"write(mapped({str(path)!r}, mmap.PROT_READ | mmap.PROT_WRITE))\n")
        self.assert_mapped(report, path, PAGES)

    def test_pages_that_come_from_the_disk_count_at_least_once(self):
        path = self.file()
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        report = self.observe_touching(f"touch(mapped({str(path)!r}))\n")
        self.assertGreaterEqual(self.file_of(report, path)["mapped_bytes"], PAGES * PAGE)

    def test_a_file_on_tmpfs(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
            path = self.file(directory=pathlib.Path(directory))
            report = self.observe_touching(f"touch(mapped({str(path)!r}))\n")
            file = self.assert_mapped(report, path, PAGES)
            self.assertEqual(file["filesystem"], "tmpfs")

    def test_a_hundred_files_in_order_of_their_bytes(self):
        paths = [self.file(f"{n:03}", n + 1) for n in range(100)]
        report = self.observe_touching(
            f"for n in range(100): touch(mapped(f'{self.directory}/{{n:03}}'))\n",
            ["--max-files", 10])
        self.assertEqual(len(report["files"]), 10)
        self.assert_mapped(report, paths[99], 100)
        self.assertGreaterEqual(report["other_files"]["mapped_bytes"],
                                sum(n + 1 for n in range(85)) * PAGE)

    def test_a_deleted_file_keeps_its_name(self):
        path = self.file()
        report = self.observe_touching(
            f"m = mapped({str(path)!r})\nos.unlink({str(path)!r})\ntouch(m)\n")
        self.assert_mapped(report, f"{path} (deleted)", PAGES)

    def test_faults_of_threads_and_children_count_for_their_process(self):
        path = self.file()
        report = self.observe_touching(
            f"import threading\nm = mapped({str(path)!r})\n"
            "t = threading.Thread(target=touch, args=[m]); t.start(); t.join()\n"
            "if not os.fork(): touch(m); os._exit(0)\nos.wait()\n")
        file = self.file_of(report, path)
        self.assertEqual(len(file["processes"]), 2)
        # A child of fork may have the page tables of its parent already.
        self.assertGreaterEqual(file["mapped_bytes"], PAGES * PAGE)

    def test_when_the_map_is_full_the_sum_is_kept(self):
        paths = [self.file(f"{n}", 16) for n in range(40)]
        report = self.observe_touching(
            f"for n in range(40): touch(mapped(f'{self.directory}/{{n}}'))\n",
            ["--room", "mapped=16"])
        listed = sum(file["mapped_bytes"] for file in report["files"])
        everything = listed + report["other_files"]["mapped_bytes"]
        self.assertGreaterEqual(everything, len(paths) * 16 * PAGE)
        self.assertLess(sum(file["mapped_bytes"] != 0 for file in report["files"]), 40)

    def test_of_an_attached_process(self):
        path = self.file()
        code = (TOUCH + "import sys\nfor line in sys.stdin:\n"
                f"    touch(mapped({str(path)!r}))\n    print('ok', flush=True)\n")
        process = self.start([sys.executable, "-S", "-E", "-s", "-c", "import os\n" + code],
                             stdin=-1, stdout=-1, text=True)
        self.tell(process, "before zctrace attaches")
        attached = self.attach("-p", process.pid, "--by", "file")
        self.tell(process, "once", "twice")
        self.end(process)
        self.assert_mapped(self.end_of(attached), path, 2 * PAGES)
