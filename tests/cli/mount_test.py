# SPDX-License-Identifier: MIT
"""`zctrace mount`: what goes through it arrives, and is counted."""

import contextlib
import errno
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import unittest

import harness

CHECKS = harness.ROOT / "tests" / "posix" / "posix_checks.py"
MEBIBYTE = 1 << 20
AS_NOBODY = ["setpriv", f"--reuid={harness.NOBODY}", f"--regid={harness.NOBODY}", "--clear-groups"]


def why_no_fuse():
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None if shutil.which("fusermount3") else "fusermount3 is not installed"


def digest(data):
    return hashlib.sha256(data).hexdigest()


def mounts_at(path, pid="self"):
    text = pathlib.Path(f"/proc/{pid}/mounts").read_text()
    return [line for line in text.splitlines() if line.split()[1] == str(path)]


class Mounted:
    """A mount that has begun, and its report once it has ended."""

    def __init__(self, test, process, report_path):
        self.test = test
        self.process = process
        self.pid = process.pid
        self.report_path = report_path
        self.report = None

    def end(self, signal_number=signal.SIGINT, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        self.stdout, self.stderr = self.process.communicate(timeout=harness.PATIENCE_S)
        self.test.assertEqual(self.process.returncode, status, self.stderr)

    def stop(self, *how, **expected):
        self.end(*how, **expected)
        self.report = harness.Report(self.report_path.read_text())
        return self.report


class MountTest(harness.TestCase):
    needs_bpf = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_no_fuse()
        if reason:
            raise unittest.SkipTest(reason)

    def setUp(self):
        super().setUp()
        self.source = self.directory / "source"
        self.point = self.directory / "point"
        for directory in (self.source, self.point):
            directory.mkdir()
            directory.chmod(0o777)

    def mount(self, *options, prefix=(), source=None):
        report = self.directory / "report" / "mount.json"
        report.parent.mkdir(exist_ok=True)
        report.parent.chmod(0o777)
        process = self.start([*prefix, harness.ZCTRACE, "mount", source or self.source, self.point,
                              "--json", report, *options],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.unmount)
        line = process.stderr.readline()
        self.assertIn("is mounted at", line, line)
        return Mounted(self, process, report)

    def unmount(self):
        if mounts_at(self.point):
            subprocess.run(["fusermount3", "-uz", self.point], check=False)

    def device_for_everybody(self):
        """As on most machines; its path, to be mounted over /dev/fuse. The point is NOBODY's."""
        device = self.directory / "fuse"
        os.mknod(device, 0o666 | stat.S_IFCHR, os.stat("/dev/fuse").st_rdev)
        os.chmod(device, 0o666)
        os.chown(self.point, harness.NOBODY, harness.NOBODY)
        return device

    def private_device(self):
        """Words before a command: a device that everybody may open, for it alone."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f"mount --bind {self.device_for_everybody()} /dev/fuse && exec \"$@\"", "sh"]

    def as_an_ordinary_user(self):
        """What to begin a command with, and who holds the namespace where its mounts are."""
        # The shell keeps the namespace, where the mount is, for the test to look at.
        holder = self.start(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                             f"mount --bind {self.device_for_everybody()} /dev/fuse;"
                             " mount -t fusectl none /sys/fs/fuse/connections;"
                             " echo ready; exec cat"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_for_line(holder.stdout, "ready")
        return ["nsenter", "-t", holder.pid, "-m", *AS_NOBODY], holder

    def file(self, name="file", size=MEBIBYTE + 7):
        data = hashlib.shake_128(name.encode()).digest(size)
        (self.source / name).write_bytes(data)
        return data

    @staticmethod
    def run_python(code, *arguments):
        subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True,
                       timeout=harness.PATIENCE_S)

    def file_of(self, report, path):
        (found,) = [file for file in report["files"] if file["path"] == path]
        return found

    def sum_of(self, report, operation, field="count"):
        return sum(file["operations"].get(operation, {field: 0})[field]
                   for file in report["files"])

    def sum_over_intervals(self, mounted, operation):
        """Of those that are written by now."""
        return sum(self.sum_of(json.loads(line), operation)
                   for line in harness.whole_lines(mounted.report_path))

    def wait_until_counted(self, mounted, **operations):
        """The kernel asks for a release when it likes, and for none any more once unmounted."""
        self.wait_until(lambda: all(self.sum_over_intervals(mounted, name) == count
                                    for name, count in operations.items()), f"{operations}")


class Content(MountTest):
    MODES = {"default": [], "copying": ["--no-splice"], "no cache": ["--cache", "none"],
             "all cached": ["--cache", "always"], "one thread": ["--threads", "1"]}

    def check_posix(self, options, prefix=(), enter=()):
        mounted = self.mount(*options, prefix=prefix)
        environment = {**os.environ, "CHECKED_DIRECTORY": str(self.point)}
        if "none" in options:
            environment["DIRECT_IO"] = "1"
        command = [*[word.format(pid=mounted.pid) for word in enter], sys.executable, CHECKS, "-f"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return mounted.stop()

    def test_the_checks_hold_for_the_directory_itself(self):
        environment = {**os.environ, "CHECKED_DIRECTORY": str(self.source)}
        done = subprocess.run([sys.executable, CHECKS], env=environment, capture_output=True,
                              text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_checks_hold_through_the_mount(self):
        for name, options in self.MODES.items():
            with self.subTest(name):
                report = self.check_posix(options)
                self.assertEqual(report["completeness"]["lost_events"], 0)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
    def test_the_checks_hold_for_an_ordinary_user(self):
        report = self.check_posix([], [*self.private_device(), *AS_NOBODY],
                                  ["nsenter", "-t", "{pid}", "-m", *AS_NOBODY])
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertGreater(self.sum_of(report, "read", "bytes"), MEBIBYTE)

    def test_a_tree_unpacked_searched_and_compared(self):
        tree = self.directory / "tree"
        shutil.copytree(harness.ROOT, tree, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git"))
        archive = self.directory / "tree.tar"
        subprocess.run(["tar", "-C", tree, "-cf", archive, "."], check=True)
        mounted = self.mount()
        subprocess.run(["tar", "-C", self.point, "-xf", archive], check=True)
        subprocess.run(["diff", "-r", "--no-dereference", tree, self.point], check=True)
        found = [sorted(subprocess.run(["grep", "-rlc", "zctrace", "."], cwd=where, check=True,
                                       capture_output=True).stdout.splitlines())
                 for where in (tree, self.point)]
        self.assertEqual(*found)
        report = mounted.stop()
        subprocess.run(["diff", "-r", "--no-dereference", tree, self.source], check=True)
        sizes = sum(path.stat().st_size for path in tree.rglob("*")
                    if path.is_file() and not path.is_symlink())
        self.assertEqual(self.sum_of(report, "write", "bytes"), sizes)

    @unittest.skipUnless(shutil.which("fio"), "fio is not installed")
    def test_fio_verifies_what_it_wrote(self):
        seconds = os.environ.get("ZCTRACE_SOAK_S", "4")
        mounted = self.mount()
        subprocess.run(
            ["fio", f"--directory={self.point}", "--size=8m", "--verify=crc32c", "--verify_fatal=1",
             f"--runtime={seconds}", "--time_based", "--group_reporting", "--minimal", "--numjobs=4",
             "--name=mixed", "--rw=randrw", "--bsrange=512-256k", "--ioengine=psync",
             "--name=large", "--rw=write", "--bs=1m", "--ioengine=psync",
             "--name=mapped", "--rw=randwrite", "--bs=4k", "--ioengine=mmap",
             "--name=direct", "--rw=randwrite", "--bs=16k", "--direct=1", "--ioengine=libaio",
             "--iodepth=8"],
            check=True, stdout=subprocess.DEVNULL, timeout=60 + 3 * int(seconds),
            cwd=self.directory)  # where it leaves its notes
        report = mounted.stop()
        self.assertGreater(self.sum_of(report, "writeback", "bytes"), 0)


class Counts(MountTest):
    def test_of_more_processes_than_are_told_apart_the_sums_are_exact(self):
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

    def test_bytes_of_reads_are_the_file_whatever_the_cache(self):
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
                    if cache == "none":  # each call is a request, one more finds the end
                        self.assertEqual(file["operations"]["read"]["count"],
                                         len(data) // 65536 + 1)
                    (process,) = [process for process in report.processes
                                  if process["name"] == "dd"]
                    # Whose command line was not read within 50 ms has none when it has ended.
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

    READ_BY_MMAP = ("import mmap, sys\nwith open(sys.argv[1], 'rb') as file:\n"
                    "    mapping = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, "
                    "prot=mmap.PROT_READ)\n"
                    "print(sum(mapping[at] for at in range(0, len(mapping), 4096)))\n")

    def test_page_ins_are_told_from_reads(self):
        data = self.file(size=4 * MEBIBYTE)
        for cache in ("none", "auto"):
            with self.subTest(cache=cache):
                mounted = self.mount("--cache", cache)
                said = subprocess.run([sys.executable, "-c", self.READ_BY_MMAP, self.point / "file"],
                                      check=True, capture_output=True, text=True).stdout
                self.assertEqual(int(said), sum(data[::4096]))
                operations = self.file_of(mounted.stop(), "file")["operations"]
                self.assertEqual(self.paged_in(operations), len(data), operations)
                self.assertNotIn("read", operations)

    def paged_in(self, operations):
        """The first one cannot be told from a read where who asked was kept from sleeping."""
        first = operations.get("read_or_mmap", {"count": 0, "bytes": 0})
        self.assertLessEqual(first["count"], 1)
        return operations["mmap"]["bytes"] + first["bytes"]

    def test_without_a_page_cache_no_mapping_is_shared(self):
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
            # The kernel is told to forget while others are looked up, a moment later.
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

    def test_a_script_on_the_mount_begins_programs(self):
        """The shell has it open, and each program closes that while nobody may look at it."""
        (self.source / "script").write_text("/bin/true\n" * 50)
        for options in ([], ["--threads", "1"]):
            with self.subTest(options):
                mounted = self.mount(*options)
                subprocess.run(["/bin/sh", self.point / "script"], check=True,
                               timeout=harness.PATIENCE_S)
                report = mounted.stop()
                self.assertEqual(len([process for process in report["processes"]
                                      if process["name"] in ("sh", "true")]), 51)

    def test_who_becomes_another_program_with_dirty_pages(self):
        """Who then looks at it in /proc waits until somebody has served them."""
        rounds, children = 10, 6
        for options in ([], ["--threads", "1"], ["--threads", "2", "--no-splice"]):
            with self.subTest(options):
                mounted = self.mount(*options)
                subprocess.run([self.program("dirty_exec"), self.point, str(rounds)], check=True,
                               timeout=harness.PATIENCE_S)
                report = mounted.stop()
                asked = [process for process in report["processes"]
                         if process["name"] in ("dirty_exec", "true")]
                # The files have their size from the first child; all ask for both.
                self.assertEqual(len(asked), rounds * children)

    def look_at(self, names, mounted):
        """A few at a time: the kernel is told to forget while others are looked up."""
        for at in range(0, len(names), 200):
            some = names[at:at + 200]
            subprocess.run(["ls", "-ld", *some], cwd=self.point, check=True,
                           stdout=subprocess.DEVNULL)
            self.wait_until(lambda: len(os.listdir(f"/proc/{mounted.pid}/fd")) < 900,
                            "the kernel forgets")

    def assert_no_name_failed(self, report):
        failed = {row["syscall"]: row["errors"] for row in report.totals["rows"] if row["errors"]}
        failed.pop("fuse:getxattr", None)  # most files have none
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
            with contextlib.suppress(OSError):  # a busy machine let us read too late
                (self.point / "file").read_bytes()
                in_time = True
            mounted.process.wait(harness.PATIENCE_S)
            report = mounted.stop()
            self.assertGreaterEqual(report["duration_ns"], milliseconds * 1e6)
            if in_time:
                break
        self.assertTrue(in_time)
        self.assertEqual(self.file_of(report, "file")["bytes_read"], MEBIBYTE + 7)

    def test_intervals_miss_nothing_of_who_never_pauses(self):
        self.file(size=100)
        mounted = self.mount("-q", "-i", "20ms", "--cache", "none")
        for _ in range(3000):
            (self.point / "file").read_bytes()
        mounted.end()
        self.assertEqual(self.sum_over_intervals(mounted, "open"), 3000)
        self.assertEqual(sum(self.file_of(report, "file")["bytes_read"]
                             for report in harness.reports_of(mounted.report_path)
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
        reports = harness.reports_of(mounted.report_path)
        self.assertGreaterEqual(len(reports), 4)  # three, and the rest
        self.assertEqual(mounted.stdout.count("zctrace mount:"), len(reports))
        opens = [self.sum_of(report, "open") for report in reports]
        self.assertGreaterEqual(sum(map(bool, opens)), 3, opens)
        # Who releases may be an interval later than who opened, but nobody gets lost.
        self.assertEqual(sum(opens), 300)
        self.assertEqual(self.sum_over_intervals(mounted, "release"), 300)
        self.assertEqual((self.directory / "csv").read_text().count("what,pid"), 1)


class Ending(MountTest):
    def test_signals_unmount_and_report(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                mounted = self.mount()
                os.listdir(self.point)
                mounted.stop(number)
                self.assertEqual(mounts_at(self.point), [])
                self.assertIn("opendir", mounted.stdout)

    def test_somebody_else_unmounts(self):
        mounted = self.mount()
        subprocess.run(["fusermount3", "-u", self.point], check=True)
        mounted.process.wait(harness.PATIENCE_S)
        mounted.stop()

    def test_a_busy_mount_is_detached(self):
        self.file()
        mounted = self.mount()
        with open(self.point / "file", "rb") as held:
            mounted.process.send_signal(signal.SIGTERM)
            self.wait_until(lambda: not mounts_at(self.point), "the mount is detached")
            self.assertEqual(len(held.read()), MEBIBYTE + 7)  # served for a while
        mounted.process.wait(harness.PATIENCE_S)
        self.assertIn("in use", mounted.process.stderr.read())

    def mount_tmpfs(self):
        subprocess.run(["mount", "-t", "tmpfs", "theirs", self.point], check=True)
        self.addCleanup(subprocess.run, ["umount", self.point], capture_output=True, check=False)

    def types_at_point(self):
        return [line.split()[2] for line in mounts_at(self.point)]

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_what_was_mounted_there_after_an_unmount_stays(self):
        mounted = self.mount()
        # It learns of both at once.
        mounted.process.send_signal(signal.SIGSTOP)
        subprocess.run(["fusermount3", "-u", self.point], check=True)
        self.mount_tmpfs()
        mounted.process.send_signal(signal.SIGTERM)
        mounted.process.send_signal(signal.SIGCONT)
        mounted.stop()
        self.assertEqual(mounted.stderr, "")
        self.assertEqual(self.types_at_point(), ["tmpfs"])

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_what_was_mounted_over_it_stays_and_the_mount_below_is_told(self):
        mounted = self.mount()
        self.mount_tmpfs()
        mounted.stop()
        self.assertIn(f"'{self.point}' stays mounted", mounted.stderr)
        self.assertEqual(self.types_at_point(), ["fuse.zctrace", "tmpfs"])
        subprocess.run(["umount", self.point], check=True)
        subprocess.run(["fusermount3", "-u", self.point], check=True)
        self.assertEqual(mounts_at(self.point), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount")
    def test_what_was_mounted_there_before_stays_when_it_is_detached(self):
        self.mount_tmpfs()
        mounted = self.mount()
        self.addCleanup(os.close, os.open(self.point, os.O_PATH))
        mounted.stop(signal.SIGTERM)
        self.assertIn("in use", mounted.stderr)
        self.assertEqual(self.types_at_point(), ["tmpfs"])

    def test_sigkill_leaves_no_mount(self):
        mounted = self.mount()
        os.listdir(self.point)
        mounted.process.kill()
        mounted.process.wait()
        self.wait_until(lambda: not mounts_at(self.point), "the watcher unmounts")
        self.assertEqual(os.listdir(self.point), [])

    @unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
    def test_sigkill_leaves_no_mount_of_an_ordinary_user(self):
        prefix, holder = self.as_an_ordinary_user()
        mounted = self.mount(prefix=prefix)
        self.assertTrue(mounts_at(self.point, holder.pid))
        mounted.process.kill()
        mounted.process.wait()
        self.wait_until(lambda: not mounts_at(self.point, holder.pid), "the watcher unmounts")


class BadInput(MountTest):
    def refused(self, *words, wanted, status=1, **options):
        done = self.zctrace("mount", *words, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1 if status == 1 else 2, done.stderr)
        self.assertTrue(done.stderr.startswith("zctrace: "), done.stderr)
        self.assertIn(wanted, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_one_clear_line_each(self):
        missing = self.directory / "missing"
        plain = self.directory / "plain"
        plain.touch()
        inner = self.source / "inner"
        inner.mkdir()
        self.refused(missing, self.point, wanted="No such file")
        self.refused(plain, self.point, wanted="is not a directory")
        self.refused(self.source, missing, wanted="No such file")
        self.refused(self.source, plain, wanted="is not a directory")
        self.refused(self.source, inner, wanted="inside source")
        self.refused(inner, self.source, wanted="inside mount point")
        self.refused(self.source, self.source, wanted="same directory")
        (self.directory / "link").symlink_to(self.source)
        self.refused(self.source, self.directory / "link/inner", wanted="inside source")
        (self.point / "something").touch()
        self.refused(self.source, self.point, wanted="not empty")
        self.assertEqual(mounts_at(self.point), [])

    def test_usage(self):
        self.refused(self.source, wanted="mountpoint", status=2)
        self.refused(self.source, self.point, "--cache", "some", wanted="--cache", status=2)
        self.refused(self.source, self.point, "--threads", "0", wanted="--threads", status=2)
        done = self.zctrace("mount", self.source, self.point, "-d", "soon")
        self.assertEqual(done.returncode, 2, done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
    def test_no_device_and_no_fusermount3(self):
        def hidden(what, with_what):
            return subprocess.run(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                 f"mount --bind {with_what} {what}; exec \"$@\"", "sh",
                 harness.ZCTRACE, "mount", self.source, self.point],
                capture_output=True, text=True, timeout=harness.PATIENCE_S, check=False)
        plain = self.directory / "plain"
        plain.touch()
        fusermount = pathlib.Path(shutil.which("fusermount3")).resolve()
        for what, wanted in (("/dev/fuse", "/dev/fuse"), (fusermount, "fusermount3")):
            done = hidden(what, plain)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(wanted, done.stderr)


CREATE_OR_OPEN = """
import os, sys
try:
    os.stat(sys.argv[1])
except FileNotFoundError:
    print("none", flush=True)
sys.stdin.readline()
try:
    os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
except OSError as error:
    print(error.errno)
"""


@unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
class Permissions(MountTest):
    def as_nobody(self, code, prefix=()):
        return subprocess.run([*prefix, *AS_NOBODY, sys.executable, "-c", code], check=True,
                              cwd="/", timeout=harness.PATIENCE_S)

    def test_an_ordinary_users_mount_writes_to_anothers_set_user_id_file(self):
        self.directory.chmod(0o755)
        private = [*self.private_device(), *AS_NOBODY]
        for cache in ("none", "auto", "always"):
            changes = {"written": "os.write(os.open(path, os.O_WRONLY), b'x')",
                       "truncated": "os.truncate(path, 1)",
                       "opened": "os.open(path, os.O_WRONLY | os.O_TRUNC)"}
            for name in changes:
                (self.source / name).write_text("text")
                (self.source / name).chmod(0o6777)
            mounted = self.mount("--cache", cache, prefix=private)
            for name, change in changes.items():
                with self.subTest(name, cache=cache):
                    self.as_nobody(f"import os; path = '{self.point}/{name}'; {change}",
                                   ["nsenter", "-t", str(mounted.pid), "-m"])
                    self.assertEqual(oct(stat.S_IMODE((self.source / name).stat().st_mode)),
                                     oct(0o777))
            mounted.end()

    def test_who_may_create_a_file_may_not_open_anothers_that_came_to_be(self):
        for cache in ("auto", "always"):
            with self.subTest(cache=cache):
                mounted = self.mount("--cache", cache)
                self.directory.chmod(0o755)
                user = self.start([*AS_NOBODY, sys.executable, "-c", CREATE_OR_OPEN,
                                   self.point / cache], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
                self.assertEqual(user.stdout.readline(), "none\n")
                secret = self.source / cache
                secret.touch(0o600)
                self.assertEqual(user.communicate("\n", timeout=harness.PATIENCE_S)[0],
                                 f"{errno.EACCES}\n")
                mounted.end()


@unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
class RunMount(MountTest):
    def setUp(self):
        super().setUp()
        reason = harness.why_not_observable()
        if reason:
            self.skipTest(reason)

    def test_both_sides_of_the_same_bytes(self):
        data = self.file(size=4 * MEBIBYTE)
        before = mounts_at(self.source)
        report = self.observe("dd", f"if={self.source}/file", "of=/dev/null", "bs=64K",
                              mode=["--mount", self.source]).report
        self.assertEqual(report.bytes("read", "fuse", "user"), len(data))
        file = self.file_of(report, "file")
        self.assertEqual(file["bytes_read"], len(data))
        (process,) = report.processes
        self.assertEqual(process["fuse"]["bytes_read"], len(data))
        self.assertEqual(mounts_at(self.source), before)

    def test_the_working_directory_leads_through_the_mount(self):
        self.file()
        report = self.observe("cat", "file", mode=["--mount", self.source], cwd=self.source).report
        self.assertEqual(report.bytes("read", "fuse", "user"), MEBIBYTE + 7)

    def test_what_is_written_is_there_and_the_status_is_the_commands(self):
        self.observe("sh", "-c", f"echo text > {self.source}/new; exit 7", status=7,
                     mode=["--mount", self.source])
        self.assertEqual((self.source / "new").read_text(), "text\n")

    def test_the_caller_under_sudo_owns_what_it_creates(self):
        environment = {**os.environ, "SUDO_UID": str(harness.NOBODY),
                       "SUDO_GID": str(harness.NOBODY)}
        self.observe("touch", self.source / "new", mode=["--mount", self.source], env=environment)
        self.assertEqual((self.source / "new").stat().st_uid, harness.NOBODY)

    def test_no_such_directory(self):
        done = self.zctrace("run", "--mount", self.directory / "missing", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
