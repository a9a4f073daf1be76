# SPDX-License-Identifier: MIT
"""`zctrace attach -n` and `-a`: targets by name, and all processes."""

import os
import signal
import sys

from attached import Attach
from harness import in_both_modes
from paths import PATIENCE_S
from report import Report


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

    def test_executable_name_matches_a_renamed_process(self):
        target = self.commanded("a-rather-long-name-of-a-program")
        self.tell(target, "name elsewise")
        for glob in ("a-rather-long-name-of-a-program", "*-of-a-program", "else????"):
            with self.subTest(glob=glob):
                attached = self.attach("-n", glob)
                self.tell(target, "write 101 5")
                report = self.detach(attached)
                self.assertEqual(self.pids(report), {target.pid})
                self.assert_writes(report.totals, 101, 505)

    def test_thread_name_does_not_match_its_process(self):
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

    def test_path_does_not_match(self):
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

    def test_many_short_lived_matches(self):
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


class AllProcesses(Attach):
    def test_all_processes_but_zctrace(self):
        there = self.commanded()
        attached = self.attach("-a")
        later = self.commanded()
        self.tell(there, "write 101 5")
        self.tell(later, "write 103 5")
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        report = Report(attached.report_path.read_text())
        # Other processes of this machine may do what is not compared exactly (docs/counting.md).
        self.assertEqual([found for found in report["completeness"]["verification"]["differences"]
                          if found["pid"] in (there.pid, later.pid)], [])
        self.assertNotIn(attached.pid, self.pids(report))
        self.assert_writes(report.process(there.pid), 101, 505)
        self.assert_writes(report.process(later.pid), 103, 515)
        # The tests are among the processes too.
        self.assertIn(os.getpid(), self.pids(report))

    def test_process_born_while_attaching_is_seen_to_exit(self):
        program = self.program("short_lived")
        for _ in range(5):
            # More than it can finish: it forks thousands a second until it is killed.
            parents = [self.start([program, "processes", 10000000]) for _ in range(2)]
            attached = self.attach("-a")
            for parent in parents:
                parent.kill()
                parent.wait()
            attached.send_signal(signal.SIGINT)
            attached.communicate(timeout=PATIENCE_S)
            report = Report(attached.report_path.read_text())
            self.assertGreater(report["other_processes"]["count"] + len(report.processes), 10)
            # Each parent may leave one child that it was about to wait for.
            left = [process["pid"] for process in report.processes
                    if process["name"] == program.name and process["ended_ns"] is None]
            self.assertLessEqual(len(left), len(parents), left)
