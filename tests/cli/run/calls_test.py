# SPDX-License-Identifier: MIT
"""Calls that an observer of syscalls easily miscounts; each fixture knows what it did."""

import json
import os
import subprocess

from harness import ALL, TestCase, in_both_modes
from paths import PATIENCE_S, tool


class OtherNumbers(TestCase):
    """Calls whose numbers are not those of the 64-bit table."""

    @in_both_modes
    def test_int_0x80_of_a_64_bit_process_counts_as_what_it_is(self, mode):
        plain = self.observe_fixture("nothing", mode=mode).report.calls()
        observed = self.observe_fixture("int80", mode=mode)
        # 5 through int 0x80 that move no bytes, openat twice, getpid twice.
        self.assertEqual(observed.report.calls()["other"]["calls"],
                         plain["other"]["calls"] + 5 + 2 + 2)

    @in_both_modes
    def test_int_0x80_is_never_named_after_the_64_bit_table(self, mode):
        observed = self.observe_fixture("int80", mode=[*mode, *ALL])
        calls = observed.report.calls()
        self.assertEqual(calls["write"]["calls"], 7 + 19 + 1)
        # The 64-bit calls with the numbers 0, 3, 4 and 20.
        for name in ("stat", "writev"):
            self.assertNotIn(name, calls)
        self.assertEqual(calls["restart_syscall"]["calls"], 3)
        self.assertEqual(calls["other"]["calls"], 2)

    @in_both_modes
    def test_numbers_of_no_syscall(self, mode):
        observed = self.observe_fixture("odd_numbers", mode=[*mode, *ALL])
        self.assertEqual(observed.report.calls()["other"]["calls"], 7 + 3 + 11 + 5)

    @in_both_modes
    def test_32_bit_process_that_becomes_a_64_bit_one(self, mode):
        nothing = self.program("nothing")
        observed = self.observe(self.program("exec_m32"), nothing, mode=mode)
        if "skip" in observed.stdout:
            self.skipTest("exec_m32 was built without -m32")
        expected = self.observe(nothing, mode=mode).report
        rows = observed.report.data_rows()
        row = rows.pop(("write", "user", "device"))
        self.assertEqual((row["calls"], row["bytes"]), (13, 13 * 17))
        # Its loader reads libraries as that of the second program does.
        for key, row in expected.data_rows().items():
            self.assertGreaterEqual(rows[key]["bytes"], row["bytes"])
        compat = observed.report["completeness"]["compat_syscalls"]
        self.assertGreaterEqual(compat, 13)
        # The execve between them begins in one ABI and ends in the other.
        self.assertIn(expected.totals["syscalls"] + compat - observed.report.totals["syscalls"],
                      (0, 1))

    @in_both_modes
    def test_32_bit_data_calls_count_their_bytes(self, mode):
        program = self.program("data_m32")
        observed = self.observe(program, mode=mode)
        if "skip" in observed.stdout:
            self.skipTest("data_m32 was built without -m32")
        rows = observed.report.data_rows()
        before = self.rows_before_main(program)
        known = json.loads(observed.stdout.splitlines()[-1])
        for syscall, source, sink, calls, errors, restarts, moved in known["rows"]:
            row = rows[syscall, source, sink]
            earlier = before.get((syscall, source, sink), {"calls": 0, "bytes": 0})
            self.assertEqual((row["calls"] - earlier["calls"], row["bytes"] - earlier["bytes"]),
                             (calls, moved), (syscall, source, sink))
        self.assertEqual(observed.report["completeness"]["lost_events"], 0)

    @in_both_modes
    def test_32_bit_fork_returns_once_and_never_fails(self, mode):
        program = self.program("fork_m32")
        none, many = (self.observe(program, str(children), mode=mode) for children in (0, 100))
        if "skip" in none.stdout:
            self.skipTest("fork_m32 was built without -m32")
        more = {name: many.report.totals[name] - none.report.totals[name]
                for name in ("syscalls", "errors")}
        # A fork and a wait for each.
        self.assertEqual(more, {"syscalls": 200, "errors": 0})
        for observed in (none, many):
            self.assertLessEqual(observed.report["completeness"]["compat_syscalls"],
                                 observed.report.totals["syscalls"])


class Restarts(TestCase):
    """A call that returns ERESTART* is not an error and moves nothing; its repetition is a call too."""

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


class Results(TestCase):
    """The result of a call is not always the number of bytes it moved."""

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
        self.assertGreater(observed.report.totals["kernel_only_share"], 0.5)

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
    """The kind is that of the descriptor at the start of the call."""

    @in_both_modes
    def test_descriptor_closed_by_another_thread_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "close", mode=mode)

    @in_both_modes
    def test_descriptor_replaced_by_a_file_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "file", self.directory / "file", mode=mode)

    @in_both_modes
    def test_descriptor_replaced_by_a_socket_while_a_read_blocks(self, mode):
        self.observe_fixture("replaced", "socket", mode=mode)
