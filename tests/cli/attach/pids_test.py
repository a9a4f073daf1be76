# SPDX-License-Identifier: MIT
"""`zctrace attach -p`: counts are exact from attach to detach."""

import pathlib
import signal

from attached import Attach
from harness import in_both_modes


class Pids(Attach):
    @in_both_modes
    def test_exact_from_attach_to_detach(self, mode):
        target = self.commanded()
        self.tell(target, "write 101 3")
        attached = self.attach("-p", target.pid, *mode)
        self.tell(target, "write 1009 7")
        report = self.detach(attached)
        self.tell(target, "write 103 11")
        self.assertEqual(self.pids(report), {target.pid})
        self.assert_writes(report.totals, 1009, 7063)
        process = report.process(target.pid)
        self.assertEqual(process["name"], "commanded")
        self.assertEqual(process["argv"], [str(self.program("commanded"))])
        self.assertIsNone(process["exit_code"])

    def test_attaching_repeatedly(self):
        target = self.commanded()
        for writes in (101, 103, 107):
            attached = self.attach("-p", target.pid)
            self.tell(target, f"write {writes} 5")
            self.assert_writes(self.detach(attached).totals, writes, writes * 5)

    def test_two_observers_at_once(self):
        target = self.commanded()
        one = self.attach("-p", target.pid)
        self.tell(target, "write 101 5")
        other = self.attach("-p", target.pid, "--no-latency")
        self.tell(target, "write 103 5")
        self.assert_writes(self.detach(one).totals, 204, 1020)
        self.tell(target, "write 107 5")
        self.assert_writes(self.detach(other).totals, 210, 1050)

    def test_several_pids(self):
        targets = [self.commanded() for _ in range(4)]
        one, two, three, _ = [target.pid for target in targets]
        attached = self.attach("-p", f"{one},{two}", "-p", three)
        for writes, target in zip((101, 103, 107, 109), targets):
            self.tell(target, f"write {writes} 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {one, two, three})
        for writes, pid in zip((101, 103, 107), (one, two, three)):
            self.assert_writes(report.process(pid), writes, writes * 5)

    def test_same_pid_twice_counts_once(self):
        target = self.commanded()
        attached = self.attach("-p", f"{target.pid},{target.pid}", "-n", "commanded")
        self.tell(target, "write 101 5")
        report = self.detach(attached)
        self.assert_writes(report.process(target.pid), 101, 505)

    def test_ends_when_the_last_target_does(self):
        targets = [self.commanded(), self.commanded()]
        attached = self.attach("-p", f"{targets[0].pid},{targets[1].pid}")
        self.tell(targets[0], "write 101 5")
        self.end(targets[0])
        self.tell(targets[1], "write 103 7")
        self.assertIsNone(attached.poll())
        self.end(targets[1])
        report = self.end_of(attached)
        self.assert_writes(report.process(targets[0].pid), 101, 505)
        self.assert_writes(report.process(targets[1].pid), 103, 721)
        self.assertEqual(report.process(targets[0].pid)["exit_code"], 0)

    def test_target_that_is_killed(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid)
        self.tell(target, "write 1009 7")
        target.kill()
        target.wait()
        report = self.end_of(attached)
        self.assert_writes(report.totals, 1009, 7063)
        self.assertEqual(report.process(target.pid)["exit_code"], 128 + signal.SIGKILL)

    def test_signals_end_attach_with_a_report(self):
        target = self.commanded()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                attached = self.attach("-p", target.pid)
                self.tell(target, "write 101 5")
                self.assert_writes(self.detach(attached, number).totals, 101, 505)

    def test_killed_observer_leaves_the_target_alone(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid)
        attached.kill()
        attached.wait()
        self.tell(target, "write 101 5")
        self.end(target)


class Threads(Attach):
    @in_both_modes
    def test_existing_threads(self, mode):
        target = self.commanded()
        self.tell(target, "threads 13")
        attached = self.attach("-p", target.pid, *mode)
        self.tell(target, "each 103 11")
        report = self.detach(attached)
        self.assert_writes(report.totals, 13 * 103, 13 * 103 * 11)
        self.assertEqual(report.totals["threads"], 14)

    def test_by_thread(self):
        target = self.commanded()
        self.tell(target, "threads 5")
        tasks = {int(task.name) for task in pathlib.Path(f"/proc/{target.pid}/task").iterdir()}
        attached = self.attach("-p", target.pid, "--by", "thread")
        self.tell(target, "each 103 11")
        report = self.detach(attached)
        self.assertEqual({process["tid"] for process in report.processes}, tasks)
        for process in report.processes:
            writes = 0 if process["tid"] == target.pid else 103
            self.assert_writes(process, writes, writes * 11)

    def test_threads_that_start_later(self):
        target = self.commanded()
        self.tell(target, "threads 3")
        attached = self.attach("-p", target.pid)
        self.tell(target, "threads 4", "each 103 11", "spawn 107 5")
        report = self.detach(attached)
        self.assert_writes(report.totals, 7 * 103 + 2 * 107, 7 * 103 * 11 + 2 * 107 * 5)

    def test_no_follow_still_follows_threads(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid, "--no-follow")
        self.tell(target, "threads 4", "each 103 11")
        self.assert_writes(self.detach(attached).totals, 4 * 103, 4 * 103 * 11)


class Descendants(Attach):
    @in_both_modes
    def test_existing_descendants(self, mode):
        target = self.commanded()
        self.tell(target, "fork 5")
        attached = self.attach("-p", target.pid, *mode)
        self.tell(target, "children 103 11")
        report = self.detach(attached)
        self.assertEqual(len(report.processes), 6)
        self.assert_writes(report.totals, 5 * 103, 5 * 103 * 11)
        for process in report.processes:
            if process["pid"] != target.pid:
                self.assertEqual(process["parent_pid"], target.pid)
                self.assert_writes(process, 103, 103 * 11)

    def test_descendants_that_start_later(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid)
        self.tell(target, "fork 5", "children 103 11", "spawn 107 5")
        self.end(target)
        report = self.end_of(attached)
        self.assertEqual(len(report.processes), 7)
        self.assert_writes(report.totals, 5 * 103 + 2 * 107, 5 * 103 * 11 + 2 * 107 * 5)

    def test_no_follow_leaves_descendants_out(self):
        target = self.commanded()
        self.tell(target, "fork 3")
        attached = self.attach("-p", target.pid, "--no-follow")
        self.tell(target, "children 103 11", "fork 2", "children 107 5", "write 109 3")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {target.pid})
        self.assert_writes(report.totals, 109, 327)
