# SPDX-License-Identifier: MIT
"""Attaching to and detaching from targets that are inside calls."""

import itertools
import mmap
import os
import struct

from attached import Attach
from harness import in_both_modes
from paths import PATIENCE_S
from processes import switches, waits_in_call
from report import Report


class BusyTargets(Attach):
    """Targets that never pause. The length of a write depends on its number, so that calls and
    bytes together show whether exactly the writes between two points were counted."""

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
        """The number of a thread's completed writes; a write is counted a moment before it shows here."""
        return struct.unpack_from("Q", process.counts, thread * 8)[0]

    def stop(self, process):
        process.stdin.write("x")
        process.stdin.flush()
        self.wait_for_line(process.stdout, "ok")

    def assert_contiguous(self, found, first, last):
        """Some consecutive writes between `first` and `last` have exactly the lengths found."""
        calls, moved = found
        self.assertGreater(calls, 0)
        lengths = [self.length(number) for number in range(first, last + 1)]
        sums = list(itertools.accumulate(lengths, initial=0))
        windows = [begin for begin in range(len(sums) - calls)
                   if sums[begin + calls] - sums[begin] == moved]
        self.assertTrue(windows, f"{calls} writes of {moved} bytes are not consecutive ones of writes "
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
        # All writes from one that was made while zctrace attached up to the last.
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
            self.assertTrue(ends, f"{calls} writes of {moved} bytes are not the last ones of any thread")

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
        # Threads that existed at the time, at most one a slot in each task walk. A second walk meets
        # a thread that is not observed from its start only if task numbers wrapped around: then its
        # creator came after it in the first walk.
        partial = [calls for calls in counts if calls not in (0, life)]
        self.assertLessEqual(len(partial), 2 * 4, counts)
        self.assertGreater(counts.count(life), 10)

    def test_ends_with_a_target_whose_threads_come_and_go(self):
        target = self.stream("4", "97")
        # Many task walks, each of which may meet a thread that is just being created.
        attached = self.attach("-p", target.pid, "-i", "10ms")
        after = self.done(target, 0)
        self.wait_until(lambda: self.done(target, 0) > after + 97 * 3000, "many more threads")
        self.stop(target)
        self.end(target)
        attached.communicate(timeout=PATIENCE_S)
        for line in attached.report_path.read_text().splitlines():
            self.assertEqual(Report(line)["completeness"]["lost_events"], 0)

    def test_observers_in_a_row_do_not_overlap(self):
        target = self.stream("1")
        for _ in range(5):
            before = self.done(target, 0)
            attached = self.attach("-p", target.pid)
            seen = self.done(target, 0)
            self.wait_until(lambda seen=seen: self.done(target, 0) > seen, "it writes on")
            found = self.null_writes(self.detach(attached).totals)
            self.assert_contiguous(found, before, self.done(target, 0))


class CallsInFlight(Attach):
    """Calls that begin before zctrace attaches, or return after it detaches."""

    def waiting(self):
        process = self.start([self.program("waiting")], stdin=-1, stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ok")
        self.wait_until(lambda: waits_in_call(process.pid), "all of its threads wait")
        return process

    @in_both_modes
    def test_a_call_in_flight_counts_its_bytes_but_not_its_time(self, mode):
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
        self.assertIsNone(row["wall_ns"])
        self.assertEqual(report["completeness"]["in_flight_at_start"], 6)
        calls = report.calls()
        for name in ("poll", "epoll_wait", "futex"):
            self.assertGreaterEqual(calls[name]["calls"], 1, name)
            self.assertEqual(calls[name]["restarts"], 0, name)
        # It continues to sleep, and its main thread to read.
        self.assertEqual(calls.get("nanosleep", {"calls": 0})["calls"], 0)
        self.assertEqual(report["completeness"]["in_flight_at_end"], 2)

    def test_waiting_tasks_are_not_woken_or_interrupted(self):
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
