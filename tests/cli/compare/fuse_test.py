# SPDX-License-Identifier: MIT
"""`zctrace compare --fuse`: legality, formulae, the daemon's row, and how it ends."""

import contextlib
import csv
import io
import os
import pathlib
import signal
import subprocess
import unittest

from comparing import Comparing
from mounts import passes_through
from paths import PATIENCE_S, ZCTRACE
from processes import argv_of, children
from rings import rings, why_no_rings

MIB = 1024 * 1024
BYTES = 4 * MIB
# What the daemon moves beside contents: a header of about a hundred bytes for each request.
HEADERS = 256
BOTH = ("on", "off")


def data_calls(row):
    """syscall -> calls, for the calls that can move bytes and for mmap."""
    calls = {}
    for counted in row["rows"]:
        calls[counted["syscall"]] = calls.get(counted["syscall"], 0) + counted["calls"]
    return calls


class Fuse(Comparing):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
            raise unittest.SkipTest("mounting a FUSE file system needs root and /dev/fuse")

    def assert_verified(self, row, sink):
        self.assertIsNone(row["error"], row)
        self.assertIs(row["verified"], None if sink == "null" else True, row["label"])


class Methods(Fuse):
    def assert_every_method(self, source, sink, illegal):
        rows, _ = self.compare("--from", source, "--to", sink, "--size", "1000003", "--runs", "1",
                               "--warmup", "0", "--methods", "all", "--buffers", "64K")
        refused = {}
        for label, row in rows.items():
            if row["supported"]:
                self.assertEqual(row["bytes"], 1000003, label)
                self.assert_verified(row, sink)
            else:
                refused.setdefault(row["method"], set()).add(row["error"].split(":")[0])
        self.assertEqual(refused, {method: {errno} for method, errno in illegal.items()})
        self.assertEqual({(row["method"], row["fuse_splice"]) for row in rows.values()},
                         {(row["method"], on) for row in rows.values() for on in (True, False)})

    TO_UNIX = {"pread_pwrite": "ESPIPE", "mmap_memcpy": "EINVAL", "copy_file_range": "EINVAL",
               "reflink": "EXDEV", "msg_zerocopy": "EOPNOTSUPP", "io_uring_send_zc": "EOPNOTSUPP"}
    TO_FILE = {"mmap_send": "ENOTSOCK", "reflink": "EOPNOTSUPP", "msg_zerocopy": "ENOTSOCK",
               "io_uring_send_zc": "ENOTSOCK"}

    def test_every_legal_method_from_fuse_to_a_socket(self):
        self.assert_every_method("fuse", "unix", self.TO_UNIX)

    def test_every_legal_method_within_fuse(self):
        self.assert_every_method("fuse", "fuse", self.TO_FILE)

    def test_a_file_sink_of_a_fuse_source_is_in_the_same_mount(self):
        rows, _ = self.compare("--from", "fuse", "--to", "file", "--size", "1M", "--runs", "1",
                               "--methods", "copy_file_range/64K")
        for row in rows.values():
            self.assert_verified(row, "file")

    def test_every_legal_method_from_a_disk_to_fuse(self):
        self.assert_every_method("disk", "fuse", {**self.TO_FILE, "copy_file_range": "EXDEV",
                                                  "reflink": "EXDEV"})


class Counts(Fuse):
    def test_client_counts_equal_the_formulae(self):
        rows, report = self.compare(
            "--from", "fuse", "--to", "unix", "--size", BYTES, "--runs", "1", "--methods",
            "read_write/4K,sendfile/whole,sendfile/64K,splice/64K,mmap_write/64K")
        expected = {"read_write/4K": {"read": BYTES // 4096 + 1, "write": BYTES // 4096},
                    "sendfile/whole": {"sendfile": 1},
                    "sendfile/64K": {"sendfile": BYTES // 65536},
                    "splice/64K": {"pipe2": 1, "splice": 2 * (BYTES // 65536) + 1},
                    "mmap_write/64K": {"mmap": 1, "write": BYTES // 65536, "munmap": 1}}
        for label, calls in expected.items():
            for splice in BOTH:
                with self.subTest(label=label, splice=splice):
                    row = rows[f"{label}/splice-{splice}"]
                    self.assertEqual(data_calls(row), calls)
                    self.assertEqual(row["syscalls"], sum(calls.values()))
                    self.assertTrue(any(counted["from"] == "fuse" for counted in row["rows"]) or
                                    label.startswith("mmap"), row["rows"])
        self.assertEqual(report["source"], {"kind": "fuse", "path": "", "bytes": BYTES,
                                            "filesystem": "fuse"})
        self.assertEqual(report["baseline"], "read_write/4K/splice-on")
        self.assertEqual(report["completeness"]["lost_events"], 0)

    @unittest.skipUnless(passes_through(), "this kernel has no FUSE passthrough")
    def test_the_daemon_moves_nothing_where_the_kernel_passes_through(self):
        for direction in (("--from", "fuse", "--to", "unix"), ("--from", "disk", "--to", "fuse")):
            rows, report = self.compare(*direction, "--size", BYTES, "--runs", "1", "--fuse-mode",
                                        "all", "--methods", "read_write/64K")
            self.assertEqual([row["fuse_mode"] for row in rows.values()][:3],
                             ["splice", "copy", "passthrough"])
            row = rows["read_write/64K/passthrough"]
            self.assert_verified(row, direction[3])
            self.assertEqual(data_calls(row)["write"], BYTES // 65536)
            self.assertEqual(row["daemon"]["fuse_bytes_read"] + row["daemon"]["fuse_bytes_written"],
                             0, row["daemon"])
            daemon = row["daemon"]
            self.assertLess(daemon["copied_bytes"] + daemon["in_kernel_bytes"],
                            HEADERS * (daemon["fuse_requests"] + 1))
            self.assertEqual([line for line in report["warnings"] if "pass" in line], [])

    @unittest.skipIf(why_no_rings(), why_no_rings())
    def test_the_daemon_makes_two_calls_for_a_request_over_io_uring(self):
        for direction in (("--from", "fuse", "--to", "null"), ("--from", "tmpfs", "--to", "fuse")):
            with rings():
                rows, _ = self.compare(*direction, "--size", BYTES, "--runs", "1", "--fuse-mode",
                                       "copy,uring", "--methods", "read_write/64K")
            copy, ring = (rows[f"read_write/64K/{name}"]["daemon"] for name in ("splice-off",
                                                                               "uring"))
            self.assert_verified(rows["read_write/64K/uring"], direction[3])
            self.assertEqual(ring["mode"], "uring")
            self.assertEqual(ring["fuse_copied_bytes"], BYTES)
            self.assertLess(abs(ring["copied_bytes"] - copy["copied_bytes"]),
                            HEADERS * (ring["fuse_requests"] + 1))
            self.assertEqual(ring["in_kernel_bytes"], 0)
            requests = ring["fuse_requests"]
            calls = data_calls(ring)
            self.assertEqual(calls["io_uring_enter"], requests)
            self.assertEqual(calls["io_uring:fuse_request"], requests)
            self.assertEqual(calls["io_uring:fuse_reply"], requests)
            self.assertNotIn("read", calls)
            self.assertNotIn("writev", calls)
            if direction[1] == "fuse":
                self.assertEqual(ring["syscalls"], 2 * requests)

    @unittest.skipIf(why_no_rings(), why_no_rings())
    def test_a_mode_that_is_switched_off_is_left_out_or_refused_over_io_uring(self):
        with rings(on=False):
            rows, report = self.compare("--from", "fuse", "--to", "null", "--size", "1M", "--runs",
                                        "1", "--fuse-mode", "all", "--methods", "sendfile/64K")
            done = self.zctrace("compare", "--from", "fuse", "--to", "null", "--fuse-mode", "uring")
        self.assertNotIn("uring", [row["fuse_mode"] for row in rows.values()])
        self.assertTrue(any(line.startswith("no row for uring: ") for line in report["warnings"]))
        self.assertEqual(done.returncode, 77)
        self.assertIn("enable_uring", done.stderr)

    def test_the_daemon_moves_each_byte_once_by_splice_or_by_a_copy(self):
        rows, _ = self.compare("--from", "fuse", "--to", "null", "--size", BYTES, "--runs", "2",
                               "--methods", "read_write/64K,sendfile/64K,splice/64K")
        for label, row in rows.items():
            with self.subTest(label=label):
                daemon = row["daemon"]
                requests = daemon["fuse_requests"]
                # The kernel reads ahead, but requests no page twice.
                self.assertGreater(requests, 0)
                self.assertEqual(daemon["fuse_bytes_read"], BYTES)
                self.assertEqual(daemon["fuse_bytes_written"], 0)
                self.assertEqual(daemon["crossings"], 2 * daemon["syscalls"])
                self.assertEqual(daemon["splice"], row["fuse_splice"])
                rest = HEADERS * requests
                calls = data_calls(daemon)
                if daemon["splice"]:
                    self.assertEqual(daemon["fuse_spliced_bytes"], BYTES)
                    self.assertEqual(daemon["fuse_copied_bytes"], 0)
                    # Into a pipe, and out of it; the requests come by splice, too.
                    self.assertGreaterEqual(daemon["in_kernel_bytes"], 2 * BYTES)
                    self.assertLess(daemon["in_kernel_bytes"], 2 * BYTES + rest)
                    self.assertLess(daemon["copied_bytes"], rest)
                    self.assertGreaterEqual(calls["splice"], 2 * requests)
                else:
                    self.assertEqual(daemon["fuse_copied_bytes"], BYTES)
                    self.assertEqual(daemon["fuse_spliced_bytes"], 0)
                    self.assertGreater(daemon["copied_bytes"], 2 * BYTES)
                    self.assertLess(daemon["copied_bytes"], 2 * BYTES + rest)
                    self.assertEqual(daemon["in_kernel_bytes"], 0)
                    # A request is read, and its answer written.
                    self.assertEqual(calls["read"], requests)
                    self.assertEqual(calls["writev"], requests)
                    self.assertEqual(calls["pread64"], requests)
                    self.assertEqual(daemon["syscalls"], 3 * requests)
                self.assertGreater(daemon["cpu_ns"], 0)

    def test_writes_to_fuse_reach_the_daemon(self):
        rows, report = self.compare("--from", "tmpfs", "--to", "fuse", "--size", BYTES, "--runs",
                                    "1", "--methods", "read_write/64K,mmap_memcpy")
        self.assertEqual(report["sink"]["kind"], "fuse")
        for label, row in rows.items():
            with self.subTest(label=label):
                daemon = row["daemon"]
                self.assertEqual(daemon["fuse_bytes_written"], BYTES)
                if row["method"] == "mmap_memcpy":
                    continue  # a page of a mapping is read before it is written
                self.assertEqual(daemon["fuse_bytes_read"], 0)
                how = "fuse_spliced_bytes" if daemon["splice"] else "fuse_copied_bytes"
                self.assertEqual(daemon[how], BYTES)

    def test_copy_file_range_stays_below_the_daemon(self):
        rows, _ = self.compare("--from", "fuse", "--to", "fuse", "--size", BYTES, "--runs", "1",
                               "--fuse-splice", "off", "--methods", "copy_file_range/1M")
        (row,) = rows.values()
        daemon = row["daemon"]
        self.assertEqual(data_calls(row), {"copy_file_range": BYTES // MIB})
        self.assertEqual(data_calls(daemon)["copy_file_range"], BYTES // MIB)
        self.assertEqual(daemon["in_kernel_bytes"], BYTES)
        self.assertEqual(daemon["fuse_bytes_written"], BYTES)
        self.assertEqual(daemon["fuse_spliced_bytes"] + daemon["fuse_copied_bytes"], 0)

    def test_a_request_costs_the_daemon_the_same_calls_in_every_run(self):
        def calls_a_request():
            rows, _ = self.compare("--from", "fuse", "--to", "unix", "--size", "1M", "--runs", "1",
                                   "--methods", "sendfile/64K,read_write/64K")
            return {label: {counted["calls"] / row["daemon"]["fuse_requests"]
                            for counted in row["daemon"]["rows"]} for label, row in rows.items()}

        first = calls_a_request()
        for calls in first.values():
            self.assertEqual(calls, {1.0})
        self.assertEqual(calls_a_request(), first)


class Output(Fuse):
    def test_client_and_daemon_are_one_row_each(self):
        rows = self.directory / "rows.csv"
        text = self.directory / "table.md"
        done = self.zctrace("compare", "--from", "fuse", "--to", "unix", "--size", "1M", "--runs",
                            "1", "--methods", "sendfile/64K,reflink", "--csv", rows, "--markdown",
                            text, env={**os.environ, "COLUMNS": "200"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertIn("from fuse to unix", done.stdout)
        lines = [line.split()[:4] for line in done.stdout.splitlines()
                 if line.startswith(("sendfile ", "reflink "))]
        self.assertEqual([" ".join(line) for line in lines],
                         ["sendfile 64K splice client", "sendfile 64K splice daemon",
                          "sendfile 64K copy client", "sendfile 64K copy daemon",
                          "reflink - splice client", "reflink - copy client"])
        self.assertIn("| sendfile | 64K | splice | daemon |", text.read_text())
        parsed = list(csv.DictReader(io.StringIO(rows.read_text())))
        for row in parsed:
            self.assertNotIn(None, row)
            self.assertNotIn(None, row.values())
        self.assertEqual([" ".join(row[column] for column in ("method", "fuse_splice", "process",
                                                              "supported")) for row in parsed],
                         ["sendfile on client true", "sendfile on daemon true",
                          "sendfile off client true", "sendfile off daemon true",
                          "reflink on client false", "reflink off client false"])
        self.assertEqual(parsed[0]["syscalls"], "16")
        self.assertGreater(int(parsed[1]["fuse_requests"]), 0)
        self.assertGreater(int(parsed[3]["copied_bytes"]), 2 * MIB)

    def test_output_without_fuse_does_not_mention_it(self):
        rows, _ = self.compare("--size", "1M", "--runs", "1", "--methods", "sendfile/64K")
        self.assertEqual(list(rows), ["sendfile/64K"])
        self.assertNotIn("daemon", rows["sendfile/64K"])

    def test_one_daemon_and_a_baseline_by_its_short_name(self):
        rows, report = self.compare("--from", "fuse", "--size", "1M", "--runs", "1",
                                    "--fuse-splice", "off", "--methods",
                                    "read_write/4K,sendfile/64K", "--baseline", "sendfile/64K")
        self.assertEqual(list(rows), ["read_write/4K/splice-off", "sendfile/64K/splice-off"])
        self.assertEqual(report["baseline"], "sendfile/64K/splice-off")

    def test_usage_errors(self):
        for options in (["--fuse-splice", "on"], ["--from", "fuse", "--fuse-splice", "maybe"],
                        ["--from", "fuse", "--size", "0"]):
            with self.subTest(options=options):
                done = self.zctrace("compare", *options)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(options[-2], done.stderr)

    def test_missing_device_or_mount_permission_is_one_line(self):
        hidden = "mount -t tmpfs none /dev && exec {0} compare --from fuse --size 1M"
        unable = ("exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin "
                  "{0} compare --from fuse --size 1M")
        for script, text in ((hidden, "/dev/fuse"), (unable, "CAP_SYS_ADMIN")):
            with self.subTest(text=text):
                done = subprocess.run(["unshare", "-m", "sh", "-c", script.format(ZCTRACE)],
                                      capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 77, done.stderr)
                self.assertIn(text, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertEqual(done.stdout, "")


class Endings(Fuse):
    COMMAND = (ZCTRACE, "compare", "--from", "fuse", "--to", "fuse", "--size", "16M",
               "--methods", "read_write/4K,splice/64K", "--runs")

    def setUp(self):
        super().setUp()
        self.connections = set()
        # The control file system of FUSE lists every FUSE file system, wherever it is mounted.
        self.control = self.directory / "control"
        self.control.mkdir()
        subprocess.run(["mount", "-t", "fusectl", "none", self.control], check=True)
        self.addCleanup(subprocess.run, ["umount", self.control], check=True)
        # A mount namespace of the test's own, which outlives zctrace.
        self.keeper = self.start(["unshare", "-m", "sleep", "infinity"])
        # By the time unshare execs, the namespace is private.
        self.wait_until(lambda: argv_of(self.keeper.pid)[:1] == [b"sleep"],
                        "a mount namespace of its own")
        self.mounts_before = self.mounts()
        self.files_before = self.temporary_files()

    def mounts(self):
        return set(pathlib.Path(f"/proc/{self.keeper.pid}/mounts").read_text().splitlines())

    @staticmethod
    def temporary_files():
        """The names that transfers/unnamed_file.cpp uses where it needs names."""
        return {path for place in ("/var/tmp", "/dev/shm")
                for path in pathlib.Path(place).glob("zctrace-??????")}

    def start_compare(self, runs):
        return self.start(["nsenter", "-m", "-t", self.keeper.pid, *self.COMMAND, runs],
                          start_new_session=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)

    def running(self):
        """A running comparison with its daemons and a transfer."""
        process = self.start_compare(1000)
        self.wait_until(lambda: len(children(process.pid)) >= 3, "a transfer begins")
        self.connections = self.connections_of(process.pid)
        self.assertEqual(len(self.connections), 2)
        return process, children(process.pid)

    def connections_of(self, pid):
        """The FUSE file systems that a process holds."""
        devices = set()
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                devices.add(os.stat(f"/proc/{pid}/fd/{name}").st_dev)
        connections = {self.control / str(os.minor(device)) for device in devices
                       if os.major(device) == 0}
        return {connection for connection in connections if connection.exists()}

    def assert_nothing_left(self, pids=()):
        for pid in pids:
            self.assert_gone(pid)
        for connection in self.connections:
            self.wait_until(lambda: not connection.exists(), f"{connection} ends")
        self.assertEqual(self.mounts() - self.mounts_before, set())
        self.assertEqual(self.temporary_files() - self.files_before, set())

    def test_a_normal_end_leaves_nothing(self):
        process = self.start_compare(1)
        self.assertEqual(process.wait(timeout=PATIENCE_S), 0, process.stderr.read())
        self.assert_nothing_left()

    def test_an_interrupt_leaves_nothing(self):
        process, pids = self.running()
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE_S), 130, process.stderr.read())
        self.assert_nothing_left(pids)

    def test_sigkill_leaves_nothing(self):
        process, pids = self.running()
        process.kill()
        self.assert_nothing_left(pids)

    def test_a_killed_daemon_ends_compare_with_one_line(self):
        process, pids = self.running()
        self.assertEqual(pathlib.Path(f"/proc/{pids[0]}/comm").read_text(), "zctrace-fuse\n")
        os.kill(pids[0], signal.SIGKILL)
        self.assertEqual(process.wait(timeout=PATIENCE_S), 1)
        message = process.stderr.read()
        self.assertIn("FUSE daemon", message)
        self.assertEqual(message.count("\n"), 1)
        self.assert_nothing_left(pids)
