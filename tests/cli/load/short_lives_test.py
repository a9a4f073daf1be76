# SPDX-License-Identifier: MIT
"""Many short-lived processes and threads: the sums are exact, and memory does not grow."""

import json
import os
import pathlib
import signal

from accounts import BURSTS, LISTED_KIB, PROCESSES, THREADS, Accounted
from attached import NULL
from harness import in_both_modes
from paths import PATIENCE_S
from report import Report, merge, reports_of


class ShortLives(Accounted):
    """Twenty thousand processes, two thousand threads."""

    @in_both_modes
    def test_processes_of_run(self, mode):
        observed = self.observe_fixture("short_lived", "processes", PROCESSES, mode=mode)
        listed = observed.report.processes
        others = observed.report["other_processes"]
        self.assertLessEqual(len(listed), 1001)  # the command itself is one more
        self.assertEqual(len(listed) + others["count"], PROCESSES + 1)
        # In each figure that adds up, the totals are the sum of the listed and the other processes.
        for field in ("syscalls", "copied_bytes", "delivered_bytes", "threads", "user_ns",
                      "system_ns", "minor_faults", "voluntary_switches"):
            self.assertEqual(sum(process[field] for process in listed) + others[field],
                             observed.report.totals[field], field)
        # All processes that moved the most are listed: 17 writes of 101 bytes.
        most = [i for i in range(PROCESSES) if i % 17 == 16 and i % 101 == 100]
        written = [sum(row["bytes"] for row in process["rows"] if row["to"] == "device")
                   for process in listed]
        self.assertEqual(written.count(17 * 101), len(most))
        self.assertIn("(" + f"{others['count']:,} others)", observed.stderr)

    def test_all_processes_of_run(self):
        observed = self.observe_fixture("short_lived", "processes", 3000,
                                        mode=["--max-processes", "3000"])
        self.assertEqual(len(observed.report.processes), 3001)
        self.assertEqual(observed.report["other_processes"]["count"], 0)

    def test_commands_of_run(self):
        observed = self.observe_fixture("short_lived", "commands", 1500,
                                        mode=["--max-processes", "50"])
        words = {process["argv"][1] for process in observed.report.processes}
        self.assertEqual(words, {"commands", "command"})

    @in_both_modes
    def test_threads_of_run(self, mode):
        self.observe_fixture("short_lived", "threads", THREADS, mode=mode)

    def test_threads_by_thread(self):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--by", "thread", "--json", path, "--",
                            self.program("short_lived"), "threads", THREADS)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertEqual(report.process_count, THREADS + 1)
        (known,) = [row for row in json.loads(done.stdout)["rows"] if tuple(row[:3]) == NULL]
        self.assertEqual(report.data_rows()[NULL]["calls"], known[3])
        self.assertEqual(report.data_rows()[NULL]["bytes"], known[6])
        # What is written to /dev/null is not delivered.
        self.assertEqual(report.totals["delivered_bytes"], len(done.stdout))

    @in_both_modes
    def test_attach_to_all_processes(self, mode):
        self.attach_to_all("processes", PROCESSES, mode)

    @in_both_modes
    def test_attach_to_all_threads(self, mode):
        self.attach_to_all("threads", THREADS, mode)

    def attach_to_all(self, kind, count, mode):
        target = self.short_lived(kind, count)
        # The list is long enough to hold all processes of the test.
        attached = self.attach("-a", "--max-processes", 10 * PROCESSES, *mode)
        known = self.let_live(target)
        report = json.loads(self.interrupt(attached))
        name = os.path.basename(target.args[0])
        mine = [process for process in report["processes"] if process["name"] == name]
        found = {}
        for process in mine:
            for row in process["rows"]:
                if row["copy"] != "none":
                    merge(found, (row["syscall"], row["from"], row["to"]), row)
        completeness = report["completeness"]
        self.assert_accounted(found, self.expected_rows(known, target.written), completeness)
        missing = known["processes"] - len(mine)
        self.assertLessEqual(missing, completeness["unfollowed_tasks"])
        if "threads" in known and completeness["unfollowed_tasks"] == 0:
            self.assertEqual(mine[0]["threads"], known["threads"])

    def test_processes_while_zctrace_is_stopped(self):
        """As on a machine so busy that zctrace does not get to run."""
        target = self.short_lived("processes", PROCESSES)
        attached = self.attach("-p", target.pid)
        attached.send_signal(signal.SIGSTOP)
        known = self.let_live(target)
        attached.send_signal(signal.SIGCONT)
        report = self.end_of(attached)  # nothing lost, every process compared
        self.assertEqual(report.process_count, PROCESSES + 1)
        self.assert_same_rows(report.data_rows(), self.expected_rows(known, target.written))

    def test_intervals_add_up(self):
        """A process that one interval lists and the next adds to the other processes counts once."""
        targets = [self.short_lived("processes", PROCESSES // 3) for _ in range(3)]
        attached = self.attach("-n", os.path.basename(targets[0].args[0]), "-i", "100ms",
                               "--max-processes", 7)
        expected = {}
        for target in targets:
            self.wait_for_intervals(attached.report_path, 1)
            known = self.let_live(target)
            for key, row in self.expected_rows(known, target.written).items():
                merge(expected, key, row)
        attached.wait(timeout=PATIENCE_S)
        intervals = reports_of(attached.report_path)
        self.assertGreaterEqual(len(intervals), 4)
        found, lost = {}, 0
        for interval in intervals:
            lost += interval["completeness"]["lost_events"]
            for key, row in interval.data_rows().items():
                merge(found, key, row)
            # The running processes, the 7, and the three commands.
            self.assertLess(len(interval.processes), 7 + 3 + 20)
        self.assertEqual(lost, 0)
        self.assert_same_rows(found, expected)


class Memory(Accounted):
    """How much memory zctrace holds after a burst."""

    def test_does_not_grow_with_ended_processes(self):
        keeper = self.short_lived("processes", 1)  # attach continues as long as it waits
        attached = self.attach("-n", os.path.basename(keeper.args[0]))

        def resident_kib():
            status = pathlib.Path(f"/proc/{attached.pid}/status").read_text()
            return int(next(line.split()[1] for line in status.splitlines()
                            if line.startswith("VmRSS:")))

        none = resident_kib()
        for _ in range(BURSTS):
            self.let_live(self.short_lived("processes", PROCESSES))
        self.wait_until(lambda: resident_kib() < none + LISTED_KIB, "it holds those that it lists")
        self.let_live(keeper)
        report = self.end_of(attached)
        # Each burst has the fixture itself too, and the keeper has one process.
        self.assertEqual(report.process_count, BURSTS * (PROCESSES + 1) + 2)
