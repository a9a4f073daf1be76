# SPDX-License-Identifier: MIT
"""What makes an observer of syscalls miscount: a fixture each, that knows what it did."""

import os
import subprocess

from harness import PATIENCE_S, ZCTRACE, Report, TestCase, in_both_modes, is_running, tool

ALL = ["-e", "%all"]


class OtherNumbers(TestCase):
    """Calls whose numbers are not those of the 64-bit table."""

    @in_both_modes
    def test_int_0x80_of_a_64_bit_process_is_counted_apart(self, mode):
        plain = self.observe_fixture("nothing", mode=mode).report.calls()
        observed = self.observe_fixture("int80", mode=mode)
        # 17 through int 0x80, openat twice, getpid twice.
        self.assertEqual(observed.report.calls()["other"]["calls"],
                         plain["other"]["calls"] + 17 + 2 + 2)

    @in_both_modes
    def test_int_0x80_is_never_named_after_the_64_bit_table(self, mode):
        observed = self.observe_fixture("int80", mode=[*mode, *ALL])
        calls = observed.report.calls()
        self.assertEqual(calls["write"]["calls"], 19 + 1)
        # What 0, 3, 4 and 20 would be.
        for name in ("stat", "writev"):
            self.assertNotIn(name, calls)
        self.assertEqual(calls["other"]["calls"], 17)

    @in_both_modes
    def test_numbers_of_no_syscall(self, mode):
        observed = self.observe_fixture("odd_numbers", mode=[*mode, *ALL])
        self.assertEqual(observed.report.calls()["other"]["calls"], 7 + 3 + 11 + 5)

    @in_both_modes
    def test_32_bit_process_that_becomes_a_64_bit_one(self, mode):
        nothing = self.program("nothing")
        # All that is in 64-bit rows is of the second program.
        observed = self.observe(self.program("exec_m32"), nothing, mode=mode)
        if "skip" in observed.stdout:
            self.skipTest("exec_m32 was built without -m32")
        expected = self.observe(nothing, mode=mode).report
        self.assert_same_rows(observed.report.data_rows(), expected.data_rows())
        compat = observed.report["completeness"]["compat_syscalls"]
        self.assertGreaterEqual(compat, 13)
        # The execve between them begins in one ABI and ends in the other.
        self.assertIn(expected.totals["syscalls"] + compat - observed.report.totals["syscalls"],
                      (0, 1))


class Restarts(TestCase):
    """ERESTART* is no error and moves nothing; the repetition is a call of its own."""

    @in_both_modes
    def test_read_restarted_after_a_signal(self, mode):
        self.observe_fixture("restarted", "restart", mode=mode)

    @in_both_modes
    def test_read_not_restarted_after_a_signal(self, mode):
        self.observe_fixture("restarted", "eintr", mode=mode)

    @in_both_modes
    def test_epoll_pwait_ends_with_eintr(self, mode):
        self.observe_fixture("restarted", "epoll", mode=[*mode, *ALL])

    @in_both_modes
    def test_restart_syscall_belongs_to_the_poll_that_it_restarts(self, mode):
        self.observe_fixture("restarted", "poll", mode=[*mode, *ALL])

    @in_both_modes
    def test_restart_syscall_belongs_to_the_sleep_that_it_restarts(self, mode):
        self.observe_fixture("restarted", "sleep", mode=[*mode, *ALL])


class Descendants(TestCase):
    """Observation is inherited before the child runs, however it is made."""

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
        # The report comes while the child still waits for the other end of `told`.
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
    """A task's counts survive it, whichever way it ends."""

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


class Results(TestCase):
    """A call's result is not always what it moved."""

    @in_both_modes
    def test_calls_denied_by_seccomp(self, mode):
        observed = self.observe_fixture("denied", self.directory / "file", mode=mode)
        self.assertEqual(observed.report.calls()["pread64"]["errors"], 11)

    def test_calls_denied_by_seccomp_among_all_calls(self):
        observed = self.observe(self.program("denied"), self.directory / "file", mode=ALL)
        self.assertEqual(observed.report.calls()["rt_sigreturn"]["calls"], 7)

    @in_both_modes
    def test_sendmmsg_and_recvmmsg_and_flags_that_inflate(self, mode):
        self.observe_fixture("messages", mode=mode)

    @in_both_modes
    def test_read_and_write_families(self, mode):
        self.observe_fixture("vectors", self.directory / "file", mode=mode)

    @in_both_modes
    def test_splice_tee_and_vmsplice_both_ways(self, mode):
        observed = self.observe_fixture("pipes", self.directory / "file", mode=mode)
        self.assertGreater(observed.report.totals["zero_copy_share"], 0.5)

    @in_both_modes
    def test_sendfile_to_socket_file_pipe_and_device(self, mode):
        self.observe_fixture("sendfiles", self.directory / "from", self.directory / "to",
                             mode=mode)

    @in_both_modes
    def test_sendfile_of_tmpfs(self, mode):
        if not os.access("/dev/shm", os.W_OK):
            self.skipTest("/dev/shm cannot be written")
        shared = f"/dev/shm/zctrace-test-{os.getpid()}"
        self.addCleanup(os.unlink, shared)
        self.observe_fixture("sendfiles", shared, self.directory / "to", mode=mode)

    @in_both_modes
    def test_copy_file_range_and_refused_clones(self, mode):
        if not os.access("/dev/shm", os.W_OK):
            self.skipTest("/dev/shm cannot be written")
        # On tmpfs, which never clones.
        paths = [f"/dev/shm/zctrace-test-{os.getpid()}-{end}" for end in ("from", "to")]
        for path in paths:
            self.addCleanup(os.unlink, path)
        self.observe_fixture("file_copies", *paths, "refused", mode=mode)

    @in_both_modes
    def test_clones_of_a_file_system_that_has_them(self, mode):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        image, mount = self.directory / "image", self.directory / "mount"
        mount.mkdir()
        with open(image, "wb") as file:
            file.truncate(512 << 20)
        subprocess.run([tool("mkfs.xfs"), "-q", image], check=True, timeout=PATIENCE_S)
        mounted = subprocess.run([tool("mount"), "-o", "loop", image, mount], check=False,
                                 capture_output=True, text=True, timeout=PATIENCE_S)
        if mounted.returncode != 0:
            self.skipTest(f"XFS cannot be mounted: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, [tool("umount"), mount], check=True, timeout=PATIENCE_S)
        self.observe_fixture("file_copies", mount / "from", mount / "to", "cloned", mode=mode)


class Descriptors(TestCase):
    """A kind is that of the descriptor when the call began."""

    @in_both_modes
    def test_descriptor_closed_by_another_thread_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "close", mode=mode)

    @in_both_modes
    def test_descriptor_replaced_by_a_file_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "file", self.directory / "file", mode=mode)

    @in_both_modes
    def test_descriptor_replaced_by_a_socket_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "socket", mode=mode)


class Uring(TestCase):
    """io_uring's operations are no syscalls, and may be done by threads of the kernel."""

    def observe_uring(self, what, mode):
        observed = self.observe_fixture("uring", what, self.directory / "file", mode=mode)
        rows = observed.report.totals["rows"]
        for row in rows:
            self.assertEqual(row["asynchronous"], row["syscall"].startswith("io_uring:"))
        self.assertEqual(observed.report.totals["syscalls"],
                         sum(row["calls"] for row in rows if not row["asynchronous"]))
        return observed

    @in_both_modes
    def test_read_and_write(self, mode):
        observed = self.observe_uring("read_write", mode)
        self.assertEqual(observed.report.calls()["io_uring:other"]["calls"], 1)  # the no-op

    @in_both_modes
    def test_read_and_write_by_workers(self, mode):
        self.observe_uring("workers", mode)

    @in_both_modes
    def test_read_and_write_submitted_by_a_kernel_thread(self, mode):
        self.observe_uring("polled", mode)

    @in_both_modes
    def test_splice_by_workers(self, mode):
        self.observe_uring("splice", mode)

    @in_both_modes
    def test_send_and_receive(self, mode):
        self.observe_uring("sockets", mode)


    def lost_results(self, what):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--strict", "--json", path, "--", self.program("uring"), what,
                            self.directory / "file")
        if "skip" in done.stdout:
            self.skipTest(done.stdout)
        self.assertEqual(done.returncode, 3, done.stderr)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 0)
        lost = report["completeness"]["lost"]
        self.assertEqual({name for name, count in lost.items() if count}, {"uring_results"})
        return lost["uring_results"], report

    def test_results_of_a_multishot_request_are_lost_and_not_silently(self):
        lost, _ = self.lost_results("multishot")
        self.assertEqual(lost, 7)

    def test_results_without_room_in_the_ring_are_lost_and_not_silently(self):
        lost, report = self.lost_results("overflow")
        self.assertEqual(lost, 16)
        self.assertEqual(report.calls()["io_uring:other"]["calls"], 32)


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
