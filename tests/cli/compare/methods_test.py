# SPDX-License-Identifier: MIT
"""`zctrace compare` as a user runs it."""

import csv
import io
import json
import os
import pathlib
import signal
import subprocess

from comparing import Comparing
from paths import PATIENCE_S, ZCTRACE
from processes import children


class Compare(Comparing):
    def test_counts_of_sendfile_and_read_write_equal_the_formulae(self):
        rows, report = self.compare("--size", "8M", "--runs", "2", "--methods",
                                    "read_write/4K,sendfile/whole,splice/64K")
        read_write = rows["read_write/4K"]
        self.assertEqual(read_write["syscalls"], 2 * 2048 + 1)
        self.assertEqual(read_write["crossings"], 2 * (2 * 2048 + 1))
        self.assertEqual(read_write["copied_bytes"], 2 * 8 * 1024 * 1024)
        self.assertEqual(read_write["in_kernel_bytes"], 0)
        self.assertEqual(read_write["relative"], 1.0)
        self.assertEqual(len(read_write["wall_ns"]["runs"]), 2)
        sendfile = rows["sendfile/whole"]
        self.assertEqual(sendfile["syscalls"], 1)
        self.assertIsNone(sendfile["buffer_bytes"])
        self.assertEqual(sendfile["copied_bytes"], 0)
        self.assertEqual(sendfile["in_kernel_bytes"], 8 * 1024 * 1024)
        # The socket holds only a fraction of it, so the sender waits; the reader decides how often.
        self.assertGreater(sendfile["voluntary_switches"], 0)
        self.assertEqual(rows["splice/64K"]["delivered_bytes"], 8 * 1024 * 1024)
        for row in rows.values():
            self.assertTrue(row["verified"], row)
        self.assertEqual(report["baseline"], "read_write/4K")
        self.assertEqual(report["completeness"]["lost_events"], 0)

    def test_every_method_on_every_sink_works_or_reports_its_errno(self):
        for source in ("disk", "tmpfs"):
            for sink in ("unix", "tcp", "file", "file:other-fs", "pipe", "pipe:1M", "null"):
                with self.subTest(source=source, sink=sink):
                    rows, _ = self.compare("--from", source, "--to", sink, "--size", "1000003",
                                           "--runs", "1", "--warmup", "0", "--methods", "all",
                                           "--buffers", "64K")
                    for row in rows.values():
                        if row["supported"]:
                            self.assertIsNone(row["error"], row)
                            self.assertEqual(row["bytes"], 1000003)
                            self.assertIs(row["verified"], None if sink == "null" else True, row)
                        else:
                            self.assertRegex(row["error"], "^E[A-Z0-9]+: ")
                    self.assertTrue(rows["read_write/64K"]["supported"])

    def test_illegal_method_is_a_row_with_its_errno(self):
        rows, _ = self.compare("--size", "1M", "--runs", "1", "--to", "unix", "--methods",
                               "read_write/64K,copy_file_range/64K,pread_pwrite/64K,reflink,msg_zerocopy/64K")
        self.assertTrue(rows["read_write/64K"]["supported"])
        for label, errno in (("copy_file_range/64K", "EINVAL"), ("pread_pwrite/64K", "ESPIPE"),
                             ("reflink", "EXDEV"), ("msg_zerocopy/64K", "EOPNOTSUPP")):
            self.assertFalse(rows[label]["supported"])
            self.assertIn(errno, rows[label]["error"])

    def test_a_users_file_is_moved_and_not_changed(self):
        path = self.directory / "mine"
        content = os.urandom(300007)
        path.write_bytes(content)
        rows, report = self.compare("--from", path, "--to", "file", "--runs", "1",
                                    "--methods", "copy_file_range/whole,sendfile/64K")
        self.assertEqual(report["source"]["path"], str(path))
        self.assertEqual(report["source"]["bytes"], 300007)
        self.assertTrue(all(row["verified"] for row in rows.values()))
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual(list(self.directory.iterdir()), [path])

    def test_cold_reads_come_from_the_disk(self):
        rows, _ = self.compare("--size", "4M", "--runs", "1", "--cold", "--to", "null",
                               "--methods", "read_write/64K")
        self.assertTrue(rows["read_write/64K"]["supported"])

    def test_a_splicing_reader(self):
        rows, report = self.compare("--size", "4M", "--runs", "1", "--drain", "splice",
                                    "--methods", "sendfile/whole")
        self.assertIn("splices", report["drain"])
        self.assertTrue(rows["sendfile/whole"]["verified"])

    def test_sorted_by_syscalls(self):
        _, report = self.compare("--size", "1M", "--runs", "1", "--sort", "syscalls", "--methods",
                                 "read_write/4K,sendfile/whole,read_write/64K")
        self.assertEqual([row["label"] for row in report["methods"]],
                         ["sendfile/whole", "read_write/64K", "read_write/4K"])

    def test_the_table_and_the_other_formats(self):
        text = self.directory / "table.md"
        rows = self.directory / "rows.csv"
        done = subprocess.run([ZCTRACE, "compare", "--size", "4M", "--runs", "2", "--methods",
                               "read_write/4K,sendfile/whole,copy_file_range/64K", "--markdown", text,
                               "--csv", rows], capture_output=True, text=True,
                              timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertIn("sendfile/whole used 1 syscall and ", done.stdout)
        self.assertIn("EINVAL", done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn("| sendfile | whole |", text.read_text())
        parsed = list(csv.DictReader(io.StringIO(rows.read_text())))
        self.assertEqual([row["method"] for row in parsed],
                         ["read_write", "sendfile", "copy_file_range"])
        self.assertEqual(parsed[1]["syscalls"], "1")
        self.assertEqual(parsed[2]["supported"], "false")

    def test_a_full_disk_is_an_error_of_its_row(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        # In a mount namespace of its own, so that nothing can stay mounted.
        script = ("mount -t tmpfs -o size=2M none {0} && exec {1} compare --from tmpfs --size 8M "
                  "--runs 1 --to file:{0} --methods read_write/64K,sendfile/64K --json - -q"
                  ).format(self.directory, ZCTRACE)
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True,
                              timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1, done.stderr)
        for row in json.loads(done.stdout)["methods"]:
            self.assertIn("ENOSPC", row["error"])

    def test_usage_errors(self):
        for options, text in ((["--size", "12Q"], "12Q"), (["--size", "0"], "must be greater than 0"),
                              (["--methods", "teleport"], "teleport"), (["--to", "moon"], "moon"),
                              (["--buffers", "-4K"], "-4K"), (["--runs", "0"], "--runs"),
                              (["--methods", "sendfile", "--baseline", "splice/4K"], "splice/4K"),
                              (["--drain", "drink"], "--drain")):
            with self.subTest(options=options):
                done = subprocess.run([ZCTRACE, "compare", *options], capture_output=True,
                                      text=True, timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(text, done.stderr)

    def test_a_missing_source_is_one_clear_line(self):
        done = subprocess.run([ZCTRACE, "compare", "--from", "/nonexistent"],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent: No such file", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_an_interrupt_leaves_nothing_behind(self):
        before = self.temporary_files()
        report = self.directory / "never.json"
        process = self.start([ZCTRACE, "compare", "--size", "64M", "--runs", "1000",
                              "--json", report], start_new_session=True)
        self.wait_until(lambda: children(process.pid), "a transfer begins")
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE_S), 130)
        self.assertFalse(report.exists())
        self.assertEqual(self.temporary_files() - before, set())

    @staticmethod
    def temporary_files():
        return set(pathlib.Path("/var/tmp").glob("zctrace-??????"))

    def test_sigkill_leaves_nothing_behind(self):
        process = self.start([ZCTRACE, "compare", "--size", "64M", "--runs", "1000"],
                             start_new_session=True)
        pids = self.wait_until(lambda: children(process.pid), "a transfer begins")
        process.kill()
        for pid in pids:
            self.assert_gone(pid)
