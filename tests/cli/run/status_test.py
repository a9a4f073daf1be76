# SPDX-License-Identifier: MIT
"""How `zctrace run` ends: exit statuses, signals, and what it leaves behind."""

import json
import os
import pathlib
import signal
import subprocess

from harness import TestCase, in_both_modes
from kernel_objects import assert_loaded, bpf_objects_of, wait_until_unloaded
from paths import PATIENCE_S, ZCTRACE
from processes import argv_of, children, is_running, waits_in_call
from report import Report


class Status(TestCase):
    """zctrace exits with the status of the command."""

    def test_exit_statuses(self):
        for status in (0, 1, 3, 77, 126, 127, 255):
            with self.subTest(status=status):
                self.observe("sh", "-c", f"exit {status}", status=status)

    def test_signals(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGPIPE,
                       signal.SIGSEGV, signal.SIGTERM, signal.SIGUSR1):
            with self.subTest(signal=number.name):
                observed = self.observe("sh", "-c", f"kill -{number.value} $$",
                                        status=128 + number)
                (process,) = observed.report.processes
                self.assertEqual(process["exit_code"], 128 + number)

    @in_both_modes
    def test_command_that_is_killed_gets_its_report(self, mode):
        path = self.directory / "report.json"
        run = self.start([ZCTRACE, "run", *mode, "--json", path, "--", "sh", "-c",
                          "echo $$; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        pid = int(run.stdout.readline())
        run.stdin.write("12345\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), "12345\n")
        os.kill(pid, signal.SIGKILL)
        _, stderr = run.communicate(timeout=PATIENCE_S)
        self.assertEqual(run.returncode, 128 + signal.SIGKILL)
        self.assertIn("SYSCALL", stderr)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 128 + signal.SIGKILL)
        self.assertEqual(report.bytes("read", "pipe", "user"), 6)

    def test_unknown_command(self):
        for name in ("/nonexistent/command", "no-such-command-anywhere", "/etc/passwd/x"):
            with self.subTest(name=name):
                done = self.zctrace("run", "--", name)
                self.assertEqual(done.returncode, 127)
                self.assertIn(name, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_command_that_is_not_executable(self):
        for name in ("/etc/passwd", "/tmp"):
            with self.subTest(name=name):
                done = self.zctrace("run", "--", name)
                self.assertEqual(done.returncode, 126)
                self.assertIn(name, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_script_without_an_interpreter_runs_in_the_shell(self):
        script = self.directory / "script"
        script.write_text("exit 5\n")
        script.chmod(0o755)
        self.assertEqual(self.zctrace("run", "-q", "--", script).returncode, 5)

    def test_command_that_cannot_run_leaves_no_report(self):
        path = self.directory / "report.json"
        self.zctrace("run", "--json", path, "--", "/nonexistent/command")
        self.assertFalse(path.exists())
        path.write_text("kept")
        self.zctrace("run", "--json", path, "--", "/nonexistent/command")
        self.assertEqual(path.read_text(), "kept")


class Signals(TestCase):
    """Signals that are sent to zctrace alone; terminal_test.py has Ctrl-C."""

    def start_run(self, program, mode=()):
        """A run whose command has printed that it is ready, and the command's pid."""
        self.path = self.directory / "report.json"
        run = self.start([ZCTRACE, "run", *mode, "--json", self.path, "--", "sh", "-c", program],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, start_new_session=True)
        pid = int(self.wait_for_line(run.stdout, "ready").split()[1])
        # A shell that has checked for signals but not yet begun to read would not check again.
        self.wait_until(lambda: waits_in_call(pid), "it reads")
        return run, pid

    def finish(self, run):
        """Reads its output to the end; its standard input stays open until then."""
        run.wait(timeout=PATIENCE_S)
        return run.stdout.read(), run.stderr.read()

    @in_both_modes
    def test_sigterm_ends_the_command_and_reports(self, mode):
        run, pid = self.start_run('cat /etc/passwd >/dev/null; echo ready $$; read line', mode)
        run.terminate()
        _, stderr = self.finish(run)
        self.assertEqual(run.returncode, 128 + signal.SIGTERM)
        report = Report(self.path.read_text())
        self.assertEqual(report["exit_code"], 128 + signal.SIGTERM)
        self.assertIn("SYSCALL", stderr)
        self.assertGreaterEqual(len(report.processes), 2)
        self.assertFalse(is_running(pid))

    def test_sighup_ends_the_command_and_reports(self):
        run, _ = self.start_run("echo ready $$; read line")
        run.send_signal(signal.SIGHUP)
        self.finish(run)
        self.assertEqual(run.returncode, 128 + signal.SIGHUP)
        self.assertEqual(Report(self.path.read_text())["exit_code"], 128 + signal.SIGHUP)

    def test_sigint_is_passed_on(self):
        run, _ = self.start_run("trap 'echo caught; exit 9' INT; echo ready $$; read line")
        run.send_signal(signal.SIGINT)
        stdout, _ = self.finish(run)
        self.assertEqual((run.returncode, stdout), (9, "caught\n"))

    def test_command_that_handles_sigterm_ends_with_its_own_status(self):
        run, _ = self.start_run("trap 'exit 11' TERM; echo ready $$; while :; do read line; done")
        run.terminate()
        self.finish(run)
        self.assertEqual(run.returncode, 11)

    @in_both_modes
    def test_sigterm_reports_on_a_command_that_continues(self, mode):
        run, pid = self.start_run(
            "trap '' TERM; cat /etc/passwd >/dev/null; echo ready $$; read line; echo got $line",
            mode)
        run.terminate()
        # The command still holds the streams, so only zctrace itself can be waited for.
        run.wait(timeout=PATIENCE_S)
        self.assertEqual(run.returncode, 128 + signal.SIGTERM)
        report = Report(self.path.read_text())
        self.assertIsNone(report["exit_code"])
        self.assertGreater(report.totals["copied_bytes"], 0)
        self.assertEqual(report["completeness"]["in_flight_at_end"], 1)
        self.assertTrue(is_running(pid))
        run.stdin.write("on\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), "got on\n")
        self.assert_gone(pid)

    def test_wait_ends_with_sigterm(self):
        told = self.make_fifo()
        path = self.directory / "report.json"
        run = self.start([ZCTRACE, "run", "--wait", "-q", "--json", path, "--",
                          self.program("orphan"), "left", told], stdout=subprocess.PIPE, text=True)
        # It prints its counts right before it ends.
        json.loads(run.stdout.readline())
        self.wait_until(lambda: not children(run.pid), "the command ends")
        self.assertIsNone(run.poll())
        run.terminate()
        run.wait(timeout=PATIENCE_S)
        report = Report(path.read_text())
        self.assertEqual(len(report.processes), 2)
        self.assertIsNone(report.processes[1]["ended_ns"])
        self.open_fifo(told)
        self.assert_gone(report.processes[1]["pid"])


class Killed(TestCase):
    """SIGKILL leaves zctrace no time to clean up: the kernel does it."""

    @in_both_modes
    def test_sigkill_leaves_no_program_and_the_command_undisturbed(self, mode):
        run = self.start([ZCTRACE, "run", *mode, "--json", self.directory / "report.json", "--",
                          "sh", "-c", "echo ready; read line; echo got $line; echo end"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(run.stdout.readline(), "ready\n")
        ids = bpf_objects_of(run.pid)
        assert_loaded(self, ids)
        (pid,) = children(run.pid)
        run.kill()
        run.wait(timeout=PATIENCE_S)
        wait_until_unloaded(self, ids)
        self.assertTrue(is_running(pid))
        run.stdin.write("on\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.read(), "got on\nend\n")
        self.assert_gone(pid)

    def test_nothing_stays_loaded_after_a_run(self):
        run = self.start([ZCTRACE, "run", "-q", "--", "sh", "-c", "echo ready; read line"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(run.stdout.readline(), "ready\n")
        ids = bpf_objects_of(run.pid)
        run.communicate("on\n", timeout=PATIENCE_S)
        wait_until_unloaded(self, ids)

    def stopped_at_the_gate(self, ran):
        """zctrace, stopped before it has released its child, and the child."""
        for _ in range(20):
            run = self.start([ZCTRACE, "run", "-q", "--", "touch", ran])
            self.wait_until(lambda: children(run.pid) or run.poll() is not None, "the fork")
            run.send_signal(signal.SIGSTOP)
            self.wait_until(lambda: run.poll() is not None or
                            pathlib.Path(f"/proc/{run.pid}/stat").read_text()
                            .rsplit(")", 1)[1].split()[0] == "T", "zctrace stops")
            for pid in children(run.pid):
                # Before its exec it still has zctrace's command line.
                def at_the_gate(pid=pid):
                    return argv_of(pid)[:1] == [ZCTRACE.encode()]

                self.wait_until(lambda pid=pid, at_the_gate=at_the_gate:
                                waits_in_call(pid) or not at_the_gate(), "it waits or was released")
                if at_the_gate():
                    return run, pid
            run.kill()
            run.wait()
            ran.unlink(missing_ok=True)
        self.skipTest("zctrace was never seen before it released its child")

    def test_sigkill_while_the_command_waits_at_the_gate(self):
        ran = self.directory / "ran"
        run, pid = self.stopped_at_the_gate(ran)
        run.kill()
        run.wait(timeout=PATIENCE_S)
        self.assert_gone(pid)
        self.assertFalse(ran.exists())

    def test_sigterm_while_the_command_waits_at_the_gate(self):
        ran = self.directory / "ran"
        run, pid = self.stopped_at_the_gate(ran)
        run.terminate()
        run.send_signal(signal.SIGCONT)
        run.wait(timeout=PATIENCE_S)
        self.assert_gone(pid)
        self.assertFalse(ran.exists())
        self.assertEqual(run.returncode, 128 + signal.SIGTERM)
