# SPDX-License-Identifier: MIT
"""`zctrace attach`: who is observed, exactly from when to when, and that nobody notices."""

import contextlib
import itertools
import json
import mmap
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile

from harness import (PATIENCE_S, ZCTRACE, Report, Terminal, TestCase, in_both_modes, reports_of,
                     tool, waits_in_call, whole_lines)

NULL = ("write", "user", "device")


def capabilities(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return line
    return None


def switches(pid):
    """task -> how often it was switched out: unchanged, it did not run in between."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found[task.name] = [line for line in lines if "ctxt_switches" in line]
    return found


class Attach(TestCase):
    """Targets that do what they are told, and `zctrace attach` beside them."""

    def commanded(self, name=None):
        """The fixture, under a name of its own."""
        path = self.program("commanded")
        if name:
            copy = self.directory / name
            if not copy.exists():
                copy.write_bytes(path.read_bytes())
                copy.chmod(0o755)
            path = copy
        process = self.start([path], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ok")
        return process

    def tell(self, process, *lines):
        for line in lines:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            self.wait_for_line(process.stdout, "ok")

    def end(self, process):
        process.stdin.close()
        self.assertEqual(process.wait(timeout=PATIENCE_S), 0)

    def attach(self, *words, path=None):
        """Starts it, and returns when it observes: it drops its capabilities right after."""
        own = capabilities("self")
        path = path or self.directory / f"report-{len(list(self.directory.glob('report-*')))}"
        process = self.start([ZCTRACE, "attach", "-q", "--verify-counts", "--json", path, *words],
                             stdout=-1, stderr=-1, text=True)
        process.report_path = path

        def observes():
            if process.poll() is not None:
                self.fail(f"zctrace ended with {process.returncode}: {process.stderr.read()}")
            # Between fork and exec it is not zctrace yet.
            return (pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "zctrace\n"
                    and capabilities(process.pid) != own)

        self.wait_until(observes, "zctrace observes")
        return process

    def end_of(self, attached):
        """When it ends by itself."""
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0, errors)
        self.assertEqual(errors, "")
        report = Report(attached.report_path.read_text())
        self.assertEqual(report["command"], "attach")
        self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        self.assertEqual(report["completeness"]["unfollowed_tasks"], 0)
        self.assert_verified(report)
        return report

    def detach(self, attached, number=signal.SIGINT):
        attached.send_signal(number)
        return self.end_of(attached)

    @staticmethod
    def null_writes(process_or_totals):
        """(calls, bytes) of a process or the totals."""
        rows = [row for row in process_or_totals["rows"]
                if (row["syscall"], row["from"], row["to"]) == NULL]
        return sum(row["calls"] for row in rows), sum(row["bytes"] for row in rows)

    def assert_writes(self, process_or_totals, calls, moved):
        self.assertEqual(self.null_writes(process_or_totals), (calls, moved))

    def pids(self, report):
        return {process["pid"] for process in report.processes}


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

    def test_again_and_again(self):
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

    def test_several(self):
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

    def test_signals_end_it_with_a_report(self):
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
    def test_all_that_are_there(self, mode):
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

    def test_those_that_come_later(self):
        target = self.commanded()
        self.tell(target, "threads 3")
        attached = self.attach("-p", target.pid)
        self.tell(target, "threads 4", "each 103 11", "spawn 107 5")
        report = self.detach(attached)
        self.assert_writes(report.totals, 7 * 103 + 2 * 107, 7 * 103 * 11 + 2 * 107 * 5)

    def test_no_follow_means_processes_not_threads(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid, "--no-follow")
        self.tell(target, "threads 4", "each 103 11")
        self.assert_writes(self.detach(attached).totals, 4 * 103, 4 * 103 * 11)


class Descendants(Attach):
    @in_both_modes
    def test_those_that_are_there(self, mode):
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

    def test_those_that_come_later(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid)
        self.tell(target, "fork 5", "children 103 11", "spawn 107 5")
        self.end(target)
        report = self.end_of(attached)
        self.assertEqual(len(report.processes), 7)
        self.assert_writes(report.totals, 5 * 103 + 2 * 107, 5 * 103 * 11 + 2 * 107 * 5)

    def test_no_follow(self):
        target = self.commanded()
        self.tell(target, "fork 3")
        attached = self.attach("-p", target.pid, "--no-follow")
        self.tell(target, "children 103 11", "fork 2", "children 107 5", "write 109 3")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {target.pid})
        self.assert_writes(report.totals, 109, 327)


class Names(Attach):
    @in_both_modes
    def test_glob(self, mode):
        one, two, other = [self.commanded(name) for name in ("alpha-one", "alpha-two", "beta")]
        attached = self.attach("-n", "alpha-*", *mode)
        for writes, target in zip((101, 103, 107), (one, two, other)):
            self.tell(target, f"write {writes} 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {one.pid, two.pid})
        self.assert_writes(report.process(one.pid), 101, 505)
        self.assert_writes(report.process(two.pid), 103, 515)

    def test_executable_whose_process_has_another_name(self):
        target = self.commanded("a-rather-long-name-of-a-program")
        self.tell(target, "name elsewise")
        for glob in ("a-rather-long-name-of-a-program", "*-of-a-program", "else????"):
            with self.subTest(glob=glob):
                attached = self.attach("-n", glob)
                self.tell(target, "write 101 5")
                report = self.detach(attached)
                self.assertEqual(self.pids(report), {target.pid})
                self.assert_writes(report.totals, 101, 505)

    def test_name_of_a_thread_is_none_of_its_process(self):
        rename = ("import sys, threading\n"
                  "def run():\n"
                  "    open('/proc/thread-self/comm', 'w').write('worker-zz')\n"
                  "    print('ok', flush=True)\n"
                  "    sys.stdin.read()\n"
                  "threading.Thread(target=run).start()\n")
        process = self.start([sys.executable, "-c", rename], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ok")
        done = self.zctrace("attach", "-n", "worker-zz")
        self.assertEqual(done.returncode, 1, done.stderr)
        path = self.directory / "report.json"
        done = self.zctrace("attach", "-q", "-n", "worker-zz", "--wait", "-d", "200ms", "--json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(Report(path.read_text()).processes, [])

    def test_path_is_no_name(self):
        self.commanded("gamma")
        done = self.zctrace("attach", "-n", f"{self.directory}/gamma")
        self.assertEqual(done.returncode, 1)

    @in_both_modes
    def test_processes_that_start_later(self, mode):
        first = self.commanded("alpha-one")
        attached = self.attach("-n", "alpha-*", *mode)
        later = self.commanded("alpha-two")
        self.tell(later, "write 103 5")
        other = self.commanded("beta")
        self.tell(other, "write 107 5")
        self.end(later)
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {first.pid, later.pid})
        self.assert_writes(report.process(later.pid), 103, 515)
        self.assertEqual(report.process(later.pid)["argv"], [str(self.directory / "alpha-two")])

    def test_long_name_that_starts_later(self):
        name = "a-rather-long-name-of-a-program"
        first = self.commanded(name)
        attached = self.attach("-n", "a-rather-long-name-of-a-prog*")
        later = self.commanded(name)
        self.tell(later, "write 103 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {first.pid, later.pid})
        self.assert_writes(report.process(later.pid), 103, 515)

    def test_wait(self):
        attached = self.attach("-n", "alpha-later", "--wait")
        target = self.commanded("alpha-later")
        self.tell(target, "write 103 5")
        self.assertIsNone(attached.poll())
        self.end(target)
        report = self.end_of(attached)
        self.assertEqual(self.pids(report), {target.pid})
        self.assert_writes(report.totals, 103, 515)

    def test_many_that_come_and_go(self):
        first = self.commanded("alpha")
        attached = self.attach("-n", "alpha")
        for _ in range(31):
            later = self.commanded("alpha")
            self.tell(later, "write 13 5")
            self.end(later)
        self.end(first)
        report = self.end_of(attached)
        self.assertEqual(len(report.processes), 32)
        self.assert_writes(report.totals, 31 * 13, 31 * 65)


class Cgroups(Attach):
    """In cgroups of its own, below where version 2 is mounted."""

    def setUp(self):
        super().setUp()
        text = pathlib.Path("/proc/self/mountinfo").read_text()
        mounts = [line.split(" - ") for line in text.splitlines()]
        places = [fields.split()[4] for fields, kind in mounts if kind.startswith("cgroup2 ")]
        if not places:
            self.skipTest("cgroup v2 is not mounted")
        self.mount = pathlib.Path(places[0])
        try:
            self.top = pathlib.Path(tempfile.mkdtemp(prefix="zctrace-test-", dir=self.mount))
        except OSError as error:
            self.skipTest(f"no cgroup can be made: {error}")
        self.unit = self.top.name  # nobody else has one of that name
        self.addCleanup(self.remove, self.top)

    def remove(self, top):
        """Everything that was made in it; who is left inside goes to the root."""
        for directory, _, _ in os.walk(top, topdown=False):
            for pid in (pathlib.Path(directory) / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (self.mount / "cgroup.procs").write_text(pid)
            self.wait_until(lambda directory=directory: self.removed(directory), "cgroup is gone")

    @staticmethod
    def removed(directory):
        # A process that has just ended still holds it.
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
    def test_with_those_below(self, mode):
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

    def test_path_in_the_hierarchy(self):
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

        self.wait_until(told_and_found, "the newcomer is found")
        self.tell(target, "write 101 5")
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        reports = reports_of(attached.report_path)
        moved = sum(self.null_writes(report.totals)[1] for report in reports)
        ones = sum(self.null_writes(report.totals)[0] for report in reports) - 101
        self.assertEqual(moved, 505 + ones)
        self.assertGreater(ones, 0)

    def test_process_that_is_started_inside_later(self):
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
        """It has a new cgroup of the old name."""
        cgroup = self.cgroup(f"{self.unit}.service")
        other = self.commanded()
        before = self.commanded_in(cgroup)
        # While the other one runs, it does not end between the two.
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
        # From its fork on, from here on: the hooks know the new cgroup.
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

    def test_process_that_leaves_for_another_cgroup_is_observed_to_its_end(self):
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
        # Meant three times, counted once.
        by_three = self.commanded_in(self.top / "one", "alpha-two")
        nobody = self.commanded("epsilon")
        attached = self.attach("-p", f"{by_pid.pid},{by_three.pid}", "-n", "alpha-*",
                               "-G", self.top / "one", "--unit", self.unit)
        targets = (by_pid, by_name, by_cgroup, by_unit, by_three, nobody)
        counts = (101, 103, 107, 109, 113, 127)
        for writes, target in zip(counts, targets):
            self.tell(target, f"write {writes} 5")
        report = self.detach(attached)
        self.assertEqual(self.pids(report), {target.pid for target in targets[:-1]})
        for writes, target in zip(counts, targets[:-1]):
            self.assert_writes(report.process(target.pid), writes, writes * 5)


class Everybody(Attach):
    def test_all_but_zctrace(self):
        there = self.commanded()
        attached = self.attach("-a")
        later = self.commanded()
        self.tell(there, "write 101 5")
        self.tell(later, "write 103 5")
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        report = Report(attached.report_path.read_text())
        # What others do on this machine may be what is not compared exactly (docs/counting.md).
        self.assertEqual([found for found in report["completeness"]["verification"]["differences"]
                          if found["pid"] in (there.pid, later.pid)], [])
        self.assertNotIn(attached.pid, self.pids(report))
        self.assert_writes(report.process(there.pid), 101, 505)
        self.assert_writes(report.process(later.pid), 103, 515)
        # The tests themselves are somebody, too.
        self.assertIn(os.getpid(), self.pids(report))

    def test_who_is_born_while_the_programs_are_attached_is_seen_to_end(self):
        program = self.program("short_lived")
        for _ in range(5):
            # Far more than there is time for: thousands a second, until it is killed.
            parents = [self.start([program, "processes", 10000000]) for _ in range(2)]
            attached = self.attach("-a")
            for parent in parents:
                parent.kill()
                parent.wait()
            attached.send_signal(signal.SIGINT)
            attached.communicate(timeout=PATIENCE_S)
            report = Report(attached.report_path.read_text())
            self.assertGreater(report["other_processes"]["count"] + len(report.processes), 10)
            # Each parent may leave one, whom it was about to wait for.
            left = [process["pid"] for process in report.processes
                    if process["name"] == program.name and process["ended_ns"] is None]
            self.assertLessEqual(len(left), len(parents), left)


class Intervals(Attach):
    def test_duration(self):
        target = self.commanded()
        path = self.directory / "report.json"
        done = self.zctrace("attach", "-q", "-p", target.pid, "-d", "500ms", "--json", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = Report(path.read_text())
        self.assertGreaterEqual(report["duration_ns"], 500_000_000)
        self.assertIsNone(target.poll())

    def test_sums_of_the_intervals_are_the_whole(self):
        target = self.commanded()
        self.tell(target, "threads 3", "fork 2")
        whole = self.attach("-p", target.pid)
        attached = self.attach("-p", target.pid, "-i", "50ms")

        for _ in range(7):
            self.tell(target, "write 101 7", "each 103 11", "children 107 13", "spawn 109 3")
            self.wait_for_intervals(attached.report_path, 1)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        sums = [sum(column) for column in zip(*(self.null_writes(r.totals) for r in reports))]
        expected = (7 * (101 + 3 * 103 + 2 * 107 + 2 * 109),
                    7 * (707 + 3 * 1133 + 2 * 1391 + 2 * 327))
        self.assertEqual(tuple(sums), expected)
        self.assert_writes(self.detach(whole).totals, *expected)
        starts = [report["started_at"] for report in reports]
        self.assertEqual(starts, sorted(starts))
        for report in reports:
            self.assertGreater(report["duration_ns"], 0)
            self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])

    def test_idle_interval_has_no_processes(self):
        target = self.commanded()
        self.wait_until(lambda: waits_in_call(target.pid), "it waits to be told something")
        attached = self.attach("-p", target.pid, "-i", "50ms")
        self.wait_for_intervals(attached.report_path, 3)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        reports = reports_of(attached.report_path)
        self.assertGreaterEqual(len(reports), 3)
        for report in reports:
            self.assertEqual(report.processes, [])

    def test_tables_have_their_time(self):
        target = self.commanded()
        done = self.zctrace("attach", "-p", target.pid, "-i", "100ms", "-d", "350ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
        self.assertEqual(done.stderr, "zctrace: observing 1 task; Ctrl-C ends\n")


class InTheMiddle(Attach):
    """Targets that never pause. Each write's length tells its number, so that calls and bytes
    together say whether exactly the writes between two points were counted."""

    @staticmethod
    def length(number):
        return 1 + (number * 2654435761 % 2**32) % 4093

    def stream(self, *arguments):
        path = self.directory / "counts"
        process = self.start([self.program("streaming"), path, *arguments], stdin=-1, stdout=-1,
                             text=True)
        self.wait_for_line(process.stdout, "ok")
        file = open(path, "rb")
        self.addCleanup(file.close)
        process.counts = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)
        self.addCleanup(process.counts.close)
        self.wait_until(lambda: self.done(process, 0), "it writes")
        return process

    @staticmethod
    def done(process, thread):
        """A write is over, and counted, a moment before it is in here."""
        return struct.unpack_from("Q", process.counts, thread * 8)[0]

    def stop(self, process):
        process.stdin.write("x")
        process.stdin.flush()
        self.wait_for_line(process.stdout, "ok")

    def assert_contiguous(self, found, first, last):
        """Some writes in a row, between first and last, have just the lengths that were found."""
        calls, moved = found
        self.assertGreater(calls, 0)
        lengths = [self.length(number) for number in range(first, last + 1)]
        sums = list(itertools.accumulate(lengths, initial=0))
        windows = [begin for begin in range(len(sums) - calls)
                   if sums[begin + calls] - sums[begin] == moved]
        self.assertTrue(windows, f"{calls} writes of {moved} bytes are no part of writes "
                                 f"{first} to {last}")
        return first + windows[0]

    @in_both_modes
    def test_attached_in_the_middle(self, mode):
        target = self.stream("1")
        before = self.done(target, 0)
        attached = self.attach("-p", target.pid, *mode)
        after = self.done(target, 0)
        self.wait_until(lambda: self.done(target, 0) > after + 1000, "it writes on")
        self.stop(target)
        total = self.done(target, 0)
        calls, moved = self.null_writes(self.detach(attached).totals)
        # The last ones, down to one that was made while zctrace attached.
        self.assertLessEqual(total - after - 1, calls)
        self.assertLessEqual(calls, total - before)
        self.assertEqual(moved, sum(map(self.length, range(total - calls, total))))

    @in_both_modes
    def test_detached_in_the_middle(self, mode):
        target = self.stream("1")
        before = self.done(target, 0)
        attached = self.attach("-p", target.pid, *mode)
        seen = self.done(target, 0)
        self.wait_until(lambda: self.done(target, 0) > seen + 1000, "it writes on")
        found = self.null_writes(self.detach(attached).totals)
        self.assert_contiguous(found, before, self.done(target, 0))

    @in_both_modes
    def test_every_thread(self, mode):
        target = self.stream("7")
        before = [self.done(target, thread) for thread in range(7)]
        attached = self.attach("-p", target.pid, "--by", "thread", *mode)
        self.stop(target)
        totals = [self.done(target, thread) for thread in range(7)]
        report = self.detach(attached)
        found = [self.null_writes(process) for process in report.processes
                 if process["tid"] != target.pid]
        self.assertEqual(len(found), 7)
        for calls, moved in found:
            ends = [thread for thread in range(7)
                    if calls <= totals[thread] - before[thread] and moved == sum(
                        map(self.length, range(totals[thread] - calls, totals[thread])))]
            self.assertTrue(ends, f"{calls} writes of {moved} bytes are nobody's last ones")

    @in_both_modes
    def test_threads_that_appear_while_attaching(self, mode):
        life = 97
        target = self.stream("4", str(life))
        self.wait_until(lambda: self.done(target, 3) > life, "threads come and go")
        before = [self.done(target, slot) for slot in range(4)]
        attached = self.attach("-p", target.pid, *mode)
        after = [self.done(target, slot) for slot in range(4)]
        self.wait_until(lambda: self.done(target, 0) > after[0] + 10 * life, "many more threads")
        self.stop(target)
        totals = [self.done(target, slot) for slot in range(4)]
        calls, _ = self.null_writes(self.detach(attached).totals)
        self.assertLessEqual(sum(totals) - sum(after) - 4, calls)
        self.assertLessEqual(calls, sum(totals) - sum(before))

    def test_new_threads_are_counted_in_full(self):
        life = 97
        target = self.stream("4", str(life))
        attached = self.attach("-p", target.pid, "--by", "thread", "--no-latency")
        after = self.done(target, 0)
        self.wait_until(lambda: self.done(target, 0) > after + 20 * life, "many more threads")
        self.stop(target)
        report = self.detach(attached)
        counts = [self.null_writes(process)[0] for process in report.processes]
        # Those that were there at the time, at most one a slot at each pass over the tasks. A second
        # pass meets one that is not observed from its beginning only where the numbers of tasks
        # began anew: its maker then came after it in the first.
        partial = [calls for calls in counts if calls not in (0, life)]
        self.assertLessEqual(len(partial), 2 * 4, counts)
        self.assertGreater(counts.count(life), 10)

    def test_ends_with_a_target_whose_threads_come_and_go(self):
        target = self.stream("4", "97")
        # Many looks at all tasks, each of which may meet a thread that is just being made.
        attached = self.attach("-p", target.pid, "-i", "10ms")
        after = self.done(target, 0)
        self.wait_until(lambda: self.done(target, 0) > after + 97 * 3000, "many more threads")
        self.stop(target)
        self.end(target)
        attached.communicate(timeout=PATIENCE_S)
        for line in attached.report_path.read_text().splitlines():
            self.assertEqual(Report(line)["completeness"]["lost_events"], 0)

    def test_several_observers_in_a_row_overlap_nowhere(self):
        target = self.stream("1")
        for _ in range(5):
            before = self.done(target, 0)
            attached = self.attach("-p", target.pid)
            seen = self.done(target, 0)
            self.wait_until(lambda seen=seen: self.done(target, 0) > seen, "it writes on")
            found = self.null_writes(self.detach(attached).totals)
            self.assert_contiguous(found, before, self.done(target, 0))


class InFlight(Attach):
    """Calls that were entered before, and those that return only after."""

    def waiting(self):
        process = self.start([self.program("waiting")], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ok")
        self.wait_until(lambda: waits_in_call(process.pid), "all of its threads wait")
        return process

    @in_both_modes
    def test_bytes_count_and_time_does_not(self, mode):
        target = self.waiting()
        attached = self.attach("-p", target.pid, "-e", "%all", *mode)
        target.stdin.write("seven!\n")
        target.stdin.flush()
        self.wait_for_line(target.stdout, "read 7 interrupted 0 early 0")
        self.wait_until(lambda: len(os.listdir(f"/proc/{target.pid}/task")) == 2 and
                        waits_in_call(target.pid), "the one that sleeps and the main thread wait")
        report = self.detach(attached)
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "read"]
        self.assertEqual((row["from"], row["to"]), ("pipe", "user"))
        # 7 by the main thread and 5 by the other.
        self.assertEqual((row["calls"], row["bytes"]), (2, 12))
        self.assertEqual((row["errors"], row["restarts"]), (0, 0))
        self.assertIsNone(row["latency_ns"])
        self.assertEqual(row["wall_ns"], 0)
        self.assertEqual(report["completeness"]["in_flight_at_start"], 6)
        calls = report.calls()
        for name in ("poll", "epoll_wait", "futex"):
            self.assertGreaterEqual(calls[name]["calls"], 1, name)
            self.assertEqual(calls[name]["restarts"], 0, name)
        # It goes on to sleep, and its main thread to read.
        self.assertEqual(calls.get("nanosleep", {"calls": 0})["calls"], 0)
        self.assertEqual(report["completeness"]["in_flight_at_end"], 2)

    def test_nobody_is_woken_or_interrupted(self):
        target = self.waiting()
        before = switches(target.pid)
        for mode in ([], ["--no-latency"], ["--by", "thread"]):
            report = self.detach(self.attach("-p", target.pid, "-e", "%all", *mode))
            self.assertEqual(report["completeness"]["in_flight_at_start"], 6)
            self.assertEqual(report["completeness"]["in_flight_at_end"], 6)
            self.assertEqual(report.totals["syscalls"], 0)
        attached = self.attach("-p", target.pid)
        attached.kill()
        attached.wait()
        self.assertEqual(switches(target.pid), before)
        target.stdin.write("x")
        target.stdin.flush()
        self.wait_for_line(target.stdout, "read 1 interrupted 0 early 0")


class OnATerminal(Attach):
    def test_ctrl_c_shows_the_report(self):
        tool("tmux")
        target = self.commanded()
        path = self.directory / "report.json"
        terminal = Terminal(self, f"{ZCTRACE} attach -p {target.pid} --json {path}")
        own = capabilities("self")

        def observer():
            for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if str(path).encode() in entry.read_bytes().split(b"\0"):
                        return capabilities(entry.parent.name) != own
            return False

        self.wait_until(observer, "zctrace observes")
        self.tell(target, "write 1009 7")
        terminal.type("C-c")
        text = terminal.wait_for("status=")
        self.assertIn("status=0", text)
        self.assertRegex(text, r"write +user → device +1,009 ")
        self.assertIn("completeness", text)
        self.assert_writes(Report(path.read_text()).totals, 1009, 7063)
        self.assertIsNone(target.poll())


class Errors(Attach):
    def assert_fails(self, *words, wanted, status=1):
        done = self.zctrace("attach", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(wanted, done.stderr)
        if status == 1:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_no_such_process(self):
        missing = self.start(["true"])
        missing.wait()
        self.assert_fails("-p", missing.pid, wanted=f"no process {missing.pid}")
        target = self.commanded()
        self.assert_fails("-p", f"{target.pid},{missing.pid}", wanted=f"no process {missing.pid}")

    def test_thread_is_no_process(self):
        target = self.commanded()
        self.tell(target, "threads 1")
        (thread,) = [task.name for task in pathlib.Path(f"/proc/{target.pid}/task").iterdir()
                     if task.name != str(target.pid)]
        self.assert_fails("-p", thread, wanted=f"{thread} is a thread of process {target.pid}")

    def test_zombie(self):
        zombie = self.start(["true"])
        self.wait_until(lambda: pathlib.Path(f"/proc/{zombie.pid}/stat").read_text()
                        .rsplit(")", 1)[1].split()[0] == "Z", "it ends")
        self.assert_fails("-p", zombie.pid, wanted=str(zombie.pid))

    def test_no_such_cgroup_or_unit(self):
        self.assert_fails("-G", "/no/such/cgroup", wanted="no cgroup '/no/such/cgroup'")
        self.assert_fails("-G", "/proc", wanted="no cgroup '/proc'")
        self.assert_fails("--unit", "no-such", wanted="unit no-such.service")

    def test_nobody_of_that_name(self):
        self.assert_fails("-n", "no-such-name-*", wanted="no process named 'no-such-name-*'")

    def test_usage(self):
        for words in ([], ["-p", "x"], ["-p", "0"], ["-p", "-1"], ["-p", "1,"], ["-p", ""],
                      ["-p", "1", "-d", "0s"], ["-p", "1", "-i", "5"], ["-p", "99999999999"],
                      ["-p", "1", "-e", "no_such_call"], ["extra"]):
            with self.subTest(words=words):
                self.assert_fails(*words, wanted="zctrace: ", status=2)

    def test_report_that_cannot_be_written(self):
        target = self.commanded()
        self.assert_fails("-p", target.pid, "--json", "/no/such/file", wanted="/no/such/file")

    def test_name_from_outside_is_printable(self):
        done = subprocess.run([ZCTRACE, "attach", "-n", "\x1b[31mevil"], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("\x1b", done.stderr)
