# SPDX-License-Identifier: MIT
"""`zctrace mount`: operations and bytes are counted."""

import contextlib
import errno
import mmap
import os
import subprocess
import sys
import unittest

from mounts import MEBIBYTE, READ_BY_MMAP, MountTest
from paths import PATIENCE_S, tool
from report import reports_of


class Counts(MountTest):
    def test_sums_are_exact_with_more_processes_than_are_listed(self):
        data = self.file(size=1021)
        mounted = self.mount("--cache", "none")
        processes = 1050
        subprocess.run(["sh", "-c", f"i=0; while [ $i -lt {processes} ]; do "
                                    f"cat {self.point}/file; i=$((i + 1)); done"],
                       check=True, stdout=subprocess.DEVNULL)
        report = mounted.stop()
        others = report["other_processes"]
        listed = [process for process in report.processes if process["name"] == "cat"]
        self.assertGreater(others["count"], 0)
        self.assertLessEqual(len(report.processes), 1001)
        self.assertGreaterEqual(len(listed) + others["count"], processes)
        read = [process["fuse"]["bytes_read"] for process in report.processes]
        self.assertEqual(sum(read) + others["fuse"]["bytes_read"], processes * len(data))
        self.assertEqual(report.totals["copied_bytes"], processes * len(data))
        self.assertEqual(self.file_of(report, "file")["bytes_read"], processes * len(data))

    def test_bytes_of_reads_equal_the_file_in_every_cache_mode(self):
        data = self.file(size=4 * MEBIBYTE)
        for cache in ("none", "auto", "always"):
            for splice in ([], ["--no-splice"]):
                with self.subTest(cache=cache, splice=splice):
                    mounted = self.mount("--cache", cache, *splice)
                    subprocess.run(["dd", f"if={self.point}/file", "of=/dev/null", "bs=64K"],
                                   check=True, stderr=subprocess.DEVNULL)
                    report = mounted.stop()
                    file = self.file_of(report, "file")
                    self.assertEqual(file["bytes_read"], len(data))
                    self.assertEqual(file["bytes_written"], 0)
                    spliced = 0 if splice else len(data)
                    self.assertEqual(file["spliced_bytes"], spliced)
                    self.assertEqual(file["copied_bytes"], len(data) - spliced)
                    self.assertEqual(report.bytes("fuse:read", "fuse", "user"), len(data))
                    if cache == "none":  # each call is a request, and one more finds the end
                        self.assertEqual(file["operations"]["read"]["count"],
                                         len(data) // 65536 + 1)
                    (process,) = [process for process in report.processes
                                  if process["name"] == "dd"]
                    # A process whose command line was not read within 50 ms has none after its end.
                    self.assertIn(process["argv"][:1], ([], ["dd"]))
                    self.assertEqual(process["fuse"]["bytes_read"], len(data))
                    self.assertEqual(process["syscalls"], 0)

    def test_bytes_of_writes(self):
        for splice in ([], ["--no-splice"]):
            with self.subTest(splice=splice):
                mounted = self.mount(*splice)
                subprocess.run(["dd", "if=/dev/zero", f"of={self.point}/out", "bs=128K", "count=32"],
                               check=True, stderr=subprocess.DEVNULL)
                file = self.file_of(mounted.stop(), "out")
                self.assertEqual(file["bytes_written"], 4 * MEBIBYTE)
                self.assertEqual(file["operations"]["write"]["count"], 32)
                self.assertEqual(file["spliced_bytes"], 0 if splice else 4 * MEBIBYTE)
                self.assertEqual(file["copied_bytes"], 4 * MEBIBYTE if splice else 0)

    def test_the_first_request_of_each_worker_is_spliced(self):
        # strace slows the workers down, so that they wait for requests before the mount is ready.
        slow = [tool("strace"), "-f", "-qq", "-o", self.directory / "calls", "-e", "trace=read,splice"]
        for repeat in range(3):
            with self.subTest(repeat=repeat):
                mounted = self.mount("--threads", "8", prefix=slow)
                subprocess.run(["dd", "if=/dev/zero", f"of={self.point}/out{repeat}", "bs=128K",
                                "count=16"], check=True, stderr=subprocess.DEVNULL)
                subprocess.run(["umount", self.point], check=True)
                mounted.process.wait(PATIENCE_S)
                file = self.file_of(mounted.stop(), f"out{repeat}")
                self.assertEqual((file["spliced_bytes"], file["copied_bytes"]), (2 * MEBIBYTE, 0))

    def test_writes_are_spliced_after_requests_that_were_read(self):
        mounted = self.mount("--threads", "8")
        for number in range(5):
            for name in range(211):  # more than ExpectedWrites::kCalm
                self.assertFalse((self.point / f"missing{name}").exists())
            (self.point / f"empty{number}").write_bytes(b"")
            with open(self.point / f"out{number}", "wb", buffering=0) as out:
                # Memory that was never touched the kernel would send in halves of pages, which libfuse
                # copies.
                out.write(bytes([number + 1]) * MEBIBYTE)
            for name in range(211):
                self.assertFalse((self.point / f"missing{name}").exists())
            with open(self.point / f"mapped{number}", "w+b") as file:
                file.truncate(MEBIBYTE)
                with mmap.mmap(file.fileno(), MEBIBYTE) as mapping:
                    # From the first page to the last: a single page that the kernel reads before it
                    # is written to would be copied.
                    for at in range(0, MEBIBYTE, mmap.PAGESIZE):
                        mapping[at:at + mmap.PAGESIZE] = bytes([number + 1]) * mmap.PAGESIZE
        report = mounted.stop()
        for number in range(5):
            for name in (f"out{number}", f"mapped{number}"):
                with self.subTest(name=name):
                    file = self.file_of(report, name)
                    self.assertEqual((file["bytes_written"], file["copied_bytes"]), (MEBIBYTE, 0))

    def test_requests_without_bytes_are_received_by_read(self):
        calls = self.directory / "calls"
        mounted = self.mount("--threads", "1", prefix=[tool("strace"), "-f", "-qq", "-y", "-o", calls, "-e",
                                                       "trace=read,splice"])
        for number in range(307):
            (self.point / str(number)).write_bytes(b"")
        subprocess.run(["umount", self.point], check=True)
        mounted.process.wait(PATIENCE_S)
        creations = self.sum_of(mounted.stop(), "create")
        received = [line for line in calls.read_text().splitlines() if "</dev/fuse>" in line]
        spliced = [line for line in received if "splice(" in line]
        self.assertEqual(creations, 307)
        self.assertGreater(len(received), 3 * 307)
        self.assertLess(len(spliced), 10)

    def test_page_ins_are_separate_from_reads(self):
        data = self.file(size=4 * MEBIBYTE)
        for cache in ("none", "auto"):
            with self.subTest(cache=cache):
                mounted = self.mount("--cache", cache)
                said = subprocess.run([sys.executable, "-c", READ_BY_MMAP, self.point / "file"],
                                      check=True, capture_output=True, text=True).stdout
                self.assertEqual(int(said), sum(data[::4096]))
                operations = self.file_of(mounted.stop(), "file")["operations"]
                self.assertEqual(self.paged_in(operations), len(data), operations)
                self.assertNotIn("read", operations)

    def paged_in(self, operations):
        """The first request may look like a read if the requesting process did not sleep."""
        first = operations.get("read_or_mmap", {"count": 0, "bytes": 0})
        self.assertLessEqual(first["count"], 1)
        return operations["mmap"]["bytes"] + first["bytes"]

    def test_shared_mappings_need_a_page_cache(self):
        self.file()
        self.mount("--cache", "none")
        with open(self.point / "file", "rb") as file:
            mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ).close()
            with self.assertRaises(OSError) as caught:
                mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
        self.assertEqual(caught.exception.errno, errno.ENODEV)

    def test_dirty_pages_come_back_as_writeback(self):
        self.file(size=MEBIBYTE)
        mounted = self.mount()
        with open(self.point / "file", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[:] = b"\1" * MEBIBYTE
            mapping.flush()
        self.assertEqual((self.source / "file").read_bytes(), b"\1" * MEBIBYTE)
        operations = self.file_of(mounted.stop(), "file")["operations"]
        self.assertEqual(operations["writeback"]["bytes"], MEBIBYTE)
        self.assertNotIn("write", operations)

    def test_copy_file_range_stays_in_the_kernel(self):
        data = self.file()
        mounted = self.mount()
        self.run_python("import os, sys\nfrom_, to = open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb')\n"
                        "assert os.copy_file_range(from_.fileno(), to.fileno(), 1 << 30) == "
                        f"{len(data)}", self.point / "file", self.point / "copy")
        report = mounted.stop()
        self.assertEqual((self.source / "copy").read_bytes(), data)
        self.assertEqual(report.bytes("fuse:copy_file_range", "fuse", "fuse"), len(data))
        self.assertEqual(self.sum_of(report, "read"), 0)

    def test_errors_are_counted_as_errors(self):
        mounted = self.mount()
        for _ in range(3):
            with self.assertRaises(FileNotFoundError):
                os.stat(self.point / "none")
        report = mounted.stop()
        self.assertEqual(self.file_of(report, ".")["operations"]["lookup"],
                         {**self.file_of(report, ".")["operations"]["lookup"],
                          "count": 3, "errors": 3})

    def test_opens_and_releases_balance(self):
        self.file()
        mounted = self.mount("-i", "100ms")
        for _ in range(20):
            (self.point / "file").read_bytes()
            os.listdir(self.point)
        self.wait_until_counted(mounted, release=20, releasedir=20)
        mounted.end()
        for operation in ("open", "release", "opendir", "releasedir"):
            self.assertEqual(self.sum_over_intervals(mounted, operation), 20, operation)

    def test_more_files_than_descriptors(self):
        for number in range(3000):
            (self.source / f"{number}").write_text("x")
        mounted = self.mount(prefix=["prlimit", "--nofile=1200"])
        names = os.listdir(self.point)
        self.assertEqual(len(names), 3000)
        for _ in range(2):
            # zctrace makes the kernel forget files a little later, while others are looked up.
            for at in range(0, 3000, 200):
                some = names[at:at + 200]
                subprocess.run(["sh", "-c", 'ls -l "$@" > /dev/null && cat "$@" > /dev/null', "sh",
                                *some], cwd=self.point, check=True)
                self.assertEqual(sum(len((self.point / name).read_bytes()) for name in some), 200)
                self.wait_until(lambda: len(os.listdir(f"/proc/{mounted.pid}/fd")) < 900,
                                "the kernel forgets")
        report = mounted.stop()
        self.assertEqual(sum(row["errors"] for row in report.totals["rows"]
                             if row["syscall"] in ("fuse:lookup", "fuse:open")), 0)

    def test_script_on_the_mount_starts_programs(self):
        """The shell has the script open; each program closes it while its /proc files are locked."""
        (self.source / "script").write_text("/bin/true\n" * 50)
        for options in ([], ["--threads", "1"]):
            with self.subTest(options):
                mounted = self.mount(*options)
                subprocess.run(["/bin/sh", self.point / "script"], check=True,
                               timeout=PATIENCE_S)
                report = mounted.stop()
                self.assertEqual(len([process for process in report["processes"]
                                      if process["name"] in ("sh", "true")]), 51)

    def test_exec_with_dirty_pages(self):
        """A reader of its /proc files then waits until the dirty pages are written."""
        rounds, children = 10, 6
        for options in ([], ["--threads", "1"], ["--threads", "2", "--no-splice"]):
            with self.subTest(options):
                mounted = self.mount(*options)
                subprocess.run([self.program("dirty_exec"), self.point, str(rounds)], check=True,
                               timeout=PATIENCE_S)
                report = mounted.stop()
                asked = [process for process in report["processes"]
                         if process["name"] in ("dirty_exec", "true")]
                # The first child sets the size of the files; all children use both.
                self.assertEqual(len(asked), rounds * children)

    def look_at(self, names, mounted):
        """Looks up a few names at a time: zctrace makes the kernel forget some meanwhile."""
        for at in range(0, len(names), 200):
            some = names[at:at + 200]
            subprocess.run(["ls", "-ld", *some], cwd=self.point, check=True,
                           stdout=subprocess.DEVNULL)
            self.wait_until(lambda: len(os.listdir(f"/proc/{mounted.pid}/fd")) < 900,
                            "the kernel forgets")

    def assert_no_name_failed(self, report):
        failed = {row["syscall"]: row["errors"] for row in report.totals["rows"] if row["errors"]}
        failed.pop("fuse:getxattr", None)  # most files have no attributes
        self.assertEqual(failed, {})

    def test_more_directories_than_descriptors(self):
        names = [f"{number}/inner" for number in range(1000)]
        for name in names:
            (self.source / name).mkdir(parents=True)
        mounted = self.mount("--cache", "always", prefix=["prlimit", "--nofile=1200"])
        for _ in range(2):
            self.look_at(names, mounted)
        subprocess.run(["find", "."], cwd=self.point, check=True, stdout=subprocess.DEVNULL)
        self.assert_no_name_failed(mounted.stop())

    def test_more_renamed_files_than_descriptors(self):
        for number in range(2000):
            (self.source / f"{number}").touch()
        (self.source / "renamed").mkdir()
        mounted = self.mount("--cache", "always", prefix=["prlimit", "--nofile=1200"])
        for at in range(0, 2000, 100):
            names = [f"{number}" for number in range(at, at + 100)]
            subprocess.run(["mv", "-t", "renamed", *names], cwd=self.point, check=True)
            self.wait_until(lambda: len(os.listdir(f"/proc/{mounted.pid}/fd")) < 900,
                            "the kernel forgets")
        self.look_at([f"renamed/{number}" for number in range(2000)], mounted)
        report = mounted.stop()
        self.assertEqual(sum(row["errors"] for row in report.totals["rows"]
                             if row["syscall"] in ("fuse:rename", "fuse:getattr")), 0)

    def test_a_renamed_file_is_counted_under_its_new_name(self):
        for name in ("file", "one", "two", "directory/inner"):
            (self.source / name).parent.mkdir(exist_ok=True)
            (self.source / name).touch()
        mounted = self.mount("--cache", "always")
        for code, *names in (
                ("os.write(file, b'x' * 11); os.rename('file', 'new'); os.write(file, b'x' * 13)",
                 "file"),
                ("rename = ctypes.CDLL(None).renameat2\n"
                 "assert rename(-100, b'one', -100, b'two', 2) == 0\n"
                 "os.write(file, b'x' * 17); os.write(other, b'x' * 19)", "one", "two"),
                ("os.rename('directory', 'moved')\nopen('moved/created', 'w').write('x' * 23)",
                 "directory/inner")):
            self.run_python("import ctypes, os, sys\nos.chdir(sys.argv[1])\n"
                            "file, other = [os.open(name, os.O_WRONLY) for name in sys.argv[2:]]"
                            " + [None] * (4 - len(sys.argv))\n" + code, self.point, *names)
        report = mounted.stop()
        written = {file["path"]: file["bytes_written"] for file in report["files"]
                   if file["bytes_written"]}
        self.assertEqual(written, {"file": 11, "new": 13, "two": 17, "one": 19,
                                   "moved/created": 23})

    @unittest.skipIf(os.geteuid() != 0, "needs root for a bind mount")
    def test_a_source_that_is_mounted_inside_itself(self):
        (self.source / "outer/bound").mkdir(parents=True)
        (self.source / "sub").mkdir()
        self.file(size=1021)
        for target, where in (("sub", "."), ("outer/bound", "outer")):
            subprocess.run(["mount", "--bind", self.source / where, self.source / target],
                           check=True)
            self.addCleanup(subprocess.run, ["umount", self.source / target], check=True)
        for cache in ("none", "auto", "always"):
            with self.subTest(cache=cache):
                mounted = self.mount("--cache", cache)
                for path in ("sub", "sub/outer", "outer", "outer/bound", "sub/sub"):
                    self.assertEqual(sorted(os.listdir(self.point / path)),
                                     sorted(os.listdir(self.source / path)), path)
                (self.point / "sub/outer/file").write_text("x")
                (self.point / "outer/file").write_text("shorter")
                self.assertEqual((self.point / "outer/bound/file").read_text(), "shorter")
                self.assertEqual((self.point / "sub/file").stat().st_ino,
                                 (self.point / "file").stat().st_ino)
                os.unlink(self.point / "sub/outer/file")
                mounted.stop()

    def test_every_output_and_strange_names(self):
        name = "evil\x1b[31m\n|name"
        (self.source / name).write_text("x")
        mounted = self.mount("--csv", self.directory / "csv", "--markdown", self.directory / "md")
        (self.point / name).read_bytes()
        report = mounted.stop()
        self.file_of(report, name)
        for text in (mounted.stdout, (self.directory / "csv").read_text(),
                     (self.directory / "md").read_text()):
            self.assertIn("evil", text)
            self.assertNotIn("\x1b", text)
        self.assertIn("FILE", mounted.stdout)

    def test_duration(self):
        self.file()
        for milliseconds in (500, 2000, 10000, 60000):
            mounted = self.mount("-d", f"{milliseconds}ms")
            in_time = False
            with contextlib.suppress(OSError):  # on a busy machine the read may come too late
                (self.point / "file").read_bytes()
                in_time = True
            mounted.process.wait(PATIENCE_S)
            report = mounted.stop()
            self.assertGreaterEqual(report["duration_ns"], milliseconds * 1e6)
            if in_time:
                break
        self.assertTrue(in_time)
        self.assertEqual(self.file_of(report, "file")["bytes_read"], MEBIBYTE + 7)

    def test_intervals_miss_nothing_of_a_busy_process(self):
        self.file(size=100)
        mounted = self.mount("-q", "-i", "20ms", "--cache", "none")
        for _ in range(3000):
            (self.point / "file").read_bytes()
        mounted.end()
        self.assertEqual(self.sum_over_intervals(mounted, "open"), 3000)
        self.assertEqual(sum(self.file_of(report, "file")["bytes_read"]
                             for report in reports_of(mounted.report_path)
                             if report["files"]), 300000)

    def test_intervals_are_differences_that_add_up(self):
        self.file()
        mounted = self.mount("-i", "200ms", "--csv", self.directory / "csv")
        for _ in range(3):
            for _ in range(100):
                (self.point / "file").read_bytes()
            self.wait_for_intervals(mounted.report_path, 1)
        self.wait_until_counted(mounted, release=300)
        mounted.end()
        reports = reports_of(mounted.report_path)
        self.assertGreaterEqual(len(reports), 4)  # three intervals and the rest
        self.assertEqual(mounted.stdout.count("Report on "), len(reports))
        opens = [self.sum_of(report, "open") for report in reports]
        self.assertGreaterEqual(sum(map(bool, opens)), 3, opens)
        # A release may be in a later interval than its open, but none gets lost.
        self.assertEqual(sum(opens), 300)
        self.assertEqual(self.sum_over_intervals(mounted, "release"), 300)
        self.assertEqual((self.directory / "csv").read_text().count("what,pid"), 1)
