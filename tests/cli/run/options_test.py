# SPDX-License-Identifier: MIT
"""The options of `zctrace run`: what is selected, how it is grouped, where it is written."""

import csv
import io
import os
import re
import stat

from harness import TestCase, in_both_modes
from report import Report
from strace import strace_counts


class Selection(TestCase):
    """-e selects the syscalls that have a row; it does not change the sums."""

    def names(self, selection, *command):
        observed = self.observe(*(command or ["cat", "/etc/passwd"]), mode=["-e", selection])
        return {row["syscall"] for row in observed.report.totals["rows"]}

    def test_list_of_names(self):
        self.assertEqual(self.names("write,openat"), {"write", "openat", "other"})

    def test_list_of_one(self):
        self.assertEqual(self.names("read"), {"read", "other"})

    def test_group_and_name_together(self):
        self.assertEqual(self.names("%zerocopy,openat"), {"openat", "other"})

    def test_copy_group(self):
        names = self.names("%copy")
        self.assertLessEqual({"read", "write", "pread64"}, names)
        self.assertNotIn("mmap", names)

    def test_zerocopy_group(self):
        copy = ["cp", "/etc/passwd", self.directory / "sink"]
        names = self.names("%zerocopy", *copy)
        self.assertIn("copy_file_range", names)
        self.assertNotIn("read", names)

    def test_io_group_is_the_default(self):
        default = self.observe("cat", "/etc/passwd").report
        self.assertEqual(self.names("%io"), {row["syscall"] for row in default.totals["rows"]})

    def test_all_leaves_nothing_to_other(self):
        names = self.names("%all")
        self.assertLessEqual({"execve", "read", "close", "mmap"}, names)
        self.assertNotIn("other", names)

    def test_long_option(self):
        observed = self.observe("true", mode=["--syscalls", "read"])
        self.assertIn("read", observed.report.calls())

    def test_sums_do_not_depend_on_the_selection(self):
        sums = set()
        for selection in ("%all", "%io", "%copy", "%zerocopy", "write", "openat,mmap"):
            totals = self.observe("cat", "/etc/passwd", mode=["-e", selection]).report.totals
            sums.add(tuple(totals[name] for name in (
                "syscalls", "crossings", "errors", "copied_bytes", "in_kernel_bytes",
                "delivered_bytes", "kernel_only_bytes", "kernel_only_share", "zero_copy_bytes",
                "zero_copy_share", "cpu_copied_bytes", "cpu_copies_per_byte")))
        self.assertEqual(len(sums), 1, sums)
        ((syscalls, crossings, _, copied, *_),) = sums
        self.assertEqual(crossings, 2 * syscalls)
        self.assertGreaterEqual(copied, 2 * os.path.getsize("/etc/passwd"))

    def test_share_does_not_depend_on_the_selection(self):
        source = self.directory / "source"
        source.write_bytes(bytes(1 << 20))
        # cp copies within the kernel, dd through user space.
        command = (f"cp {source} {self.directory}/one;"
                   f" dd if={source} of={self.directory}/two bs=64K 2>/dev/null")
        for selection in ("%zerocopy", "%copy", "openat"):
            totals = self.observe("sh", "-c", command, mode=["-e", selection]).report.totals
            self.assertGreaterEqual(totals["copied_bytes"], 2 << 20, selection)
            self.assertEqual(totals["delivered_bytes"], 2 << 20, selection)
            self.assertLessEqual(totals["kernel_only_share"], 0.5, selection)

    def test_options_are_in_the_json(self):
        report = self.observe("true", mode=["-e", "read", "--by", "flow", "--no-latency"]).report
        self.assertEqual(report["options"], {"syscalls": "read", "by": "flow", "timing": "none"})

    def test_calls_that_wait_have_a_row_of_their_own(self):
        report = self.observe("sleep", "0.05").report
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "wait"]
        by_strace = strace_counts("sleep", "0.05")
        # The C library's start makes a futex call, too.
        self.assertEqual(row["calls"], sum(
            by_strace.get(name, (0, 0))[0] for name in ("clock_nanosleep", "nanosleep", "futex")))
        # The time asleep is in this row, not in "other".
        self.assertGreater(row["off_cpu_ns"], 40_000_000)
        self.assertLessEqual(row["off_cpu_ns"], row["wall_ns"])

    def test_unknown_name(self):
        done = self.zctrace("run", "-e", "read,nosuchcall", "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nosuchcall", done.stderr)

    def test_empty_list(self):
        self.assertEqual(self.zctrace("run", "-e", "", "--", "true").returncode, 2)


class Latency(TestCase):
    def test_times_inside_calls(self):
        # Each call has a row: exit_group never returns, and its last switch is not counted.
        report = self.observe("dd", "if=/dev/zero", "of=/dev/null", "bs=64", "count=1009",
                              mode=["-e", "%all"]).report
        self.assertTrue(report["latency_measured"])
        self.assertGreater(len(report.totals["rows"]), 10)
        for row in report.totals["rows"]:
            if not row["calls"]:
                self.assertEqual(row["syscall"], "exit_group")
                continue
            latency = row["latency_ns"]
            if latency is None:  # the call began before observation
                self.assertEqual(row["syscall"], "execve")
                continue
            self.assertLessEqual(0, latency["p50"])
            self.assertLessEqual(latency["p50"], latency["p90"])
            self.assertLessEqual(latency["p90"], latency["p99"])
            self.assertLessEqual(latency["p99"], latency["max"])
            self.assertLessEqual(latency["max"], row["wall_ns"])
            self.assertLessEqual(row["wall_ns"], latency["max"] * row["calls"])
            self.assertLessEqual(row["off_cpu_ns"], row["wall_ns"])

    def test_blocked_time_is_that_of_the_call_that_blocked(self):
        # `sleep` sleeps in one call, at least for the requested time.
        report = self.observe("sleep", "0.05", mode=["-e", "%all"]).report
        (row,) = [row for row in report.totals["rows"] if "nanosleep" in row["syscall"]]
        self.assertGreaterEqual(row["wall_ns"], 50_000_000)
        self.assertGreater(row["off_cpu_ns"], row["wall_ns"] // 2)
        self.assertEqual(row["voluntary_switches"], 1)

    def test_no_latency_has_no_times(self):
        report = self.observe("cat", "/etc/passwd", mode=["--no-latency"]).report
        self.assertFalse(report["latency_measured"])
        for row in report.totals["rows"]:
            self.assertEqual((row["wall_ns"], row["off_cpu_ns"], row["latency_ns"]), (None,) * 3)
        self.assertIsNone(report.totals["outside_syscalls"]["off_cpu_ns"])
        for figure in ("wall_ns", "off_cpu_ns", "latency_ns"):
            self.assertIn("--no-latency", report["unknown"][figure])


class Tables(TestCase):
    """The table on standard error, and how --by groups it."""

    PIPELINE = ["sh", "-c", "cat /etc/passwd | cat >/dev/null"]

    def table(self, *options, command=PIPELINE):
        done = self.zctrace("run", *options, "--", *command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_default_has_rows_processes_and_completeness(self):
        table = self.table()
        for wanted in ("SYSCALL", "FLOW", "file -> user", "user -> pipe", "crossings",
                       "zero-copy share", "completeness", "0 events lost"):
            self.assertIn(wanted, table)

    def test_plain_table_without_a_terminal(self):
        self.assertTrue(self.table().isascii())

    def test_by_process(self):
        table = self.table("--by", "process")
        self.assertEqual(table.count("SYSCALL"), 4)  # three processes and the total
        self.assertIn("all together", table)

    def test_by_thread(self):
        done = self.zctrace("run", "--by", "thread", "--", self.program("threads"), "joined")
        self.assertEqual(len(re.findall(r"^ *\d+ .*threads", done.stderr, re.MULTILINE)), 14,
                         done.stderr)

    def test_by_syscall_adds_up_flows(self):
        table = self.table("--by", "syscall")
        self.assertNotIn("FLOW", table)
        self.assertEqual(len([line for line in table.splitlines() if line.startswith("read ")]), 1)

    def test_by_flow_adds_up_syscalls(self):
        table = self.table("--by", "flow")
        self.assertNotIn("SYSCALL", table.split("\n\n")[1])
        self.assertIn("file -> user", table)

    def test_by_an_unknown_grouping(self):
        done = self.zctrace("run", "--by", "colour", "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("colour", done.stderr)
        self.assertIn("Usage:", done.stderr)

    def test_quiet(self):
        self.assertEqual(self.table("-q"), "")
        self.assertEqual(self.table("--quiet"), "")

    def test_command_keeps_its_own_streams(self):
        done = self.zctrace("run", "-q", "--", "sh", "-c", "cat; echo err >&2", input="in\n",
                            stdin=None)
        self.assertEqual((done.stdout, done.stderr), ("in\n", "err\n"))


class Files(TestCase):
    """--json, --csv and --markdown: to files, to standard output, all at once."""

    def test_all_three_to_files(self):
        paths = {name: self.directory / name for name in ("json", "csv", "markdown")}
        words = [word for name, path in paths.items() for word in (f"--{name}", path)]
        done = self.zctrace("run", "-q", *words, "--", "cat", "/etc/passwd")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = Report(paths["json"].read_text())
        self.assert_csv_has(paths["csv"].read_text(), report)
        self.assertIn("|:---|", paths["markdown"].read_text())

    def assert_csv_has(self, text, report):
        rows = list(csv.DictReader(io.StringIO(text)))
        expected = [(process["pid"], row) for process in report.processes
                    for row in process["rows"]]
        self.assertEqual(len(rows), len(expected))
        for found, (pid, row) in zip(rows, expected):
            self.assertEqual(int(found["pid"]), pid)
            for name in ("syscall", "from", "to"):
                self.assertEqual(found[name], row[name])
            for name in ("calls", "errors", "restarts", "bytes", "wall_ns", "voluntary_switches",
                         "involuntary_switches"):
                self.assertEqual(int(found[name]), row[name])

    def test_json_to_standard_output(self):
        done = self.zctrace("run", "-q", "--json", "-", "--", "true")
        self.assertEqual(Report(done.stdout)["argv"], ["true"])

    def test_report_mixed_with_the_output_of_the_command_causes_a_warning(self):
        done = self.zctrace("run", "-q", "--json", "-", "--", "echo", "hello")
        self.assertIn("hello", done.stdout)
        self.assertIn("--json FILE keeps the report separate", done.stderr)
        done = self.zctrace("run", "-q", "--json", "-", "--", "true")
        self.assertEqual(done.stderr, "")

    def test_csv_to_standard_output(self):
        done = self.zctrace("run", "-q", "--csv", "-", "--", "true")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertIn("other", [row["syscall"] for row in rows])

    def test_markdown_to_standard_output(self):
        done = self.zctrace("run", "-q", "--markdown", "-", "--", "true")
        lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
        self.assertTrue(lines)
        for table in done.stdout.split("\n\n"):
            rows = [line for line in table.splitlines() if line.startswith("|")]
            # An escaped pipe does not end a column.
            columns = {line.replace("\\|", "").count("|") for line in rows}
            self.assertLessEqual(len(columns), 1, table)

    def test_table_and_json_together(self):
        done = self.zctrace("run", "--json", "-", "--", "true")
        Report(done.stdout)
        self.assertIn("SYSCALL", done.stderr)

    def test_report_replaces_a_longer_file(self):
        path = self.directory / "report"
        path.write_text("x" * 100_000)
        self.zctrace("run", "-q", "--json", path, "--", "true")
        Report(path.read_text())

    def test_report_into_a_device(self):
        done = self.zctrace("run", "-q", "--json", "/dev/stdout", "--", "true")
        Report(done.stdout)

    def test_report_keeps_the_modes_of_a_file(self):
        path = self.directory / "report"
        path.touch(mode=0o600)
        self.zctrace("run", "-q", "--json", path, "--", "true")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_full_device(self):
        done = self.zctrace("run", "-q", "--json", "/dev/full", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/dev/full", done.stderr)
        self.assertIn("No space left", done.stderr)

    def test_every_report_matches_the_schema(self):
        for words in (["true"], ["-e", "%all", "--", "cat", "/etc/passwd"], ["--", "false"],
                      ["--by", "thread", "--", self.program("threads"), "joined"],
                      ["--no-latency", "--", "cp", "/etc/passwd", self.directory / "copy"],
                      ["--", self.program("uring"), "splice", self.directory / "file"],
                      ["--", "sh", "-c", "kill -9 $$"]):
            with self.subTest(words=words):
                path = self.directory / "report.json"
                self.zctrace("run", "-q", "--json", path, *words)
                report = Report(path.read_text())
                totals = report.totals
                for name in ("calls", "errors", "bytes", "wall_ns", "voluntary_switches"):
                    self.assertEqual(sum(row[name] or 0 for row in totals["rows"]),
                                     sum(row[name] or 0 for process in report.processes
                                         for row in process["rows"]), name)
                self.assertEqual(totals["syscalls"],
                                 sum(process["syscalls"] for process in report.processes))


class Strict(TestCase):
    @in_both_modes
    def test_nothing_lost_is_not_an_error(self, mode):
        self.observe(self.program("many_children"), mode=[*mode, "--strict"])

    @in_both_modes
    def test_status_of_the_command_stays(self, mode):
        self.observe("sh", "-c", "exit 7", mode=[*mode, "--strict"], status=7)

    @in_both_modes
    def test_losses_are_counted_and_strict_fails(self, mode):
        path = self.directory / "report.json"
        program = self.program("lost_lengths")
        # As on a kernel that does not tell the lengths of messages.
        done = self.zctrace("run", *mode, "--strict", "--room", "claims=1", "--json", path, "--",
                            program)
        report = Report(path.read_text())
        known = self.assert_known(program, report, done.stdout)
        self.assertEqual(report["completeness"]["lost"]["message_lengths"], known["lost"])
        self.assertEqual(report["completeness"]["lost_events"], known["lost"])
        self.assertEqual(report["exit_code"], 0)
        self.assertEqual(done.returncode, 3)
        self.assertIn("1 event lost", done.stderr)
