# SPDX-License-Identifier: MIT
"""`zctrace attach -G` and `--unit`: the processes of a cgroup or a systemd unit."""

import contextlib
import json
import os
import pathlib
import signal
import tempfile

from attached import Attach
from cgroup_tree import cgroup_mount
from harness import in_both_modes
from paths import PATIENCE_S
from report import reports_of, whole_lines


class Cgroups(Attach):
    """Each test makes cgroups below the mount point of version 2."""

    def setUp(self):
        super().setUp()
        self.mount = cgroup_mount(self)
        try:
            self.top = pathlib.Path(tempfile.mkdtemp(prefix="zctrace-test-", dir=self.mount))
        except OSError as error:
            self.skipTest(f"no cgroup can be made: {error}")
        self.unit = self.top.name  # no other cgroup has this name
        self.addCleanup(self.remove, self.top)

    def remove(self, top):
        """Removes a cgroup and those below; remaining processes move to the root."""
        for directory, _, _ in os.walk(top, topdown=False):
            for pid in self.processes_in(pathlib.Path(directory)):
                with contextlib.suppress(ProcessLookupError):
                    (self.mount / "cgroup.procs").write_text(pid)
            self.wait_until(lambda directory=directory: self.removed(directory), "cgroup is gone")

    @staticmethod
    def processes_in(cgroup):
        try:
            return (cgroup / "cgroup.procs").read_text().split()
        except OSError:  # EOPNOTSUPP: it is threaded
            return []

    @staticmethod
    def removed(directory):
        # A process that has just ended still keeps it busy.
        with contextlib.suppress(OSError):
            os.rmdir(directory)
        return not os.path.exists(directory)

    def cgroup(self, name):
        path = self.top / name
        path.mkdir(parents=True)
        return path

    @staticmethod
    def move(process, cgroup):
        (cgroup / "cgroup.procs").write_text(str(process.pid))

    def commanded_in(self, cgroup, name=None):
        process = self.commanded(name)
        self.move(process, cgroup)
        return process

    @in_both_modes
    def test_cgroups_below_are_included(self, mode):
        inside = self.commanded_in(self.cgroup("one"))
        below = self.commanded_in(self.cgroup("one/two/three"))
        beside = self.commanded_in(self.cgroup("onetwo"))
        attached = self.attach("-G", self.top / "one", *mode)
        for writes, target in zip((101, 103, 107), (inside, below, beside)):
            self.tell(target, f"write {writes} 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {inside.pid, below.pid})
        self.assert_writes(report.process(inside.pid), 101, 505)
        self.assert_writes(report.process(below.pid), 103, 515)

    @in_both_modes
    def test_owners_are_those_of_the_cgroups(self, mode):
        container = "0123456789abcdef" * 4
        inside = self.commanded_in(self.cgroup(f"docker-{container}.scope"))
        served = self.commanded_in(self.cgroup("zctrace-test.service"))
        beside = self.commanded_in(self.cgroup("neither"))
        attached = self.attach("-G", self.top, *mode)
        for target in (inside, served, beside):
            self.tell(target, "write 3 5")
        self.end(inside)
        report = self.detach(attached)
        self.assertEqual(report.process(inside.pid)["owner"], {"container_id": container})
        self.assertEqual(report.process(served.pid)["owner"], {"unit": "zctrace-test.service"})
        self.assertNotIn("owner", report.process(beside.pid))
        table = self.zctrace("report", "--by", "process", attached.report_path).stdout
        self.assertIn(f"in {container}", "".join(table.split("\n")))

    def test_path_relative_to_the_hierarchy(self):
        target = self.commanded_in(self.cgroup("one"))
        attached = self.attach("-G", f"/{self.top.name}/one")
        self.tell(target, "write 101 5")
        self.assert_writes(self.detach(attached).totals, 101, 505)

    def test_process_that_moves_in_later(self):
        cgroup = self.cgroup("one")
        attached = self.attach("-G", cgroup, "-i", "100ms")
        target = self.commanded()
        self.tell(target, "write 97 5")
        self.move(target, cgroup)

        def found():
            return any(process["pid"] == target.pid and self.null_writes(process)[0]
                       for line in whole_lines(attached.report_path)
                       for process in json.loads(line)["processes"])

        def told_and_found():
            self.tell(target, "write 1 1")
            return found()

        self.wait_until(told_and_found, "the new task is found")
        self.tell(target, "write 101 5")
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        reports = reports_of(attached.report_path)
        moved = sum(self.null_writes(report.totals)[1] for report in reports)
        ones = sum(self.null_writes(report.totals)[0] for report in reports) - 101
        self.assertEqual(moved, 505 + ones)
        self.assertGreater(ones, 0)

    def test_process_that_starts_inside_later(self):
        cgroup = self.cgroup("one")
        attached = self.attach("-G", cgroup)
        target = self.start(["sh", "-c", 'echo $$ >"$1"; exec "$2"', "sh", cgroup / "cgroup.procs",
                             self.program("commanded")], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(target.stdout, "ok")
        self.tell(target, "write 101 5")
        self.end(target)
        # A cgroup may fill again: it does not end by itself.
        self.assertIsNone(attached.poll())
        report = self.detach(attached)
        self.assert_writes(report.process(target.pid), 101, 505)

    @in_both_modes
    def test_ends_with_its_cgroup(self, mode):
        cgroup = self.cgroup("one")
        targets = [self.commanded_in(cgroup), self.commanded_in(self.cgroup("one/two"))]
        attached = self.attach("-G", cgroup, *mode)
        for target in targets:
            self.tell(target, "write 101 5", "spawn 103 7")
            self.end(target)
        self.assertIsNone(attached.poll())
        for directory in (cgroup / "two", cgroup):
            self.wait_until(lambda directory=directory: self.removed(directory), "it is removed")
        report = self.end_of(attached)
        self.assert_writes(report.totals, 2 * (101 + 2 * 103), 2 * (505 + 2 * 721))
        self.assertEqual([process["exit_code"] for process in report.processes], [0] * 4)

    def test_unit_that_is_restarted(self):
        """Its new cgroup has the old name."""
        cgroup = self.cgroup(f"{self.unit}.service")
        other = self.commanded()
        before = self.commanded_in(cgroup)
        # While the other target runs, attach does not end in between.
        attached = self.attach("--unit", self.unit, "-p", other.pid, "-i", "50ms")
        self.tell(before, "write 101 5")
        self.end(before)
        self.wait_until(lambda: self.removed(cgroup), "it is removed")
        later = self.commanded_in(self.cgroup(f"{self.unit}.service"))

        def told_and_found():
            self.tell(later, "write 1 1")
            return any(process["pid"] == later.pid and self.null_writes(process)[0]
                       for line in whole_lines(attached.report_path)
                       for process in json.loads(line)["processes"])

        self.wait_until(told_and_found, "the new one is found")
        # From here on a process is observed from its fork: the hooks know the new cgroup.
        self.tell(later, "spawn 103 5")
        for process in (later, other):
            self.end(process)
        self.assertIsNone(attached.poll())
        self.wait_until(lambda: self.removed(cgroup), "it is removed")
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        calls = {}
        for report in reports:
            for process in report.processes:
                calls[process["pid"]] = (calls.get(process["pid"], 0) +
                                         self.null_writes(process)[0])
        self.assertEqual(calls.pop(before.pid), 101)
        self.assertGreater(calls.pop(later.pid), 103)
        self.assertEqual([count for count in calls.values() if count], [103])

    def test_unit_that_is_stopped(self):
        cgroup = self.cgroup(f"{self.unit}.service")
        target = self.commanded_in(cgroup)
        attached = self.attach("--unit", self.unit)
        self.tell(target, "write 101 5")
        self.end(target)
        self.wait_until(lambda: self.removed(cgroup), "it is removed")
        self.assert_writes(self.end_of(attached).totals, 101, 505)

    def test_process_that_moves_out_is_observed_to_its_end(self):
        cgroup = self.cgroup("one")
        target = self.commanded_in(cgroup)
        attached = self.attach("-G", cgroup)
        self.move(target, self.cgroup("elsewhere"))
        self.wait_until(lambda: self.removed(cgroup), "it is removed")
        self.tell(target, "write 101 5")
        self.assertIsNone(attached.poll())
        self.end(target)
        self.assert_writes(self.end_of(attached).totals, 101, 505)

    def test_unit(self):
        name = f"{self.unit}.service"
        target = self.commanded_in(self.cgroup(f"system.slice/{name}"))
        below = self.commanded_in(self.cgroup(f"system.slice/{name}/worker"))
        other = self.commanded_in(self.cgroup("system.slice/other.service"))
        for unit in (name, name.removesuffix(".service")):
            with self.subTest(unit=unit):
                attached = self.attach("--unit", unit)
                self.tell(target, "write 101 5")
                self.tell(below, "write 103 5")
                self.tell(other, "write 107 5")
                report = self.detach(attached)
                self.assertEqual(self.pids(report), {target.pid, below.pid})
                self.assert_writes(report.totals, 204, 1020)

    def test_all_kinds_of_targets_together(self):
        by_pid = self.commanded("delta")
        by_name = self.commanded("alpha-one")
        by_cgroup = self.commanded_in(self.cgroup("one"))
        by_unit = self.commanded_in(self.cgroup(f"{self.unit}.service"))
        # It matches three targets and is counted once.
        by_three = self.commanded_in(self.top / "one", "alpha-two")
        by_none = self.commanded("epsilon")
        attached = self.attach("-p", f"{by_pid.pid},{by_three.pid}", "-n", "alpha-*",
                               "-G", self.top / "one", "--unit", self.unit)
        targets = (by_pid, by_name, by_cgroup, by_unit, by_three, by_none)
        counts = (101, 103, 107, 109, 113, 127)
        for writes, target in zip(counts, targets):
            self.tell(target, f"write {writes} 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {target.pid for target in targets[:-1]})
        for writes, target in zip(counts, targets[:-1]):
            self.assert_writes(report.process(target.pid), writes, writes * 5)

    def threaded(self):
        """A threaded cgroup, a process outside of it, and that process's threads but the first."""
        cgroup = self.cgroup("threaded")
        target = self.commanded_in(self.top)
        self.tell(target, "threads 3")
        threads = {int(task.name) for task in pathlib.Path(f"/proc/{target.pid}/task").iterdir()}
        try:
            (cgroup / "cgroup.type").write_text("threaded")
        except OSError as error:
            self.skipTest(f"no threaded cgroup can be made: {error}")
        return cgroup, target, sorted(threads - {target.pid})

    @in_both_modes
    def test_threaded_cgroup_counts_the_threads_in_it(self, mode):
        cgroup, target, threads = self.threaded()
        for thread in threads[:2]:
            (cgroup / "cgroup.threads").write_text(str(thread))
        attached = self.attach("-G", cgroup, *mode)
        self.tell(target, "write 109 5", "each 103 11")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {target.pid})
        self.assertEqual(report.process(target.pid)["threads"], 2)
        self.assert_writes(report.process(target.pid), 2 * 103, 2 * 103 * 11)

    def test_threaded_cgroup_by_thread(self):
        cgroup, target, threads = self.threaded()
        for thread in threads[:2]:
            (cgroup / "cgroup.threads").write_text(str(thread))
        attached = self.attach("-G", cgroup, "--by", "thread")
        self.tell(target, "each 103 11")
        report = self.detach(attached)
        self.assertEqual([process["tid"] for process in report.processes], threads[:2])
        for thread in report.processes:
            self.assert_writes(thread, 103, 103 * 11)

    def test_threads_that_move_into_a_threaded_cgroup_have_one_process(self):
        cgroup, target, threads = self.threaded()
        attached = self.attach("-G", cgroup, "-i", "100ms")

        def observed(count):
            self.tell(target, "each 1 11")
            reports = reports_of(attached.report_path)
            return any(process["threads"] == count
                       for report in reports for process in report.processes)

        for count, thread in enumerate(threads[:2], start=1):
            (cgroup / "cgroup.threads").write_text(str(thread))
            self.wait_until(lambda count=count: observed(count), f"{count} threads are observed")
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        for report in reports_of(attached.report_path):
            self.assertIn([process["pid"] for process in report.processes], ([], [target.pid]))
