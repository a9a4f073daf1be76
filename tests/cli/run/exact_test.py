# SPDX-License-Identifier: MIT
"""Counts of real commands, compared with strace, wait4 and the file system."""

import itertools
import json
import subprocess

from harness import TestCase, in_both_modes
from paths import PATIENCE_S, ZCTRACE
from report import Report
from strace import SILENT, strace_counts

BYTES = 1000003
# How often these are called, or return early, depends on scheduling, under any observer.
TIMING = {"futex", "restart_syscall", "rt_sigreturn", "sched_yield", "wait4"}


class Workload(TestCase):
    """A directory with a file of a known length and a small tree."""

    def setUp(self):
        super().setUp()
        self.source = self.directory / "source"
        self.sink = self.directory / "sink"
        self.source.write_bytes(bytes(itertools.islice(itertools.cycle(range(251)), BYTES)))
        self.tree = self.directory / "tree"
        for name, size in (("one/a", 17), ("one/b", 70001), ("two/c", 4096)):
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * size)

    def observe_silently(self, *command, mode):
        path = self.directory / "report.json"
        subprocess.run([ZCTRACE, "run", "-q", *mode, "--json", path, "--", *map(str, command)],
                       check=True, timeout=PATIENCE_S, **SILENT)
        return Report(path.read_text())


class LikeStrace(Workload):
    """Calls per syscall equal those of `strace -c -f`; both count at a call's exit."""

    def calls(self, command, mode):
        """syscall -> (calls, errors, restarts)"""
        report = self.observe_silently(*command, mode=["-e", "%all", *mode])
        self.assertEqual(report["completeness"]["lost_events"], 0)
        calls = {}
        for name, row in report.calls().items():
            if name.startswith("io_uring:") or not row["calls"]:
                continue
            # strace does not distinguish ioctl requests.
            name = name.split(":")[0]
            known = calls.get(name, (0, 0, 0))
            calls[name] = tuple(map(sum, zip(known, (row["calls"], row["errors"],
                                                     row["restarts"]))))
        return calls

    def compare(self, *command, mode, timing=frozenset()):
        """Compares calls and errors of each syscall; those in `timing` only need to occur."""
        by_strace = strace_counts(*command)
        calls = self.calls(command, mode)
        self.assertNotIn("other", calls)
        # strace counts a restart as an error.
        ours = {name: (count, errors + restarts)
                for name, (count, errors, restarts) in calls.items() if name not in timing}
        theirs = {name: counts for name, counts in by_strace.items() if name not in timing}
        self.assertEqual(ours, theirs)

    def compare_successes(self, *command, mode):
        """Compares only completed calls, as signals interrupt calls at random."""
        theirs = {name: count - errors for name, (count, errors) in strace_counts(*command).items()
                  if name not in TIMING}
        calls = self.calls(command, mode)
        self.assertNotIn("other", calls)
        ours = {name: count - errors - restarts
                for name, (count, errors, restarts) in calls.items() if name not in TIMING}
        self.assertEqual(ours, theirs)

    @in_both_modes
    def test_true(self, mode):
        self.compare("true", mode=mode)

    @in_both_modes
    def test_cp(self, mode):
        self.sink.touch()  # cp makes other calls for a new file
        self.compare("cp", self.source, self.sink, mode=mode)

    @in_both_modes
    def test_cat(self, mode):
        self.compare("cat", self.source, mode=mode)

    @in_both_modes
    def test_dd(self, mode):
        self.compare("dd", f"if={self.source}", f"of={self.sink}", "bs=4093", "count=211",
                     mode=mode)

    @in_both_modes
    def test_tar(self, mode):
        self.sink.touch()
        self.compare("tar", "--create", "--file", self.sink, self.tree, mode=mode)

    @in_both_modes
    def test_find(self, mode):
        self.compare("find", self.directory, "-name", "a", mode=mode)

    @in_both_modes
    def test_python(self, mode):
        self.sink.touch()
        program = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"
        self.compare("/usr/bin/python3", "-I", "-c", program, self.source, self.sink, mode=mode)

    @in_both_modes
    def test_sh_with_pipelines(self, mode):
        program = 'cat "$0"/one/a | cat > "$1"; head -c 5 "$0"/one/b; ls "$0" | wc -l'
        self.sink.touch()
        self.compare("sh", "-c", program, self.tree, self.sink, mode=mode, timing=TIMING)

    @in_both_modes
    def test_xargs_with_three_at_once(self, mode):
        names = self.directory / "names"
        names.write_text(f"{self.source}\n" * 7)
        self.compare_successes("xargs", "-a", names, "-P", "3", "-n", "1", "cat", mode=mode)

    @in_both_modes
    def test_300_children(self, mode):
        self.compare_successes(self.program("many_children"), mode=mode)

    @in_both_modes
    def test_vfork_and_exec(self, mode):
        self.compare(self.program("spawner"), "vfork", mode=mode, timing=TIMING)

    @in_both_modes
    def test_clone3_and_exec(self, mode):
        self.compare(self.program("spawner"), "clone3", mode=mode, timing=TIMING)

    @in_both_modes
    def test_threads(self, mode):
        self.compare(self.program("threads"), "joined", mode=mode, timing=TIMING)

    @in_both_modes
    def test_other_numbers(self, mode):
        # strace lists int 0x80 under names of its own; the sums are equal.
        command = [self.program("int80")]
        theirs = sum(count for count, _ in strace_counts(*command).values())
        report = self.observe_silently(*command, mode=mode)
        self.assertEqual(report.totals["syscalls"], theirs)


class LikeFileSizes(Workload):
    """Bytes equal what lies in the files afterwards."""

    @in_both_modes
    def test_cp(self, mode):
        report = self.observe("cp", self.source, self.sink, mode=mode).report
        self.assertEqual(self.sink.read_bytes(), self.source.read_bytes())
        self.assertEqual(report.bytes("copy_file_range", "file", "file") +
                         report.bytes("ioctl:FICLONE", "file", "file"), BYTES)
        self.assertEqual(report.totals["delivered_bytes"], BYTES)
        self.assertEqual(report.totals["kernel_only_share"], 1)
        clones = report.bytes("ioctl:FICLONE", "file", "file")
        self.assertEqual(report.totals["zero_copy_share"], clones / BYTES)

    @in_both_modes
    def test_cat_into_a_file(self, mode):
        with open(self.sink, "wb") as sink:
            report = self.observe("cat", self.source, mode=mode, stdout=sink).report
        self.assertEqual(report.totals["delivered_bytes"], BYTES)

    @in_both_modes
    def test_cat_into_a_pipe(self, mode):
        report = self.observe("cat", self.tree / "one/b", mode=mode).report
        self.assertEqual(report.bytes("write", "user", "pipe"), 70001)
        self.assertEqual(report.totals["zero_copy_share"], 0)

    @in_both_modes
    def test_dd(self, mode):
        observed = self.observe("dd", f"if={self.source}", f"of={self.sink}", "bs=4096",
                                mode=mode)
        rows = observed.report.data_rows()
        blocks = -(-BYTES // 4096)
        self.assertEqual(rows["write", "user", "file"],
                         {"calls": blocks, "errors": 0, "restarts": 0, "bytes": BYTES})
        loader = self.observe("dd", "of=/dev/null", mode=mode).report.data_rows()
        self.assertEqual(rows["read", "file", "user"]["bytes"],
                         BYTES + loader["read", "file", "user"]["bytes"])
        self.assertEqual(rows["read", "file", "user"]["calls"],
                         blocks + 1 + loader["read", "file", "user"]["calls"])

    @in_both_modes
    def test_dd_of_devices(self, mode):
        report = self.observe("dd", "if=/dev/zero", "of=/dev/null", "bs=1021", "count=997",
                              mode=mode).report
        row = {"calls": 997, "errors": 0, "restarts": 0, "bytes": 997 * 1021}
        self.assertEqual(report.data_rows()["read", "device", "user"], row)
        self.assertEqual(report.data_rows()["write", "user", "device"], row)

    @in_both_modes
    def test_tar(self, mode):
        report = self.observe("tar", "--create", "--file", self.sink, self.tree, mode=mode).report
        self.assertEqual(report.bytes("write", "user", "file"), self.sink.stat().st_size)

    @in_both_modes
    def test_python_copyfile(self, mode):
        program = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"
        report = self.observe("/usr/bin/python3", "-I", "-c", program, self.source, self.sink,
                              mode=mode).report
        self.assertEqual(report.bytes("sendfile", "file", "file"), BYTES)

    @in_both_modes
    def test_pipeline(self, mode):
        program = f"cat '{self.source}' | cat | cat > '{self.sink}'"
        report = self.observe("sh", "-c", program, mode=mode).report
        self.assertEqual(self.sink.read_bytes(), self.source.read_bytes())
        # Between the cats it is read and write; the last cat may splice into its file.
        into = sum(row["bytes"] for row in report.totals["rows"] if row["to"] == "pipe")
        out = sum(row["bytes"] for row in report.totals["rows"]
                  if row["from"] == "pipe" and row["copy"] != "none")
        self.assertEqual((into, out), (2 * BYTES, 2 * BYTES))
        self.assertEqual(len(report.processes), 4)

    @in_both_modes
    def test_xargs_with_three_at_once(self, mode):
        names = self.directory / "names"
        names.write_text(f"{self.tree}/one/b\n" * 7)
        report = self.observe("xargs", "-a", names, "-P", "3", "-n", "1", "cat", mode=mode).report
        self.assertEqual(report.bytes("write", "user", "pipe"), 7 * 70001)
        self.assertEqual(len(report.processes), 8)

    def proc_io(self, source, mode):
        """Bytes read and written by one process, as zctrace and as the kernel count them."""
        program = ("import sys; f = open('/proc/self/io', 'rb', buffering=0);"
                   "data = open(sys.argv[1], 'rb').read(); open(sys.argv[2], 'wb').write(data);"
                   "sys.stdout.write(f.read().decode())")
        observed = self.observe("/usr/bin/python3", "-I", "-c", program, source, self.sink,
                                mode=mode)
        io = dict(line.split(": ") for line in observed.stdout.splitlines())
        rows = observed.report.data_rows()
        read = sum(row["bytes"] for key, row in rows.items() if key[2] == "user")
        written = sum(row["bytes"] for key, row in rows.items() if key[1] == "user")
        # The process also read and wrote its own /proc file.
        text = len(observed.stdout)
        return read - text, written - text, int(io["rchar"]), int(io["wchar"])

    @in_both_modes
    def test_proc_io_counts_the_same(self, mode):
        empty = self.directory / "empty"
        empty.touch()
        read, written, rchar, wchar = self.proc_io(self.source, mode)
        self.assertEqual((written, wchar), (BYTES, BYTES))
        # The kernel's count of bytes read includes what execve read of the programs.
        read_before, _, rchar_before, _ = self.proc_io(empty, mode)
        self.assertEqual((read - read_before, rchar - rchar_before), (BYTES, BYTES))


class LikeWait4(Workload):
    """Switches, faults, times and peak RSS equal what the kernel counts of the command."""

    def compare(self, *command, mode):
        observed = self.observe(self.program("usage"), *command, mode=mode)
        usage = json.loads(observed.stdout.splitlines()[-1])
        self.assertEqual(usage["status"], 0)
        processes = [process for process in observed.report.processes
                     if process["pid"] != usage["pid"]]

        def total(name):
            return sum(process[name] for process in processes)

        # A process leaves its CPU for the last time after its parent's wait may have returned: this
        # switch may or may not be in the numbers of wait4; zctrace leaves it out.
        last = usage["voluntary"] - total("voluntary_switches")
        self.assertTrue(0 <= last <= len(processes), f"{last} of {len(processes)} {usage}")
        # For the same reason wait4 may miss a preemption, also of a thread.
        tasks = total("threads")
        late = total("involuntary_switches") - usage["involuntary"]
        self.assertTrue(0 <= late <= tasks, f"{late} of {tasks} {usage}")
        self.assertEqual(total("minor_faults"), usage["minor_faults"])
        self.assertEqual(total("major_faults"), usage["major_faults"])
        self.assertEqual(max(process["max_rss_bytes"] for process in processes),
                         usage["max_rss_kib"] * 1024)
        # Both come from the scheduler's clock, zctrace's until the very end; each is rounded twice.
        cpu_us = (total("user_ns") + total("system_ns")) // 1000
        self.assertGreaterEqual(cpu_us + 2 * len(processes), usage["user_us"] + usage["system_us"])
        for process in processes:
            rows = process["rows"]
            for kind in ("voluntary_switches", "involuntary_switches"):
                self.assertEqual(sum(row[kind] for row in rows) + process["outside_syscalls"][kind],
                                 process[kind])
        return observed

    @in_both_modes
    def test_cp(self, mode):
        self.compare("cp", self.source, self.sink, mode=mode)

    @in_both_modes
    def test_pipeline_of_small_blocks(self, mode):
        program = f"dd if='{self.source}' bs=16 count=20000 | dd bs=16 of=/dev/null"
        self.compare("sh", "-c", program, mode=mode)

    @in_both_modes
    def test_threads(self, mode):
        self.compare(self.program("threads"), "joined", mode=mode)

    @in_both_modes
    def test_leader_that_exits_before_its_threads(self, mode):
        self.compare(self.program("threads"), "leader", mode=mode)

    @in_both_modes
    def test_interrupted_reads(self, mode):
        observed = self.compare(self.program("restarted"), "restart", mode=mode)
        (row,) = [row for row in observed.report.totals["rows"]
                  if (row["syscall"], row["from"]) == ("read", "pipe")]
        # The test saw it sleep before each signal and before the data.
        self.assertEqual(row["voluntary_switches"], 13 + 1)

    @in_both_modes
    def test_300_children(self, mode):
        self.compare(self.program("many_children"), mode=mode)

    @in_both_modes
    def test_children_by_vfork(self, mode):
        self.compare(self.program("spawner"), "vfork", mode=mode)

    @in_both_modes
    def test_io_uring_workers(self, mode):
        self.compare(self.program("uring"), "workers", self.sink, mode=mode)

    @in_both_modes
    def test_four_generations(self, mode):
        self.compare(self.program("generations"), mode=mode)
