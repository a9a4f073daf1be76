# SPDX-License-Identifier: MIT
"""`zctrace run` in a terminal: Ctrl-C, widths, colours."""

import re
import signal

from harness import TestCase
from paths import ZCTRACE, tool
from processes import waits_in_call
from report import Report
from terminal import Terminal

ESCAPE = "\x1b["


class InTerminal(TestCase):
    def setUp(self):
        super().setUp()
        tool("tmux")

    def assert_width(self, text, columns):
        wide = [line for line in text.splitlines() if len(line) > columns]
        self.assertEqual(wide, [])


class Keys(InTerminal):
    """Keys reach the command; zctrace reports when the command has ended."""

    def test_ctrl_c_ends_the_command(self):
        path = self.directory / "report.json"
        terminal = Terminal(self, f"{ZCTRACE} run --json {path} -- sh -c 'echo ready; exec cat'")
        terminal.wait_for("ready")
        terminal.type("some words", "Enter")
        terminal.wait_for("some words\nsome words")
        terminal.type("C-c")
        text = terminal.wait_for("status=")
        self.assertIn(f"status={128 + signal.SIGINT}", text)
        self.assertIn("Report on sh -c", text)
        report = Report(path.read_text())
        self.assertEqual(report["exit_code"], 128 + signal.SIGINT)
        # Keys come from a terminal, which is a device.
        self.assertEqual(report.bytes("read", "device", "user"), len("some words\n"))

    def test_command_may_go_on_after_ctrl_c(self):
        program = "trap 'echo caught' INT; echo ready $$; read line; echo got $line; exit 7"
        terminal = Terminal(self, f'{ZCTRACE} run -- sh -c "{program}"'.replace("$", "\\$"))
        pid = re.search(r"ready (\d+)", terminal.wait_for(r"ready \d+\n"))[1]
        self.wait_until(lambda: waits_in_call(pid), "it reads")
        terminal.type("C-c")
        terminal.wait_for("caught")
        terminal.type("on", "Enter")
        text = terminal.wait_for("status=")
        self.assertIn("status=7", text)
        self.assertIn("Report on sh -c", text)

    def test_ctrl_backslash_ends_the_command(self):
        terminal = Terminal(self, f"{ZCTRACE} run -- sh -c 'ulimit -c 0; echo ready; exec cat'")
        terminal.wait_for("ready")
        terminal.type("C-\\")
        text = terminal.wait_for("status=")
        self.assertIn(f"status={128 + signal.SIGQUIT}", text)
        self.assertIn("SYSCALL", text)

    def test_ctrl_d_is_the_end_of_input(self):
        terminal = Terminal(self, f"{ZCTRACE} run -- sh -c 'echo ready; cat; echo end'")
        terminal.wait_for("ready")
        terminal.type("C-d")
        text = terminal.wait_for("status=")
        self.assertIn("end\nReport on", text)
        self.assertIn("status=0", text)

    def test_command_has_the_terminal(self):
        terminal = Terminal(self, f"{ZCTRACE} run -q -- sh -c 'stty size; tty; test -t 2'",
                            columns=97, rows=31)
        text = terminal.wait_for("status=")
        self.assertIn("31 97\n/dev/", text)
        self.assertIn("status=0", text)

    def test_stopped_and_continued(self):
        run = f'{ZCTRACE} run -- sh -c "echo ready; exec cat"'
        terminal = Terminal(self, f"bash --norc -i -c '{run}; echo stopped=$?; fg; echo after=$?'")
        terminal.wait_for("ready")
        terminal.type("C-z")
        terminal.wait_for("stopped=148")
        terminal.type("typed", "Enter")
        terminal.wait_for("typed\n(.*\n)*typed")
        terminal.type("C-d")
        text = terminal.wait_for("after=")
        self.assertIn("after=0", text)
        self.assertIn("SYSCALL", text)


class Looks(InTerminal):
    """The table fits the window and uses the terminal's colours and characters unless disabled."""

    COMMAND = "-- sh -c 'cat /etc/passwd | cat >/dev/null; true with a rather long command line'"

    def test_80_columns(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}")
        terminal.wait_for("status=0")
        text = terminal.text("-J")
        self.assert_width(text, 80)
        for wanted in ("file → user", "zero-copy share", "completeness"):
            self.assertIn(wanted, text)

    def test_the_flow_without_colour_and_utf_8(self):
        terminal = Terminal(self, f"{ZCTRACE} run -- sh -c 'cat /etc/passwd | wc -c'",
                            environment=[("LC_ALL", "C"), ("NO_COLOR", "1")])
        text = terminal.wait_for("status=")
        self.assertRegex(text, r"(?m)^ *file =+ [\d.]+ \w+ =+> user =+ [\d.]+ \w+ =+> \w+$")
        self.assertTrue(text.isascii(), text)
        self.assert_width(text, 80)
        self.assertNotIn(ESCAPE, terminal.text("-e"))

    def test_40_columns(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}", columns=40)
        terminal.wait_for("status=0")
        text = terminal.text("-J")
        self.assert_width(text, 40)
        for wanted in ("SYSCALL", "CALLS", "BYTES"):
            self.assertIn(wanted, text)

    def test_200_columns(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}", columns=200)
        terminal.wait_for("status=0")
        text = terminal.text("-J")
        self.assert_width(text, 200)
        self.assertRegex(text, r"P50 +P90 +P99 +MAX")

    def test_widths_of_every_grouping(self):
        for by in ("process", "thread", "syscall", "flow"):
            with self.subTest(by=by):
                terminal = Terminal(self, f"{ZCTRACE} run --by {by} {self.COMMAND}", columns=60)
                terminal.wait_for("status=0")
                self.assert_width(terminal.text("-J"), 60)
                terminal.close()

    def test_colours(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}")
        terminal.wait_for("status=0")
        self.assertIn(ESCAPE, terminal.text("-e"))

    def test_no_color(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}", environment=[("NO_COLOR", "1")])
        terminal.wait_for("status=0")
        text = terminal.text("-e")
        self.assertNotIn(ESCAPE, text)
        self.assertIn("SYSCALL", text)
        self.assertTrue(text.isascii())

    def test_locale_without_unicode(self):
        terminal = Terminal(self, f"{ZCTRACE} run {self.COMMAND}", environment=[("LC_ALL", "C")])
        terminal.wait_for("status=0")
        self.assertTrue(terminal.text().isascii())

    def test_evil_arguments_do_not_reach_the_terminal(self):
        terminal = Terminal(self, f"{ZCTRACE} run -- true \"$(printf '\\033]2;evil\\a\\033[2J')\"")
        text = terminal.wait_for("status=0")
        self.assertIn("x1b]2;evil", text)

    def test_table_and_output_do_not_mix(self):
        terminal = Terminal(self, f"{ZCTRACE} run -- seq 1 5")
        text = terminal.wait_for("status=0")
        self.assertRegex(text, r"1\n2\n3\n4\n5\nReport on seq 1 5\n")
