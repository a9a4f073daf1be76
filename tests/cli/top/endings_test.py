# SPDX-License-Identifier: MIT
"""`zctrace top`: how it leaves the terminal, and what it refuses."""

import os
import resource
import signal

from paths import ZCTRACE
from screens import Top
from terminal import Terminal


class RestoresTheTerminal(Top):
    def test_q(self):
        window = self.busy()
        window.type("q")
        self.assert_restored(window)

    def test_q_in_the_rows_and_while_typing(self):
        window = self.busy()
        window.type("/", "q")
        window.wait_for("0 of 2")
        window.type("Escape", "Enter")
        window.wait_for("OFF-CPU")
        window.type("q")
        self.assert_restored(window)

    def test_ctrl_c(self):
        window = self.busy()
        window.type("C-c")
        self.assert_restored(window)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(signal=number.name):
                window = self.busy()
                os.kill(self.pid_of_top(window), number)
                self.assert_restored(window)
                window.close()

    def test_duration_leaves_the_last_table(self):
        window = self.top(f"{self.targets} -i 200ms -d 2s")
        self.assert_restored(window, last_table=True)
        self.assertRegex(window.text(), r"busywri\S* +\d{3}")

    def test_failure_while_it_runs(self):
        window = self.busy()
        # No more descriptors can be opened, so the counts cannot be read.
        resource.prlimit(self.pid_of_top(window), resource.RLIMIT_NOFILE, (3, 3))
        self.assert_restored(window, status=1)
        self.assertIn("zctrace: ", window.text())

    def test_stopped_and_continued(self):
        window = Terminal(self, f"bash --norc -i -c '{ZCTRACE} top {self.targets}; "
                                "echo stopped=$?; read line; fg; echo after=$?'")
        window.wait_for(r"busywriter +\d{3}")
        window.type("C-z")
        window.wait_for("stopped=148")
        self.assertNotIn("busywriter", window.text())
        window.type("Enter")
        window.wait_for(r"busywriter +\d{3}")
        window.type("q")
        window.wait_for("after=0")

    def test_terminal_hangs_up(self):
        window = self.busy()
        own = self.pid_of_top(window)
        window._tmux("kill-server")
        self.assert_gone(own)


class Refuses(Top):
    def assert_one_line(self, done, status, wanted):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(wanted, done.stderr)
        if status == 1:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_no_terminal(self):
        self.assert_one_line(self.zctrace("top"), 1, "needs a terminal")

    def test_output_into_a_pipe(self):
        window = Terminal(self, f"{ZCTRACE} top | cat")
        window.wait_for("status=")
        self.assertIn("needs a terminal", window.text("-J"))

    def test_terminal_without_cursor_addressing(self):
        for kind in ("dumb", "no-such-terminal", ""):
            with self.subTest(kind=kind):
                window = self.top(environment=[("TERM", kind)])
                text = window.wait_for("status=")
                self.assertIn("status=1", text)
                self.assertIn(f"terminal of type '{kind}'", window.text("-J"))
                window.close()

    def test_missing_targets(self):
        for options, wanted in ((f"-p {2**22 - 1}", "no such process"),
                                ("-n no-such-name", "no process named"),
                                ("-G /no/such", "cannot observe cgroup"),
                                ("--unit no-such", "cannot observe unit")):
            with self.subTest(options=options):
                window = self.top(options)
                self.assertIn("status=1", window.wait_for("status="))
                self.assertIn(wanted, window.text("-J"))
                window.close()

    def test_usage(self):
        for words in (["-i", "1ms"], ["-i", "soon"], ["-d", "0s"], ["-p", "x"], ["extra"],
                      ["-e", "no_such_call"]):
            with self.subTest(words=words):
                self.assert_one_line(self.zctrace("top", *words), 2, "zctrace: ")
