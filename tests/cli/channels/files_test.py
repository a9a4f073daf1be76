# SPDX-License-Identifier: MIT
"""--by file: which file each byte came from and went to, under the name that a process sees."""

import os
import subprocess
import sys
import unittest

from channels.channel_case import ChannelCase
from harness import MODES, in_both_modes
from report import reports_of


class Files(ChannelCase):
    def source(self, name="source", size=10_007):
        path = self.directory / name
        path.write_bytes(b"s" * size)
        return path

    @in_both_modes
    def test_of_reads_and_writes(self, mode):
        source = self.source()
        report = self.observe_python(
            """
a, b = os.open("source", os.O_RDONLY), os.open("sink", os.O_WRONLY | os.O_CREAT)
for i in range(5):
    os.pread(a, 101, 7 * i)
    os.write(b, b"x" * 103)
os.sendfile(b, a, 0, 1009)
""", mode)
        self.assert_file(report, source, read=5 * 101 + 1009)
        self.assert_file(report, self.directory / "sink", written=5 * 103 + 1009)
        sink = self.file_of(report, self.directory / "sink")
        calls = {row["syscall"]: row["calls"] for row in sink["rows"]}
        self.assertEqual(calls, {"write": 5, "sendfile": 1})
        status = os.stat(source)
        file = self.file_of(report, source)
        self.assertEqual(file["inode"], status.st_ino)
        self.assertEqual(file["processes"], [report.processes[0]["pid"]])
        process = report.processes[0]
        self.assertEqual([one["path"] for one in process["files"]],
                         [one["path"] for one in report["files"]])

    @in_both_modes
    def test_that_alternate(self, mode):
        self.source("one")
        self.source("other")
        report = self.observe_python(
            """
files = [os.open(name, os.O_RDONLY) for name in ("one", "other")]
for i in range(1000):
    os.pread(files[i % 2], 11 + i % 2, 0)
""", mode)
        self.assert_file(report, self.directory / "one", read=500 * 11)
        self.assert_file(report, self.directory / "other", read=500 * 12)

    def test_that_are_deleted_or_have_no_name(self):
        report = self.observe_python(
            """
f = os.open("gone", os.O_RDWR | os.O_CREAT)
os.unlink("gone")
os.write(f, b"x" * 103)
t = os.open(".", os.O_TMPFILE | os.O_RDWR)
os.write(t, b"y" * 107)
m = os.memfd_create("memory")
os.write(m, b"z" * 109)
print(os.fstat(t).st_ino)
""")
        self.assert_file(report, f"{self.directory}/gone (deleted)", written=103)
        self.assert_file(report, "/memfd:memory (deleted)", written=109)
        nameless = [file for file in report["files"] if file["written_bytes"] == 107]
        self.assertEqual(len(nameless), 1)
        self.assertEqual(nameless[0]["path"], f"{self.directory}/#{nameless[0]['inode']} (deleted)")

    def test_that_are_renamed_or_deleted_while_they_are_open(self):
        report = self.observe_python(
            """
f, g = (os.open(name, os.O_RDWR | os.O_CREAT) for name in ("old", "gone"))
for i in range(2):
    os.write(f, b"x" * 103)
    os.write(g, b"y" * 107)
    if i == 0:
        os.rename("old", "new")
        os.unlink("gone")
""")
        self.assert_file(report, self.directory / "new", written=206)
        self.assert_file(report, f"{self.directory}/gone (deleted)", written=214)

    def test_of_a_descriptor_that_was_duplicated_passed_and_opened_again(self):
        source = self.source()
        report = self.observe_python(
            """
import ctypes, socket
f = os.open("source", os.O_RDONLY)
os.pread(os.dup(f), 101, 0)
path = os.open("source", os.O_PATH)
os.read(os.open(f"/proc/self/fd/{path}", os.O_RDONLY), 103)
one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [f])
os.pread(socket.recv_fds(other, 1, 1)[1][0], 107, 0)
child = os.fork()
if child == 0:
    import signal
    signal.pause()
# pidfd_getfd has the same number on all architectures.
taken = ctypes.CDLL(None, use_errno=True).syscall(438, os.pidfd_open(child), f, 0)
os.pread(taken, 113, 0)
os.kill(child, 9)
os.waitpid(child, 0)
if os.fork() == 0:
    os.pread(f, 109, 0)
    os._exit(0)
os.wait()
""")
        self.assert_file(report, source, read=101 + 103 + 107 + 113 + 109)
        self.assertEqual(len(self.file_of(report, source)["processes"]), 2)

    def test_of_registered_files_of_io_uring(self):
        """Their requests have an index instead of a descriptor."""
        path = self.directory / "registered"
        report = self.observe_by("file", [self.program("uring"), "registered", path])
        # What it splices out of the file by index, and a write by descriptor before that.
        self.assert_file(report, path, read=19 * 1021, written=4096)

    def test_as_a_process_in_a_chroot_sees_it(self):
        jail = self.directory / "jail"
        (jail / "inner").mkdir(parents=True)
        (jail / "inner" / "file").write_bytes(b"x" * 211)
        report = self.observe_python(
            f"""
os.chroot({str(jail)!r})
os.chdir("/")
os.read(os.open("inner/file", os.O_RDONLY), 1000)
""", ["--as-root"])
        self.assert_file(report, "/inner/file", read=211)

    def test_across_mounts(self):
        report = self.observe_python(
            """
os.read(os.open("/proc/self/status", os.O_RDONLY), 31)
os.read(os.open("/dev/zero", os.O_RDONLY), 37)
""")
        status = [file for file in report["files"]
                  if (file["path"] or "").endswith("/status") and file["filesystem"] == "proc"]
        self.assertEqual([file["read_bytes"] for file in status], [31])
        self.assert_file(report, "/dev/zero", read=37)

    def test_with_a_deep_path_and_odd_names(self):
        report = self.observe_python(
            """
for i in range(40):
    os.mkdir("d" * 60)
    os.chdir("d" * 60)
os.mkdir("line\\nbreak")
os.write(os.open("line\\nbreak/f", os.O_WRONLY | os.O_CREAT), b"x" * 97)
""")
        path = f"{self.directory}/{('d' * 60 + '/') * 40}line\nbreak/f"
        self.assert_file(report, path, written=97)
        self.assertNotIn("line\nbreak", report.table)

    def test_open_before_attaching(self):
        source = self.source()
        fifo = self.make_fifo()
        process = self.start(
            [sys.executable, "-c",
             f"import os\nf = os.open({str(source)!r}, os.O_RDONLY)\nos.unlink({str(source)!r})\n"
             f"print(flush=True)\nopen({str(fifo)!r}).read()\nos.pread(f, 251, 0)\nos.pread(f, 257, 0)"],
            stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        attached = self.attach("-p", process.pid, "--by", "file")
        self.open_fifo(fifo)
        report = self.end_of(attached)
        self.assert_file(report, f"{source} (deleted)", read=251 + 257)


class ManyFiles(ChannelCase):
    CODE = """
for i in range({count}):
    f = os.open(f"many/{{i}}", os.O_RDWR | os.O_CREAT)
    os.write(f, b"x" * (1 + i % 7))
    os.close(f)
"""

    def observe_many(self, count, options):
        (self.directory / "many").mkdir()
        report = self.observe_python(self.CODE.format(count=count), options)
        written = sum(1 + i % 7 for i in range(count))
        self.assertEqual(sum(file["written_bytes"] for file in report["files"])
                         + report["other_files"]["written_bytes"], written)
        return report

    def test_the_largest_are_listed(self):
        report = self.observe_many(200, ["--max-files", "20"])
        self.assertEqual(len(report["files"]), 20)
        # The loader maps some.
        smallest = min(file["read_bytes"] + file["written_bytes"] + (file["mapped_bytes"] or 0)
                       for file in report["files"])
        self.assertGreaterEqual(smallest, 6)
        self.assertGreaterEqual(report["other_files"]["count"], 180)

    def test_none_is_listed(self):
        report = self.observe_many(20, ["--max-files", "0", "--max-peers", "0"])
        self.assertEqual((report["files"], report["peers"]), ([], []))

    def test_more_than_the_kernel_side_has_space_for(self):
        self.observe_many(2000, ["--room", "runs_even=100", "--room", "runs_odd=100"])

    def test_a_hundred_thousand_lose_nothing_in_the_sums(self):
        free = os.statvfs(self.directory).f_favail
        if free < 110_000:
            self.skipTest(f"this file system has space for only {free} more files")
        self.observe_many(100_000, [])

    def test_without_space_for_names(self):
        report = self.observe_many(3000, ["--room", "names=4096"])
        self.assertTrue(any(file["path"] is None for file in report["files"]))


class EveryFixture(ChannelCase):
    """The sums are right however a program moves its bytes."""

    def fixtures(self):
        """The commands, each with what it needs."""
        one, two = self.directory / "one", self.directory / "two"
        return [("aio", one), ("uring", "read_write", one), ("uring", "workers", one),
                ("uring", "splice", one), ("uring", "registered", one), ("uring", "sockets", "-"),
                ("uring", "multishot", "-"), ("vectors", one), ("sendfiles", one, two),
                ("file_copies", one, two, "copied"), ("messages",), ("pipes", one),
                ("many_rows", 3), ("threads", "joined")]

    def test_sums_equal_the_rows(self):
        for name, *arguments in self.fixtures():
            for mode, options in MODES.items():
                with self.subTest(fixture=name, arguments=arguments, mode=mode):
                    self.observe_by("file", [self.program(name), *arguments], options)


class InTheTable(ChannelCase):
    def test_names_the_file(self):
        report = self.observe_by("file", ["cat", "/etc/passwd"])
        self.assertRegex(report.table, r"FILE +READ +WRITTEN +COPIES")
        self.assertIn("/etc/passwd", report.table)

    def test_in_csv(self):
        done = self.zctrace("run", "--by", "file", "-q", "--csv", "-", "--", "sh", "-c",
                            "exec cat /etc/passwd > /dev/null")
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("path,device,inode,filesystem,read_bytes"), lines[0])
        self.assertEqual(len([line for line in lines if line.startswith("/etc/passwd,")]), 1)

    def test_of_each_interval(self):
        output = self.directory / "intervals.json"
        self.start(["sh", "-c", f"while :; do cat /etc/passwd > {self.directory}/copy; done"])
        done = self.zctrace("attach", "-n", "sh", "-d", "1", "-i", "0.25", "--by", "file", "-q",
                            "--json", output)
        self.assertEqual(done.returncode, 0, done.stderr)
        reports = reports_of(output)
        self.assertGreaterEqual(len(reports), 3)
        for report in reports[:3]:
            self.assert_sums(report)
            self.assertGreater(self.file_of(report, "/etc/passwd")["read_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
