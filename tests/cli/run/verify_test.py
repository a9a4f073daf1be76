# SPDX-License-Identifier: MIT
"""`--verify-counts`: the counts compared with the kernel's own."""

import os
import pathlib
import resource
import signal
import subprocess

from attached import Attach
from harness import TestCase, in_both_modes
from paths import PATIENCE_S
from processes import waits_in_call
from report import Report, reports_of
from strace import SILENT

IO = ("syscr", "syscw", "rchar", "wchar")
SWITCHES = ("voluntary_switches", "involuntary_switches")


def io_of(pid):
    """The counters of /proc/PID/io that are compared."""
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    found = dict(line.split(": ") for line in lines)
    return {name: int(found[name]) for name in IO}


class Run(TestCase):
    def verify(self, *command, mode=(), **options):
        """The verification of a run's report, whether equal or not."""
        path = self.directory / "verified.json"
        done = self.zctrace("run", "-q", "--verify-counts", *mode, "--json", path, "--", *command,
                            **options)
        return done, Report(path.read_text())["completeness"]["verification"]

    def assert_exact(self, verification, names):
        for name in names:
            check = verification[name]
            self.assertEqual(check["difference"], 0, name)
            self.assertEqual(check["margin"], 0, name)
            self.assertEqual(check["kernel"], check["counted"], name)

    @in_both_modes
    def test_a_command_without_errors_is_compared_exactly(self, mode):
        _, found = self.verify("dd", "if=/dev/zero", "of=/dev/null", "bs=1009", "count=503",
                               mode=mode)
        self.assertTrue(found["equal"])
        self.assertEqual(found["compared_processes"], 1)
        self.assert_exact(found, ("rchar", "wchar", *SWITCHES))
        self.assertGreaterEqual(found["rchar"]["kernel"], 503 * 1009)
        self.assertGreaterEqual(found["syscw"]["kernel"], 503)

    @in_both_modes
    def test_what_execve_reads_of_programs_and_scripts_is_left_out(self, mode):
        script = self.directory / "script"
        script.write_text("#!/bin/sh\nexec true\n")
        script.chmod(0o755)
        _, found = self.verify("sh", "-c", f"for i in 1 2 3 4 5; do {script}; done; nosuchcommand;"
                                           f"exec {script}", mode=mode)
        self.assertTrue(found["equal"], found["differences"])
        self.assert_exact(found, ("rchar", "wchar"))

    @in_both_modes
    def test_command_and_the_descendants_it_waited_for(self, mode):
        """What the kernel adds to a waiting parent equals the counts of all its waited children."""
        _, found = self.verify("sh", "-c", "cat /etc/passwd | wc -c; (sleep 0.01; true) & wait",
                               mode=mode)
        self.assertTrue(found["equal"], found["differences"])
        for name in (*IO, "involuntary_switches"):
            self.assertEqual(found["reaped"][name]["kernel"], found["reaped"][name]["observed"],
                             name)
        # The last switch of each process may come after the wait.
        voluntary = found["reaped"]["voluntary_switches"]
        self.assertLessEqual(voluntary["kernel"], voluntary["observed"])
        self.assertGreaterEqual(voluntary["kernel"],
                                voluntary["observed"] - found["compared_processes"])

    def test_descendants_left_out_on_purpose_are_not_a_difference(self):
        _, found = self.verify("sh", "-c", "true; cat /etc/passwd; true",
                               mode=["--no-follow", "--strict"])
        self.assertTrue(found["equal"], found["differences"])
        self.assertIsNone(found["reaped"])

    def test_text_output(self):
        done = self.zctrace("run", "--verify-counts", "--", "true")
        self.assertRegex(done.stderr, r"\nverified +syscr, syscw, rchar, wchar, "
                                      r"switches of 1 process equal the kernel's own")
        self.assertNotIn("NOT EQUAL", done.stderr)

    def test_absent_by_default(self):
        path = self.directory / "report.json"
        self.zctrace("run", "-q", "--json", path, "--", "true")
        self.assertNotIn("verification", Report(path.read_text())["completeness"])

    def test_what_a_selection_leaves_out_is_verified_too(self):
        done, found = self.verify("true", mode=["-e", "read,pread64", "--strict"])
        self.assertEqual(done.returncode, 0)
        self.assertIsNone(found["io_not_verified"])
        self.assert_exact(found, ("rchar", "wchar", *SWITCHES))
        self.assertEqual(found["compared_processes"], 1)

    def test_by_thread(self):
        _, found = self.verify(self.program("threads"), "joined", mode=["--by", "thread"])
        self.assertTrue(found["equal"], found["differences"])
        self.assertGreater(found["compared_processes"], 1)

    def test_a_difference_is_a_loss(self):
        """Without a program at entry, a write that seccomp answers looks as if it reached the file."""
        command = [self.program("swallowed")]
        done, found = self.verify(*command, mode=["--no-latency", "--strict"])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertFalse(found["equal"])
        (difference,) = found["differences"]
        self.assertEqual(difference["counter"], "syscw")
        self.assertEqual(difference["counted"] - difference["kernel"], 13)
        self.assertEqual(found["syscw"]["difference"], 13)
        done = self.zctrace("run", "--verify-counts", "--no-latency", "--", *command)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\nNOT EQUAL +syscw of process \d+: the kernel has \d+ and "
                                      r"zctrace \d+\n")

    def test_process_that_dumps_core_is_not_compared(self):
        def allow_cores():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)

        crash = ["python3", "-c", "import os; os.kill(os.getpid(), 11)"]
        options = {"cwd": self.directory, "preexec_fn": allow_cores}
        bare = subprocess.Popen(crash, **SILENT, **options)
        _, status = os.waitpid(bare.pid, 0)
        bare.returncode = os.waitstatus_to_exitcode(status)
        if not os.WCOREDUMP(status):
            self.skipTest("no core is dumped here")
        done, found = self.verify(*crash, **options)
        self.assertEqual(done.returncode, 128 + signal.SIGSEGV)
        self.assertEqual(found["not_compared"]["dumped_core"], 1)
        self.assertTrue(found["equal"])


class Running(Attach):
    @in_both_modes
    def test_kernel_counters_equal_proc_io(self, mode):
        target = self.commanded()
        self.tell(target, "write 5 3")
        # The kernel counts the write of "ok" when the call returns.
        self.wait_until(lambda: waits_in_call(target.pid), "it reads")
        before = io_of(target.pid)
        attached = self.attach("-p", target.pid, *mode)
        self.tell(target, "write 1009 7")
        self.wait_until(lambda: waits_in_call(target.pid), "it reads")
        report = self.detach(attached)
        after = io_of(target.pid)
        found = report["completeness"]["verification"]
        self.assertEqual(found["compared_processes"], 1)
        for name in IO:
            self.assertEqual(found[name]["kernel"], after[name] - before[name], name)
            self.assertEqual(found[name]["margin"], 0, name)
        self.assertGreaterEqual(found["syscw"]["kernel"], 1009)

    @in_both_modes
    def test_process_that_is_never_at_rest(self, mode):
        busy = self.start(["dd", "if=/dev/zero", "of=/dev/null", "bs=512"], stderr=subprocess.DEVNULL)
        attached = self.attach("-p", busy.pid, *mode)
        self.wait_until(lambda before=io_of(busy.pid)["syscw"]:
                        io_of(busy.pid)["syscw"] > before + 20000, "20,000 writes")
        report = self.detach(attached)
        found = report["completeness"]["verification"]
        self.assertEqual(found["compared_processes"], 1)
        self.assertGreater(found["syscw"]["kernel"], 10000)

    def test_intervals_end_in_one_verification(self):
        target = self.commanded()
        attached = self.attach("-p", target.pid, "-i", "50ms")
        self.wait_for_intervals(attached.report_path, 2)
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        reports = reports_of(attached.report_path)
        self.assertGreaterEqual(len(reports), 3)
        verified = ["verification" in report["completeness"] for report in reports]
        self.assertEqual(verified, [False] * (len(reports) - 1) + [True])
