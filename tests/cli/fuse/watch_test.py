# SPDX-License-Identifier: MIT
"""`zctrace fuse`: requests are counted and timed as the kernel sends them."""

import csv
import json
import os
import signal
import subprocess
import sys

from fuse.watching import FuseTest, of_process, operation
from kernel_objects import assert_loaded, bpf_objects_of, wait_until_unloaded
from mounts import MEBIBYTE
from paths import PATIENCE_S

SLEEP_NS = 25_000_000  # of each read of the file slow

# Each operation once or more, and no cache but that of names.
EVERYTHING = """
import os, sys
os.chdir(sys.argv[1])
with open('new', 'wb') as file:
    for i in range(7):
        file.write(b'x' * 4099)
        file.flush()
    os.fsync(file.fileno())
file = os.open('new', os.O_RDONLY)
for i in range(11):
    os.pread(file, 1021, 0)
os.close(file)
os.rename('new', 'old')
os.mkdir('directory')
os.listdir('.')
os.symlink('old', 'symbolic')
os.readlink('symbolic')
os.link('old', 'hard')
os.statvfs('.')
for i in range(5):
    try:
        os.stat('missing%d' % i)
    except FileNotFoundError:
        pass
os.unlink('hard')
os.rmdir('directory')
"""

# What the mount tells apart and the kernel does not, or names differently.
SAME_OPCODE = {"read_or_mmap": "read", "mmap": "read", "writeback": "write", "flock": "setlk",
               "rename2": "rename"}


def by_opcode(counts):
    sums = {}
    for name, count in counts:
        name = SAME_OPCODE.get(name, name)
        sums[name] = sums.get(name, 0) + count
    return sums


class OurMount(FuseTest):
    def test_every_operation_equals_the_mounts_own_count(self):
        mounted = self.mount("--cache", "none", "-i", "100ms")
        watch = self.watch(self.point)
        self.run_python(EVERYTHING, self.point)
        self.wait_until(lambda: self.sum_over_intervals(mounted, "release") == 2, "two releases")
        report = watch.stop()
        mounted.end()
        connection = self.connection_at(report)
        seen = by_opcode((one["operation"], one["answered"])
                         for one in connection["operations"])
        own = {}
        for interval in mounted.report_path.read_text().splitlines():
            for file in json.loads(interval)["files"]:
                for name, counts in file["operations"].items():
                    name = SAME_OPCODE.get(name, name)
                    own[name] = own.get(name, 0) + counts["count"]
        # The kernel sends these in a queue of their own, which has no tracepoint.
        own.pop("forget", None)
        # isatty() of Python's open(), which libfuse refuses.
        self.assertEqual(operation(connection, "ioctl")["errors"], seen.pop("ioctl", 0))
        # Requests that find no file are of no file. The mount counts them by process.
        for name in ("lookup", "getattr", "statfs", "opendir", "readdir", "readdirplus",
                     "releasedir", "access", "getxattr"):
            own.pop(name, None)
            seen.pop(name, None)
        self.assertEqual(seen, own)
        self.assertEqual(operation(connection, "read")["bytes"], 11 * 1021)
        self.assertEqual(operation(connection, "write")["bytes"], 7 * 4099)
        self.assertEqual(connection["type"], "fuse.zctrace")
        self.assertEqual(connection["server"]["pid"], mounted.pid)
        self.assert_complete(report)

    def test_processes_and_sums_equal_the_mounts_own(self):
        self.file()
        mounted = self.mount("--cache", "none")
        watch = self.watch(self.point)
        for _ in range(3):
            subprocess.run(["dd", f"if={self.point}/file", "of=/dev/null", "bs=64K"], check=True,
                           stderr=subprocess.DEVNULL)
        # The unmount ends the watch.
        own = mounted.stop()
        report = watch.stop(signal_number=None)
        connection = self.connection_at(report)
        reads = {}
        for process in own.processes:
            for name, counts in process["fuse"]["operations"].items():
                if SAME_OPCODE.get(name, name) == "read":
                    reads[process["pid"]] = reads.get(process["pid"], 0) + counts["count"]
        self.assertEqual(len(reads), 3)
        self.assertEqual({one["pid"]: one["operations"]["read"]
                          for one in connection["requesters"] if "read" in one["operations"]},
                         reads)
        for pid in reads:
            self.assertEqual(of_process(connection, pid)["name"], "dd")
            self.assertEqual(of_process(connection, pid)["read_bytes"], MEBIBYTE + 7)
        lookups = sum(counts["count"] for process in own.processes
                      for name, counts in process["fuse"]["operations"].items()
                      if name == "lookup")
        self.assertEqual(operation(connection, "lookup")["answered"], lookups)

    def test_readahead_belongs_to_the_process_that_reads(self):
        self.file(size=8 * MEBIBYTE)
        self.mount()
        watch = self.watch(self.point)
        reader = self.start(["dd", f"if={self.point}/file", "of=/dev/null", "bs=16K"],
                            stderr=subprocess.DEVNULL)
        reader.wait(PATIENCE_S)
        connection = self.connection_at(watch.stop())
        read = operation(connection, "read")
        self.assertEqual(read["bytes"], 8 * MEBIBYTE)
        self.assertGreater(read["background"], 0)
        self.assertEqual(of_process(connection, reader.pid)["read_bytes"], 8 * MEBIBYTE)

    def test_random_reads_of_many_processes(self):
        self.file(size=4 * MEBIBYTE)
        self.mount("--cache", "none")
        watch = self.watch(self.point)
        code = ("import os, random, sys\n"
                "file = os.open(sys.argv[1], os.O_RDONLY)\n"
                "for i in range(200):\n"
                "    assert len(os.pread(file, 4096, random.randrange(1000) * 4096)) == 4096\n")
        readers = [self.start([sys.executable, "-c", code, self.point / "file"])
                   for _ in range(4)]
        for reader in readers:
            self.assertEqual(reader.wait(PATIENCE_S), 0)
        report = watch.stop()
        connection = self.connection_at(report)
        read = operation(connection, "read")
        self.assertEqual((read["answered"], read["bytes"]), (800, 800 * 4096))
        self.assertEqual(read["latency_ns"]["timed_requests"], 800)
        self.assertEqual(sum(bucket["count"] for bucket in read["histogram"]), 800)
        for reader in readers:
            self.assertEqual(of_process(connection, reader.pid)["operations"]["read"], 200)
        self.assert_complete(report)

    def test_two_mounts_are_listed_apart(self):
        self.file(size=5 * 4096)
        self.mount("--cache", "none")
        other = self.directory / "other"
        self.slow_fuse(point=other)
        watch = self.watch()
        subprocess.run(["dd", f"if={self.point}/file", "of=/dev/null", "bs=4K"], check=True,
                       stderr=subprocess.DEVNULL)
        self.reader(other / "slow", count=3).wait(PATIENCE_S)
        report = watch.stop()
        self.assertEqual(operation(self.connection_at(report), "read")["answered"], 6)
        connection = self.connection_at(report, other)
        self.assertEqual(operation(connection, "read")["answered"], 3)
        self.assertEqual(connection["type"], "fuse.slow_fuse")
        self.assertNotEqual(connection["device"], self.connection_at(report)["device"])

    def test_only_the_mount_that_was_asked_for(self):
        self.file()
        self.mount("--cache", "none")
        other = self.directory / "other"
        self.slow_fuse(point=other)
        watch = self.watch(other)
        (self.point / "file").read_bytes()
        (other / "slow").stat()
        self.reader(other / "slow").wait(PATIENCE_S)
        report = watch.stop()
        (connection,) = report["connections"]
        self.assertEqual(connection["mount_points"], [str(other)])
        self.assertEqual(report["mount"], str(other))

    def test_a_mount_that_comes_and_goes(self):
        self.file(size=4096)
        watch = self.watch()
        for reads in (3, 5):
            mounted = self.mount("--cache", "none")
            for _ in range(reads):
                (self.point / "file").read_bytes()
            mounted.stop()
        report = watch.stop()
        found = sorted(operation(one, "read")["bytes"] for one in report["connections"]
                       if one["type"] == "fuse.zctrace")
        self.assertEqual(found, [3 * 4096, 5 * 4096])
        for connection in report["connections"]:
            if connection["type"] == "fuse.zctrace":
                self.assertTrue(connection["mounted_while_watched"])
                self.assertEqual(operation(connection, "init")["answered"], 1)


class SlowServer(FuseTest):
    def test_latency_is_at_least_the_servers(self):
        self.slow_fuse()
        watch = self.watch(self.point)
        reader = self.reader(self.point / "slow", count=7)
        reader.wait(PATIENCE_S)
        report = watch.stop()
        read = operation(self.connection_at(report), "read")
        self.assertEqual(read["answered"], 7)
        self.assertGreaterEqual(read["latency_ns"]["total"], 7 * SLEEP_NS)
        self.assertGreaterEqual(read["latency_ns"]["max"], SLEEP_NS)
        self.assertTrue(all(bucket["to_ns"] > SLEEP_NS for bucket in read["histogram"]))
        self.assertGreaterEqual(of_process(self.connection_at(report), reader.pid)["wall_ns"],
                                7 * SLEEP_NS)

    def test_queue_holds_every_request_without_an_answer(self):
        self.slow_fuse()
        (self.point / "readers").write_text("4")
        watch = self.watch(self.point)
        readers = [self.reader(self.point / "together") for _ in range(4)]
        for reader in readers:
            self.assertEqual(reader.wait(PATIENCE_S), 0)
        connection = self.connection_at(watch.stop())
        self.assertEqual(operation(connection, "read")["answered"], 4)
        self.assertGreaterEqual(connection["queue"]["max"], 4)
        self.assertEqual(operation(connection, "read")["in_flight"], 0)

    def test_errors_apart(self):
        self.slow_fuse()
        watch = self.watch(self.point)
        code = ("import os, sys\n"
                "file = os.open(sys.argv[1] + '/broken', os.O_RDONLY)\n"
                "for i in range(3):\n"
                "    try:\n        os.pread(file, 5, 0)\n"
                "    except OSError:\n        pass\n"
                "for i in range(5):\n    os.path.exists(sys.argv[1] + '/missing%d' % i)\n")
        self.run_python(code, self.point)
        connection = self.connection_at(watch.stop())
        self.assertEqual(operation(connection, "read")["errors_by"], {"EIO": 3})
        self.assertEqual(operation(connection, "read")["bytes"], 0)
        self.assertEqual(operation(connection, "lookup")["errors_by"], {"ENOENT": 5})
        # The library has no flush, and says so once.
        self.assertEqual(connection["totals"]["errors_by"], {"EIO": 3, "ENOENT": 5, "ENOSYS": 1})

    def test_a_request_from_before_is_counted_but_not_timed(self):
        self.slow_fuse()
        first = self.reader(self.point / "together")
        self.wait_until_waiting(first)
        watch = self.watch(self.point)
        second = self.reader(self.point / "together")
        self.assertEqual((first.wait(PATIENCE_S), second.wait(PATIENCE_S)), (0, 0))
        connection = self.connection_at(watch.stop())
        read = operation(connection, "read")
        self.assertEqual((read["sent"], read["answered"]), (1, 2))
        self.assertEqual(read["latency_ns"]["timed_requests"], 1)
        self.assertEqual(of_process(connection, second.pid)["operations"]["read"], 1)

    def test_a_request_without_an_answer_is_waiting(self):
        server = self.slow_fuse()
        watch = self.watch(self.point, "-i", "100ms")
        reader = self.reader(self.point / "stuck")
        self.wait_until_waiting(reader)
        self.wait_for_intervals(watch.path, 2)
        connection = self.connection_at(watch.reports()[-1])
        self.assertEqual(operation(connection, "read")["in_flight"], 1)
        self.assertGreater(operation(connection, "read")["oldest_in_flight_ns"], 0)
        self.assertEqual(of_process(connection, reader.pid)["in_flight"], 1)
        # The end of the server answers it.
        server.send_signal(signal.SIGKILL)
        reader.wait(PATIENCE_S)
        watch.stop()
        answered = [operation(connection, "read")
                    for report in watch.reports() for connection in report["connections"]]
        self.assertEqual(sum(read["answered"] for read in answered), 1)
        self.assertEqual([read["errors_by"] for read in answered if read["errors_by"]],
                         [{"ECONNABORTED": 1}])

    def test_a_request_that_is_taken_back_is_not_waiting(self):
        # With one thread, the server does not even read the second request.
        self.slow_fuse("-s")
        watch = self.watch(self.point)
        first = self.reader(self.point / "slow", count=1000)
        self.wait_until_waiting(first)
        stuck = self.reader(self.point / "stuck")
        self.wait_until_waiting(stuck)
        first.kill()
        killed = self.start([sys.executable, "-c",
                             f"import os; os.stat('{self.point}/broken')"])
        self.wait_until(lambda: self.is_asking(killed), "it asks for the file")
        killed.kill()
        killed.wait(PATIENCE_S)
        connection = self.connection_at(watch.stop())
        self.assertEqual(connection["totals"]["withdrawn"]
                         - operation(connection, "read")["withdrawn"], 1)
        self.assertEqual(operation(connection, "lookup")["in_flight"]
                         + operation(connection, "getattr")["in_flight"], 0)
        # That of `stuck`, and of `first` if the server had not answered it yet.
        self.assertIn(operation(connection, "read")["in_flight"], (1, 2))

    def wait_until_waiting(self, reader):
        self.wait_until(lambda: self.is_asking(reader), "it waits for an answer")

    @staticmethod
    def is_asking(process):
        """Whether it waits for the answer to a request."""
        try:
            with open(f"/proc/{process.pid}/stack", encoding="ascii") as stack:
                return "fuse_simple_request" in (text := stack.read()) or "request_wait" in text
        except (FileNotFoundError, ProcessLookupError):
            return False


class Limits(FuseTest):
    def test_requests_without_space_are_counted_but_not_timed(self):
        self.slow_fuse()
        (self.point / "readers").write_text("3")
        watch = self.watch(self.point, "--room", "flights=1", "--strict")
        for reader in [self.reader(self.point / "together") for _ in range(3)]:
            self.assertEqual(reader.wait(PATIENCE_S), 0)
        report = watch.stop(status=3)
        read = operation(self.connection_at(report), "read")
        self.assertEqual((read["answered"], read["bytes"]), (3, 3 * 4096))
        self.assertLessEqual(read["latency_ns"]["timed_requests"] if read["latency_ns"] else 0, 1)
        self.assertGreaterEqual(report["completeness"]["untimed_requests"], 2)
        self.assertIn("LOST", watch.stdout)

    def test_connections_without_space_are_lost(self):
        self.slow_fuse()
        other = self.directory / "other"
        self.slow_fuse(point=other)
        watch = self.watch("--room", "connections=1")
        for point in (self.point, other, self.point):
            self.reader(point / "slow").wait(PATIENCE_S)
        report = watch.stop()
        self.assertEqual(operation(self.connection_at(report), "read")["answered"], 2)
        self.assertGreater(report["completeness"]["lost"]["connections_full"], 0)

    def test_processes_without_space_are_summed(self):
        self.slow_fuse()
        watch = self.watch(self.point, "--room", "requesters=4")
        readers = [self.reader(self.point / "slow") for _ in range(8)]
        for reader in readers:
            self.assertEqual(reader.wait(PATIENCE_S), 0)
        report = watch.stop()
        connection = self.connection_at(report)
        self.assertGreater(report["completeness"]["unnamed_requests"], 0)
        self.assertEqual(sum(one["operations"].get("read", 0)
                             for one in connection["requesters"]), 8)
        self.assertEqual(operation(connection, "read")["latency_ns"]["timed_requests"], 8)

    def test_ended_processes_that_are_not_listed_are_summed(self):
        self.file(size=4096)
        self.mount("--cache", "none")
        watch = self.watch(self.point, "--max-processes", "2")
        for _ in range(9):
            subprocess.run(["cat", self.point / "file"], check=True, stdout=subprocess.DEVNULL)
        connection = self.connection_at(watch.stop())
        self.assertEqual(operation(connection, "read")["bytes"], 9 * 4096)
        self.assertEqual(sum(one["read_bytes"] for one in connection["requesters"]), 9 * 4096)

    def test_nothing_is_left_after_sigkill(self):
        watch = self.watch()
        ids = bpf_objects_of(watch.process.pid)
        self.assertEqual(len(ids["prog"]), 2)
        assert_loaded(self, ids)
        watch.process.kill()
        watch.process.wait(PATIENCE_S)
        wait_until_unloaded(self, ids)


class Outputs(FuseTest):
    def test_intervals_add_up(self):
        self.file(size=64 * 4096)
        self.mount("--cache", "none")
        watch = self.watch(self.point, "-i", "50ms")
        for _ in range(3):
            subprocess.run(["dd", f"if={self.point}/file", "of=/dev/null", "bs=4K"], check=True,
                           stderr=subprocess.DEVNULL)
            self.wait_for_intervals(watch.path, 1)
        watch.stop()
        connections = [one for report in watch.reports() for one in report["connections"]]
        reads = [operation(one, "read") for one in connections]
        self.assertEqual(sum(read["answered"] for read in reads), 3 * 65)
        self.assertEqual(sum(read["bytes"] for read in reads), 3 * 64 * 4096)
        self.assertEqual(sum(one["read_bytes"] for connection in connections
                             for one in connection["requesters"]), 3 * 64 * 4096)
        self.assertEqual(sum(bucket["count"] for read in reads
                             for bucket in read.get("histogram", [])), 3 * 65)

    def test_table_csv_and_markdown(self):
        self.file(size=4096)
        self.mount("--cache", "none")
        table = self.directory / "table.csv"
        markdown = self.directory / "table.md"
        watch = self.watch(self.point, "--csv", table, "--markdown", markdown)
        (self.point / "file").read_bytes()
        watch.stop()
        self.assertRegex(watch.stdout, r"(?m)^read +\d+ ")
        self.assertIn("0 events lost", watch.stdout)
        self.assertIn("| read |", markdown.read_text())
        lines = list(csv.DictReader(table.read_text().splitlines()))
        (read,) = [line for line in lines if line["operation"] == "read"]
        self.assertEqual((read["bytes"], read["mount_point"]), ("4096", str(self.point)))
        self.assertTrue(any(line["what"] == "requester" and line["pid"] == str(os.getpid())
                            for line in lines))

    def test_what_is_not_fuse(self):
        for path, reason in ((self.directory / "missing", "No such file"),
                             (self.directory, "neither FUSE nor virtiofs")):
            with self.subTest(path=path):
                done = self.zctrace("fuse", path)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(reason, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
