# SPDX-License-Identifier: MIT
"""Processes and threads of a command, in every way they begin and end."""

import subprocess

from harness import ALL, TestCase, in_both_modes
from paths import PATIENCE_S, ZCTRACE
from processes import is_running
from report import Report


class Descendants(TestCase):
    """A child is observed before it runs, whatever call created it."""

    def observe_spawner(self, method, mode):
        observed = self.observe_fixture("spawner", method, mode=mode)
        parent, *children = observed.report.processes
        self.assertEqual({child["parent_pid"] for child in children}, {parent["pid"]})
        self.assertEqual({child["name"] for child in children}, {"spawner"})
        self.assertEqual(sorted(int(child["argv"][2]) for child in children), list(range(3, 14)))
        for child in children:
            with self.subTest(argv=child["argv"]):
                writes = [row for row in child["rows"] if row["syscall"] == "write"]
                own = 7 if method != "posix_spawn" else 0
                self.assertEqual(sum(row["bytes"] for row in writes),
                                 5 * int(child["argv"][2]) + own)
        return observed

    @in_both_modes
    def test_fork_and_exec(self, mode):
        self.observe_spawner("fork", [*mode, *ALL])

    @in_both_modes
    def test_vfork_and_exec(self, mode):
        self.observe_spawner("vfork", [*mode, *ALL])

    @in_both_modes
    def test_clone3_and_exec(self, mode):
        self.observe_spawner("clone3", [*mode, *ALL])

    @in_both_modes
    def test_posix_spawn(self, mode):
        self.observe_spawner("posix_spawn", mode)

    def test_vfork_waits_in_no_io_call(self):
        observed = self.observe_fixture("spawner", "vfork", mode=ALL)
        parent = observed.report.processes[0]
        waited = {row["syscall"] for row in parent["rows"] if row["voluntary_switches"]}
        self.assertIn("vfork", waited)
        self.assertNotIn("write", waited)

    @in_both_modes
    def test_four_generations(self, mode):
        observed = self.observe_fixture("generations", mode=mode)
        processes = observed.report.processes
        for parent, child in zip(processes, processes[1:]):
            self.assertEqual(child["parent_pid"], parent["pid"])
        devices = [sum(row["calls"] for row in process["rows"] if row["to"] == "device")
                   for process in processes]
        self.assertEqual(devices, [1, 10, 100, 1000])

    @in_both_modes
    def test_no_follow_leaves_descendants_out(self, mode):
        observed = self.observe(self.program("generations"), mode=[*mode, "--no-follow"])
        self.assertEqual(len(observed.report.processes), 1)
        self.assertEqual(observed.report.data_rows()["write", "user", "device"],
                         {"calls": 1, "errors": 0, "restarts": 0, "bytes": 3})

    def test_no_follow_keeps_the_threads(self):
        self.observe_fixture("threads", "joined", mode=["--no-follow"])

    @in_both_modes
    def test_300_short_lived_children(self, mode):
        observed = self.observe_fixture("many_children", mode=mode)
        for number, child in enumerate(observed.report.processes[1:]):
            (row,) = [row for row in child["rows"] if row["syscall"] == "write"]
            self.assertEqual((row["calls"], row["bytes"]),
                             (number % 17 + 1, (number % 17 + 1) * (number % 101 + 1)))

    @in_both_modes
    def test_child_that_outlives_its_parent(self, mode):
        self.observe_fixture("orphan", "waited", mode=mode)

    @in_both_modes
    def test_wait_includes_a_child_that_outlives_the_command(self, mode):
        self.observe_fixture("orphan", "outlives", mode=[*mode, "--wait"])

    @in_both_modes
    def test_child_that_outlives_the_command_does_not_hold_the_report(self, mode):
        told = self.make_fifo()
        # The report comes while the child still waits at the FIFO.
        observed = self.observe(self.program("orphan"), "left", told, mode=mode)
        processes = observed.report.processes
        self.assertEqual(len(processes), 2)
        left = processes[1]
        self.assertIsNone(left["exit_code"])
        self.assertIsNone(left["ended_ns"])
        self.assertTrue(is_running(left["pid"]))
        self.assertEqual(observed.report["completeness"]["in_flight_at_end"], 1)
        self.assertNotIn(("write", "user", "device"), observed.report.data_rows())
        self.open_fifo(told)
        self.assert_gone(left["pid"])


class Threads(TestCase):
    """The counts of a task outlive it, however it ends."""

    @in_both_modes
    def test_threads_that_exit_during_the_run(self, mode):
        observed = self.observe_fixture("threads", "joined", mode=mode)
        self.assertEqual(len(observed.report.processes), 1)

    @in_both_modes
    def test_leader_that_exits_before_its_threads(self, mode):
        self.observe_fixture("threads", "leader", mode=mode)

    @in_both_modes
    def test_exit_group_while_threads_block_in_reads(self, mode):
        self.observe_fixture("threads", "group", mode=mode)

    @in_both_modes
    def test_exec_from_a_thread_that_is_not_the_leader(self, mode):
        observed = self.observe_fixture("exec_from_thread", mode=[*mode, *ALL])
        (process,) = observed.report.processes
        self.assertEqual(process["argv"][3], str(process["pid"]))

    @in_both_modes
    def test_killed_inside_blocking_reads(self, mode):
        observed = self.observe_fixture("killed", mode=mode)
        self.assertEqual([process["exit_code"] for process in observed.report.processes],
                         [0, 128 + 9])

    @in_both_modes
    def test_status_of_a_process_whose_first_thread_left_before(self, mode):
        path = self.directory / "report.json"
        done = self.zctrace("run", *mode, "--json", path, "--", self.program("leader_leaves"))
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual([process["exit_code"] for process in Report(path.read_text()).processes],
                         [7])

    def test_rows_by_thread(self):
        observed = self.observe(self.program("threads"), "joined", mode=["--by", "thread"])
        tasks = observed.report.processes
        self.assertEqual(len(tasks), 14)
        self.assertEqual(len({task["tid"] for task in tasks}), 14)
        self.assertEqual(len({task["pid"] for task in tasks}), 1)
        for task in tasks[1:]:
            with self.subTest(tid=task["tid"]):
                counts = {row["syscall"]: (row["calls"], row["bytes"]) for row in task["rows"]
                          if "device" in (row["from"], row["to"])}
                self.assertEqual(counts, {"read": (101, 707), "write": (103, 1133)})


class Bystanders(TestCase):
    """Only the command and its descendants are counted."""

    def test_other_processes_are_not_counted(self):
        noise = self.start(["dd", "if=/dev/zero", "of=/dev/null", "bs=1"],
                           stderr=subprocess.DEVNULL)
        observed = self.observe_fixture("generations")
        self.assertTrue(is_running(noise.pid))
        self.assertNotIn(noise.pid, [process["pid"] for process in observed.report.processes])

    def test_two_at_once_count_their_own(self):
        paths = [self.directory / name for name in ("one", "two")]
        threads = self.program("threads")
        runs = [self.start([ZCTRACE, "run", "-q", "--json", path, "--", threads, "joined"],
                           stdout=subprocess.PIPE, text=True) for path in paths]
        for run, path in zip(runs, paths):
            stdout = run.communicate(timeout=PATIENCE_S)[0]
            self.assert_known(threads, Report(path.read_text()), stdout)
