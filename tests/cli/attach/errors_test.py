# SPDX-License-Identifier: MIT
"""`zctrace attach`: how it ends in a terminal, and what it refuses."""

import contextlib
import pathlib
import subprocess

from attached import Attach
from paths import PATIENCE_S, ZCTRACE, tool
from processes import capabilities_of
from report import Report
from terminal import Terminal


class InATerminal(Attach):
    def test_ctrl_c_shows_the_report(self):
        tool("tmux")
        target = self.commanded()
        path = self.directory / "report.json"
        terminal = Terminal(self, f"{ZCTRACE} attach -p {target.pid} --json {path}")
        own = capabilities_of("self")

        def observer():
            for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if str(path).encode() in entry.read_bytes().split(b"\0"):
                        return capabilities_of(entry.parent.name) != own
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
        self.assert_fails("-p", missing.pid,
                          wanted=f"cannot observe process {missing.pid}: no such process")
        target = self.commanded()
        self.assert_fails("-p", f"{target.pid},{missing.pid}",
                          wanted=f"cannot observe process {missing.pid}: no such process")

    def test_thread_id_is_not_a_pid(self):
        target = self.commanded()
        self.tell(target, "threads 1")
        (thread,) = [task.name for task in pathlib.Path(f"/proc/{target.pid}/task").iterdir()
                     if task.name != str(target.pid)]
        self.assert_fails("-p", thread,
                          wanted=f"process {thread}: it is a thread of process {target.pid}")

    def test_zombie(self):
        zombie = self.start(["true"])
        self.wait_until(lambda: pathlib.Path(f"/proc/{zombie.pid}/stat").read_text()
                        .rsplit(")", 1)[1].split()[0] == "Z", "it ends")
        self.assert_fails("-p", zombie.pid, wanted=str(zombie.pid))

    def test_process_that_bpf_does_not_see_has_not_ended(self):
        done = self.zctrace("attach", "-q", "-p", "1", "-d", "100ms")
        if done.returncode == 0:
            self.skipTest("BPF programs see process 1 here")
        self.assertEqual(done.stderr, "zctrace: cannot observe process 1: it is running, but this "
                                      "kernel does not show it to BPF programs\n")

    def test_no_such_cgroup_or_unit(self):
        self.assert_fails("-G", "/no/such/cgroup", wanted="cgroup '/no/such/cgroup': no such directory")
        self.assert_fails("-G", "/proc", wanted="cgroup '/proc': no such directory")
        self.assert_fails("--unit", "no-such", wanted="unit no-such.service")

    def test_no_process_with_that_name(self):
        self.assert_fails("-n", "no-such-name-*", wanted="no process named 'no-such-name-*'")

    def test_usage(self):
        for words in ([], ["-p", "x"], ["-p", "0"], ["-p", "-1"], ["-p", "1,"], ["-p", ""],
                      ["-p", "1", "-d", "0s"], ["-p", "1", "-i", "5x"], ["-p", "99999999999"],
                      ["-p", "1", "-e", "no_such_call"], ["extra"]):
            with self.subTest(words=words):
                self.assert_fails(*words, wanted="zctrace: ", status=2)

    def test_report_that_cannot_be_written(self):
        target = self.commanded()
        self.assert_fails("-p", target.pid, "--json", "/no/such/file", wanted="/no/such/file")

    def test_name_in_an_error_is_printable(self):
        done = subprocess.run([ZCTRACE, "attach", "-n", "\x1b[31mevil"], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("\x1b", done.stderr)
