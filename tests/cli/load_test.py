# SPDX-License-Identifier: MIT
"""Many short lives, full maps, two observers: the sums are exact, or what is missing is counted."""

import json
import os
import pathlib
import signal

import attach_test
from harness import NO_CALLS, PATIENCE_S, ZCTRACE, Report, in_both_modes, merge, reports_of

PROCESSES = 20000
THREADS = 2000
NULL = ("write", "user", "device")

# Bursts of short lives, and what zctrace may hold more than at its start when they are over. Each
# process that it kept would be 2.2 KiB, so 129 MiB in all. A burst takes 35 MiB for a moment, and
# the thousand that are listed lie scattered over them, a page each at worst.
BURSTS = 3
LISTED_KIB = 48 * 1024

# A short life makes at most so many calls that move bytes.
MOST_CALLS = 17


class Accounted(attach_test.Attach):
    """Fixtures that start when they are told to, and reports that may be short of what is lost."""

    def short_lived(self, kind, count):
        """The fixture under a name of its own, waiting; tests run beside other tests."""
        path = self.directory / f"lives{os.getpid()}"
        if not path.exists():
            path.write_bytes(self.program("short_lived").read_bytes())
            path.chmod(0o755)
        return self.start([path, kind, count, "wait"], stdin=-1, stdout=-1, text=True)

    def let_live(self, process):
        """Lets the fixture begin, waits for its end; what it knows."""
        stdout, _ = process.communicate("x", timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0)
        process.written = len(stdout)
        return json.loads(stdout)

    def expected_rows(self, known, written):
        rows = {}
        for syscall, source, sink, calls, errors, restarts, moved in known["rows"]:
            merge(rows, (syscall, source, sink),
                  {"calls": calls, "errors": errors, "restarts": restarts, "bytes": moved})
        merge(rows, ("write", "user", "pipe"),
              {"calls": 1, "errors": 0, "restarts": 0, "bytes": written})
        return rows

    def interrupt(self, attached):
        """Ends it, whatever it lost."""
        attached.send_signal(signal.SIGINT)
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual((attached.returncode, errors), (0, ""))
        return attached.report_path.read_text()

    def assert_accounted(self, found, expected, completeness):
        """Exact where nothing was lost; else no more is missing than was lost."""
        lost = completeness["lost"]
        if lost["task_memory"] + lost["accounts_full"] + lost["rows_full"] == 0:
            self.assert_same_rows(found, expected)
            return
        self.assertGreater(completeness["lost_events"], 0)
        missing = sum(row["calls"] - found.get(key, NO_CALLS)["calls"]
                      for key, row in expected.items())
        most = MOST_CALLS * completeness["unfollowed_tasks"] + lost["rows_full"]
        self.assertLessEqual(missing, most)
        self.assertGreaterEqual(missing, 0)


class ShortLives(Accounted):
    """Twenty thousand processes, two thousand threads."""

    @in_both_modes
    def test_processes_of_run(self, mode):
        observed = self.observe_fixture("short_lived", "processes", PROCESSES, mode=mode)
        listed = observed.report.processes
        others = observed.report["other_processes"]
        self.assertLessEqual(len(listed), 1001)  # and the command itself
        self.assertEqual(len(listed) + others["count"], PROCESSES + 1)
        # The totals are those of both, in each figure that can be added up.
        for field in ("syscalls", "copied_bytes", "delivered_bytes", "threads", "user_ns",
                      "system_ns", "minor_faults", "voluntary_switches"):
            self.assertEqual(sum(process[field] for process in listed) + others[field],
                             observed.report.totals[field], field)
        # Those that moved the most are all listed: 17 writes of 101 bytes.
        most = [i for i in range(PROCESSES) if i % 17 == 16 and i % 101 == 100]
        self.assertEqual(len([process for process in listed
                              if process["copied_bytes"] == 17 * 101]), len(most))
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
        self.assertEqual(report.totals["delivered_bytes"], known[6] + len(done.stdout))

    @in_both_modes
    def test_processes_of_everybody(self, mode):
        self.everybody("processes", PROCESSES, mode)

    @in_both_modes
    def test_threads_of_everybody(self, mode):
        self.everybody("threads", THREADS, mode)

    def everybody(self, kind, count, mode):
        target = self.short_lived(kind, count)
        # With a list that is long enough to tell one's own from everybody's.
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

    def test_processes_while_nobody_reads(self):
        """As on a machine that is so busy that zctrace does not come to it."""
        target = self.short_lived("processes", PROCESSES)
        attached = self.attach("-p", target.pid)
        attached.send_signal(signal.SIGSTOP)
        known = self.let_live(target)
        attached.send_signal(signal.SIGCONT)
        report = self.end_of(attached)  # lost nothing, and compared everybody
        self.assertEqual(report.process_count, PROCESSES + 1)
        self.assert_same_rows(report.data_rows(), self.expected_rows(known, target.written))

    def test_intervals_add_up(self):
        """A process that one interval lists and the next has added to the others counts once."""
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
            # Those that run, and the 7, and the three commands.
            self.assertLess(len(interval.processes), 7 + 3 + 20)
        self.assertEqual(lost, 0)
        self.assert_same_rows(found, expected)


class Memory(Accounted):
    """What zctrace itself holds when a burst is over."""

    def test_does_not_grow_with_the_processes_that_end(self):
        keeper = self.short_lived("processes", 1)  # as long as it waits, attach goes on
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
        # With the fixture itself, each time, and the keeper's one.
        self.assertEqual(report.process_count, BURSTS * (PROCESSES + 1) + 2)


class NoRoom(Accounted):
    """Maps made tiny: what is refused is counted, --strict says so, nobody dies of it."""

    def run_without_room(self, room, *command):
        """The report of a run that lost something, with its status and its text checked."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "--strict", "--room", room, "--json", path, "--", *command)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("LOST", done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 0)
        self.assertGreater(report["completeness"]["lost_events"], 0)
        return report, done.stdout

    def lost(self, report, reason):
        """The only reason for which something was lost."""
        lost = report["completeness"]["lost"]
        self.assertEqual({name for name, count in lost.items() if count}, {reason})
        return lost[reason]

    def test_processes(self):
        report, stdout = self.run_without_room("accounts=5", self.program("short_lived"),
                                               "processes", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "accounts_full")
        self.assertEqual(report["completeness"]["unfollowed_tasks"], lost)
        self.assertLess(report.process_count, known["processes"])
        self.assertGreaterEqual(report.process_count + lost, known["processes"])
        self.assert_short_by(report, known, lost)

    def test_tasks(self):
        report, stdout = self.run_without_room("tasks=20", self.program("short_lived"),
                                               "processes", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "task_memory")
        self.assertEqual(report["completeness"]["unfollowed_tasks"], lost)
        self.assertEqual(report.process_count, 20)
        self.assertGreaterEqual(20 + lost, known["processes"])
        self.assert_short_by(report, known, lost)

    def test_threads(self):
        report, stdout = self.run_without_room("tasks=20", self.program("short_lived"),
                                               "threads", 300)
        known = json.loads(stdout)
        lost = self.lost(report, "task_memory")
        self.assertEqual(report.totals["threads"], 20)
        self.assertGreaterEqual(20 + lost, known["threads"])
        self.assert_short_by(report, known, lost)

    def assert_short_by(self, report, known, tasks):
        (expected,) = [row for row in known["rows"] if tuple(row[:3]) == NULL]
        found = report.data_rows().get(NULL, NO_CALLS)
        self.assertLess(found["calls"], expected[3])
        self.assertLessEqual(expected[3] - found["calls"], MOST_CALLS * tasks)
        self.assertLess(found["bytes"], expected[6])

    @in_both_modes
    def test_rows(self, mode):
        """Each call is in a row or lost; what is found is never more than there was."""
        program = self.program("short_lived")
        whole = self.observe(program, "processes", 300, mode=mode).report
        path = self.directory / "report.json"
        done = self.zctrace("run", "-q", "--strict", "--room", "rows=7", "--json", path, *mode,
                            "--", program, "processes", 300)
        self.assertEqual(done.returncode, 3, done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report.process_count, 301)
        lost = self.lost(report, "rows_full")
        missing = whole.totals["syscalls"] - report.totals["syscalls"]
        self.assertGreater(missing, 0)
        # A row of switches only is one lost, and no call is missing.
        self.assertLessEqual(missing, lost)
        for key, row in report.data_rows().items():
            self.assertLessEqual(row["calls"], whole.data_rows()[key]["calls"])

    def test_rows_that_make_room_for_others(self):
        """With few rows in the kernel and more kinds of calls than a task has rows."""
        command = [self.program("vectors"), self.directory / "file"]
        whole = self.observe(*command, mode=["-e", "%io"]).report
        report, _ = self.run_without_room("rows=2", *command)
        lost = self.lost(report, "rows_full")
        missing = whole.totals["syscalls"] - report.totals["syscalls"]
        self.assertGreater(missing, 0)
        self.assertIn(lost - missing, (0, 1))  # one: a row of switches only

    def test_command_lines(self):
        program = self.program("short_lived")
        report, stdout = self.run_without_room("commands=3", program, "commands", 100)
        lost = self.lost(report, "commands_full")
        self.assertLessEqual(lost, 100)
        # No count is touched.
        self.assert_known(program, report, stdout)

    def test_everybody_without_room_for_most(self):
        for room in ("accounts=3", "tasks=3", "rows=1"):
            with self.subTest(room=room):
                target = self.short_lived("processes", 100)
                path = self.directory / f"{room}.json"
                attached = self.attach("-a", "--strict", "--room", room, path=path)
                self.let_live(target)
                attached.send_signal(signal.SIGINT)
                _, errors = attached.communicate(timeout=PATIENCE_S)
                self.assertEqual((attached.returncode, errors), (3, ""))
                report = Report(path.read_text())
                self.assertGreater(report["completeness"]["lost_events"], 0)

    def test_a_refused_task_is_lost_once(self):
        """However often the collector looks whether there is room by now."""
        name = f"refused{os.getpid()}"
        targets = [self.commanded(name) for _ in range(4)]
        path = self.directory / "intervals.json"
        attached = self.attach("-n", name, "--room", "tasks=2", "-i", "50ms", path=path)
        self.wait_for_intervals(path, 30)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        reports = reports_of(path)
        lost = [report["completeness"]["lost"]["task_memory"] for report in reports]
        # The first interval begins with what there was at the beginning.
        self.assertEqual((lost[0], sum(lost)), (2, 2))
        for target in targets:
            self.end(target)

    def test_more_pids_than_room(self):
        targets = [self.commanded() for _ in range(3)]
        pids = ",".join(str(target.pid) for target in targets)
        for room in ("wanted_pids=1", "tasks=1", "accounts=1"):
            with self.subTest(room=room):
                done = self.zctrace("attach", "-p", pids, "--room", room)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"^zctrace: cannot observe process \d+: .*\n$")
        for target in targets:
            self.end(target)

    def test_a_map_that_there_is_not(self):
        for room in ("nothing=1", "rows=0", "rows", "rows=many", "observed=4"):
            with self.subTest(room=room):
                done = self.zctrace("run", "--room", room, "--", "true")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, "^zctrace: (no hash map|--room) .*\nUsage: ")


class TwoObservers(Accounted):
    """Each has programs, maps and counts of its own."""

    @in_both_modes
    def test_attached_to_the_same_process(self, mode):
        target = self.short_lived("processes", 500)
        first = self.attach("-p", target.pid, *mode, path=self.directory / "first.json")
        second = self.attach("-p", target.pid, path=self.directory / "second.json")
        known = self.let_live(target)
        expected = self.expected_rows(known, target.written)
        for attached in (first, second):
            report = self.end_of(attached)
            self.assert_same_rows(report.data_rows(), expected)
            self.assertEqual(report.process_count, known["processes"])

    def test_run_around_run(self):
        """The inner one's counts are exact, and the outer one's of the inner one's command, too."""
        program = self.program("short_lived")
        inner, outer = self.directory / "inner.json", self.directory / "outer.json"
        done = self.zctrace("run", "-q", "--max-processes", 1000, "--json", outer, "--",
                            ZCTRACE, "run", "-q", "--json", inner, "--",
                            program, "processes", 300)
        self.assertEqual(done.returncode, 0, done.stderr)
        inner, outer = Report(inner.read_text()), Report(outer.read_text())
        for report in (inner, outer):
            self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assert_known(program, inner, done.stdout)
        theirs = [process for process in outer.processes if process["name"] == "short_lived"]
        self.assertEqual(len(theirs), 301)
        # Before its exec the command is a fork of zctrace, which only the outer one observes: it
        # waits in a read for the gate to open. All else is the same.
        found, gate = {}, ("read", "pipe", "user")
        for process in theirs:
            for row in process["rows"]:
                if row["copy"] != "none":
                    merge(found, (row["syscall"], row["from"], row["to"]), row)
        found.pop(gate, None)
        self.assert_same_rows(found, inner.data_rows())
        observers = [process for process in outer.processes if process["name"] == "zctrace"]
        self.assertEqual(len(observers), 1)

    def test_run_around_cat(self):
        path = self.directory / "file"
        path.write_bytes(b"x" * 300007)
        done = self.zctrace("run", "-q", "--json", self.directory / "outer.json", "--",
                            ZCTRACE, "run", "-q", "--json", self.directory / "inner.json", "--",
                            "cat", path)
        self.assertEqual((done.returncode, len(done.stdout)), (0, 300007), done.stderr)
        for name in ("inner.json", "outer.json"):
            report = Report((self.directory / name).read_text())
            self.assertEqual(report["completeness"]["lost_events"], 0)
            (cat,) = [process for process in report.processes if process["name"] == "cat"]
            written = [row for row in cat["rows"] if (row["from"], row["to"]) == ("user", "pipe")]
            self.assertEqual(sum(row["bytes"] for row in written), 300007)
