# SPDX-License-Identifier: MIT
"""`zctrace top` in a terminal: what it shows, its keys, and how it leaves the terminal."""

import os
import pathlib
import re
import resource
import signal
import sys

from harness import ZCTRACE, Terminal, TestCase, children, tool

# Colours of SGR sequences; bold, dim and reverse are none.
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")

# Writes at a moderate pace; its name is that of the link it is started by.
WRITER = """
import os, time
sink = os.open("/dev/null", os.O_WRONLY)
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(10): os.write(sink, bytes(4099))
    time.sleep(0.01)
"""

COPIER = """
import os, sys, time
source = os.open(sys.argv[1], os.O_RDONLY)
sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    os.copy_file_range(source, sink, 100003, 0, 0)
    time.sleep(0.01)
"""


class Top(TestCase):
    """`top` in a window, over a process that writes and one that copies in the kernel."""

    def setUp(self):
        super().setUp()
        tool("tmux")
        (self.directory / "source").write_bytes(bytes(100003))
        self.writer = self.start_named("busywriter", WRITER)
        self.copier = self.start_named("copier", COPIER, self.directory / "source",
                                       self.directory / "sink")
        self.targets = f"-p {self.writer.pid},{self.copier.pid}"

    def start_named(self, name, program, *arguments):
        link = self.directory / name
        if not link.exists():
            link.symlink_to(os.path.realpath(sys.executable))
        process = self.start([link, "-c", program, *arguments], stdout=-1, text=True)
        self.wait_for_line(process.stdout, "ready")
        return process

    def top(self, options=None, **terminal):
        """Its window, once it shows figures. The shell notes the terminal's settings around it."""
        script = self.directory / "script"
        options = f"{self.targets} -i 200ms" if options is None else options
        script.write_text(f"trap : INT QUIT\n"
                          f"echo $$ >{self.directory}/shell\n"
                          f"stty -a >{self.directory}/before\n"
                          f"echo on the screen before\n"
                          f"{ZCTRACE} top {options}\n"
                          f"status=$?\n"
                          f"stty -a >{self.directory}/after\n"
                          f"exit $status\n")
        # It writes into the directory, which is about to be removed.
        self.addCleanup(lambda: self.assert_gone((self.directory / "shell").read_text().strip()))
        return Terminal(self, f"sh {script}", **terminal)

    def busy(self, options=None, **terminal):
        window = self.top(options, **terminal)
        # Names are cut in a small window.
        window.wait_for(r"busywri\S* +\d{3}")
        return window

    @staticmethod
    def lines(window):
        return window._tmux("capture-pane", "-p").splitlines()

    def pid_of_top(self, window):
        pid = int(window._tmux("display-message", "-p", "#{pane_pid}"))
        while (found := children(pid)):
            (pid,) = found
        self.assertEqual(pathlib.Path(f"/proc/{pid}/comm").read_text(), "zctrace\n")
        return pid

    def assert_restored(self, window, status=0):
        """The settings, the screen and the cursor are those from before."""
        text = window.wait_for("status=")
        self.assertIn(f"status={status}", text)
        self.assertIn("on the screen before", text)
        self.assertNotIn("CALLS", "\n".join(self.lines(window)))
        self.assertEqual((self.directory / "after").read_text(),
                         (self.directory / "before").read_text())
        state = window._tmux("display-message", "-p",
                             "#{alternate_on} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag}")
        self.assertEqual(state.split(), ["0", "1", "0", "0"])


class Shows(Top):
    def test_busy_processes_and_totals(self):
        window = self.busy()
        window.wait_for(rf"(?m)^ *{self.copier.pid} copier .* 100%",
                        rf"(?m)^ *{self.writer.pid} busywriter .* 0%",
                        "2 processes", "per second", "lost 0")
        window.type("t")
        window.wait_for("totals")

    def test_80x24(self):
        lines = self.lines(self.busy(columns=80, rows=24))
        self.assertEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)
        (header,) = [line for line in lines if "PID" in line]
        for title in ("NAME", "CALLS", "COPIED", "KERNEL", "DELIV", "ZERO-COPY", "SW V/I", "CPU%",
                      "ERR"):
            self.assertIn(title, header)
        self.assertIn("q quit", lines[-1])

    def test_40x10(self):
        lines = self.lines(self.busy(columns=40, rows=10))
        self.assertEqual(len(lines), 10)
        self.assertLessEqual(max(map(len, lines)), 40)
        (header,) = [line for line in lines if "PID" in line]
        for title in ("NAME", "CALLS", "COPIED", "KERNEL", "ZC"):
            self.assertIn(title, header)

    def test_follows_the_size_of_the_window(self):
        # An interval that does not redraw in place of the resize; nor is there a second figure.
        window = self.top(f"{self.targets} -i 1h")
        window.wait_for("busywri")
        window._tmux("resize-window", "-x", "40", "-y", "10")
        window.wait_for("KERNEL +ZC")
        self.assertLessEqual(max(map(len, self.lines(window))), 40)
        window._tmux("resize-window", "-x", "160", "-y", "30")
        window.wait_for("COMMAND")
        self.assertEqual(len(self.lines(window)), 30)
        window._tmux("resize-window", "-x", "3", "-y", "2")
        window._tmux("resize-window", "-x", "80", "-y", "24")
        window.wait_for("ZERO-COPY")
        window.type("q")
        self.assert_restored(window)

    def test_every_process_is_the_default(self):
        window = self.busy("-i 200ms")
        own = self.pid_of_top(window)
        window.type("/")
        window.type("zctrace")
        window.wait_for("filter: zctrace")
        self.assertNotRegex(window.text(), rf"(?m)^ *{own} ")

    def test_colours_and_no_color(self):
        window = self.busy()
        self.wait_until(lambda: COLOUR.search(window.text("-e")), "it is coloured")
        window.close()
        for variable in (("NO_COLOR", "1"), ("TERM", "vt100")):
            with self.subTest(variable=variable):
                window = self.busy(environment=[variable])
                window.wait_for("copier .* 100%")
                self.assertNotRegex(window.text("-e"), COLOUR)
                window.type("q")
                self.assert_restored(window)
                window.close()

    def test_locale_decides_on_unicode(self):
        window = self.busy(environment=[("LC_ALL", "C.UTF-8")])
        window.wait_for("█████ 100%")
        window.close()
        window = self.busy(environment=[("LC_ALL", "C")])
        text = window.wait_for("##### 100%")
        self.assertTrue(text.isascii(), text)
        window.type("Enter")
        window.wait_for("OFF-CPU")
        self.assertTrue(window.text().isascii())

    def test_ended_process_lingers_for_one_interval(self):
        window = self.busy(f"{self.targets} -i 500ms")
        # It is shown for a moment only: all that is drawn is kept.
        drawn = self.directory / "drawn"
        window._tmux("pipe-pane", f"cat >{drawn}")
        self.wait_until(drawn.exists, "tmux keeps it")
        self.copier.kill()
        self.copier.wait()
        self.wait_until(lambda: "ended" in drawn.read_text(errors="replace"), "it is shown as ended")
        self.wait_until(lambda: "copier" not in window.text(), "the ended process goes")
        self.assertIn("busywriter", window.text())
        self.writer.kill()
        self.writer.wait()
        window.wait_for("all that was observed has ended; q quits")

    def test_processes_that_start_later(self):
        window = self.busy("-n 'busy*' -i 200ms")
        later = self.start_named("busylater", WRITER)
        window.wait_for(rf"(?m)^ *{later.pid} busylater +\d\d")

    def test_waits_for_a_name(self):
        window = self.top("-n 'busylater' --wait -i 200ms")
        window.wait_for("nobody yet: name busylater")
        self.start_named("busylater", WRITER)
        window.wait_for(r"busylater +\d\d")

    def test_names_do_not_act_on_the_terminal(self):
        evil = 'open("/proc/self/comm", "wb").write(b"\\x1b]2;evil\\x07")\n'
        process = self.start_named("quiet", evil + WRITER)
        window = self.top(f"-p {process.pid} -i 200ms", columns=120)
        window.wait_for(r"x1b\]2;evil")
        self.assertNotIn("evil", window._tmux("display-message", "-p", "#{pane_title}"))


class Keys(Top):
    def test_sort(self):
        window = self.busy()
        writer_first = r"busywriter.*\n.*copier"
        copier_first = r"copier.*\n.*busywriter"
        window.type("k")
        window.wait_for(copier_first)
        window.type("s")
        window.wait_for(writer_first)
        window.type("r")
        window.wait_for(copier_first, "reversed")
        window.type("n")
        window.wait_for(writer_first)
        window.type(">")
        window.wait_for("by syscalls")
        window.type("Left")
        window.wait_for("by name")

    def test_filter(self):
        window = self.busy()
        window.type("/")
        window.type("COPI")
        window.wait_for("1 of 2 processes", absent=["busywriter"])
        window.type("Enter")
        window.wait_for("q quit", "filter: COPI")
        window.type("Escape")
        window.wait_for("busywriter")

    def test_enter_opens_the_rows(self):
        window = self.busy(columns=120)
        window.type("n")
        window.wait_for(r"busywriter.*\n.*copier")
        window.type("Enter")
        window.wait_for(r"write +user.device", rf"busywriter {self.writer.pid}", "SYSCALL", "FLOW",
                        "CALLS/s", "BYTES/s", "P50", "P99", "OFF-CPU", absent=["copier"])
        window.type("Escape")
        window.wait_for("copier")
        window.type("Down", "Enter")
        window.wait_for(r"copy_file_range +file.file")
        window.type("BSpace")
        window.wait_for("2 processes")

    def test_pause(self):
        window = self.busy()
        own = self.pid_of_top(window)

        def reads():
            text = pathlib.Path(f"/proc/{own}/io").read_text()
            return int(re.search(r"syscr: (\d+)", text)[1])

        window.type("p")
        paused = window.wait_for("PAUSED", "p go on")
        self.copier.kill()
        self.copier.wait()
        # It goes on counting meanwhile.
        before = reads()
        self.wait_until(lambda: reads() > before + 20, "the counts are read")
        self.assertEqual(window.text(), paused)
        window.type("Space")
        self.wait_until(lambda: "copier" not in window.text(), "on with it")
        self.assertNotIn("PAUSED", window.text())

    def test_help(self):
        window = self.busy()
        for key in ("h", "?"):
            window.type(key)
            window.wait_for("zctrace top: keys", "z zero-copy share")
            window.type("x")
            window.wait_for("q quit")

    def test_help_fits_a_small_window(self):
        window = self.busy(columns=40, rows=10)
        window.type("h")
        window.wait_for("Ctrl-C +quit")
        window.type("q")
        self.assert_restored(window)


class LeavesTheTerminalAsItFoundIt(Top):
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

    def test_duration(self):
        window = self.top(f"{self.targets} -d 1s")
        self.assert_restored(window)

    def test_failure_while_it_runs(self):
        window = self.busy()
        # No descriptor can be opened from now on: the counts cannot be read.
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

    def test_terminal_that_goes_away(self):
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

    def test_terminal_that_cannot_place_text(self):
        for kind in ("dumb", "no-such-terminal", ""):
            with self.subTest(kind=kind):
                window = self.top(environment=[("TERM", kind)])
                text = window.wait_for("status=")
                self.assertIn("status=1", text)
                self.assertIn(f"terminal of type '{kind}'", window.text("-J"))
                window.close()

    def test_targets_that_are_not_there(self):
        for options, wanted in ((f"-p {2**22 - 1}", "no process"),
                                ("-n no-such-name", "no process named"),
                                ("-G /no/such", "no cgroup"),
                                ("--unit no-such", "no cgroup of unit")):
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
