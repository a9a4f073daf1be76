# SPDX-License-Identifier: MIT
"""`zctrace top`: what it shows, and what its keys do."""

import pathlib
import re

from screens import WRITER, Top

# SGR sequences that set a colour, not bold, dim or reverse.
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m")


# Sends to itself over TCP.
TALKER = """
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far = listener.accept()[0]
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    near.sendall(bytes(1009))
    far.recv(4096)
    time.sleep(0.01)
"""


class Shows(Top):
    def test_busy_processes_and_totals(self):
        window = self.busy()
        # The kernel copies what the copier copies. What goes to /dev/null is delivered to nothing,
        # so the writer has no share.
        window.wait_for(rf"(?m)^ *{self.copier.pid} copier .* 0%",
                        rf"(?m)^ *{self.writer.pid} busywriter .* 0 +- ",
                        "2 processes", "per second", "lost 0")
        window.type("t")
        window.wait_for("totals")

    def test_80x24(self):
        lines = self.lines(self.busy(columns=80, rows=24))
        self.assertEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)
        (header,) = [line for line in lines if "PID" in line]
        for title in ("NAME", "CALLS", "COPIED", "KERNEL", "DELIV", "ZERO-COPY", "SWITCHES", "CPU%",
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
        # An interval so long that only the resize can cause the redraw.
        window = self.top(f"{self.targets} -i 1h")
        window.wait_for("busywri")
        window._tmux("resize-window", "-x", "40", "-y", "10")
        window.wait_for("KERNEL +ZC")
        self.assertLessEqual(max(map(len, self.lines(window))), 40)
        window._tmux("resize-window", "-x", "200", "-y", "30")
        window.wait_for("COMMAND")
        self.assertEqual(len(self.lines(window)), 30)
        window._tmux("resize-window", "-x", "3", "-y", "2")
        window._tmux("resize-window", "-x", "80", "-y", "24")
        window.wait_for("ZERO-COPY")
        window.type("q")
        self.assert_restored(window)

    def test_every_process_is_the_default(self):
        window = self.busy("-i 200ms", rows=300)  # also of those that look at the window
        own = self.pid_of_top(window)
        window.type("/")
        window.type("zctrace")
        window.wait_for("filter: zctrace")
        self.assertNotRegex(window.text(), rf"(?m)^ *{own} ")

    def test_colours_and_no_color(self):
        self.observe_a_sender()
        window = self.busy()
        self.wait_until(lambda: COLOUR.search(window.text("-e")), "it is coloured")
        window.close()
        for variable in (("NO_COLOR", "1"), ("TERM", "vt100")):
            with self.subTest(variable=variable):
                window = self.busy(environment=[variable])
                window.wait_for("sender .* 100%")
                self.assertNotRegex(window.text("-e"), COLOUR)
                window.type("q")
                self.assert_restored(window)
                window.close()

    def test_locale_selects_unicode(self):
        self.observe_a_sender()
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
        # It is shown only for a moment, so the test keeps everything that is drawn.
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
        window.wait_for("all observed processes have ended; q quits")

    def test_processes_that_start_later(self):
        window = self.busy("-n 'busy*' -i 200ms")
        later = self.start_named("busylater", WRITER)
        window.wait_for(rf"(?m)^ *{later.pid} busylater +\d\d")

    def test_waits_for_a_name(self):
        window = self.top("-n 'busylater' --wait -i 200ms")
        window.wait_for("waiting for processes named busylater")
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

    def test_groups(self):
        later = self.start_named("busywriter", WRITER)
        window = self.busy(f"-p {self.writer.pid},{self.copier.pid},{later.pid} -i 200ms --by name")
        window.wait_for("2 names", r"(?m)^ +2 busywriter ", r"(?m)^ +1 copier ", "PROCS NAME")
        window.type("g")
        window.wait_for(r"by bytes moved", "UNIT")
        window.type("g")
        window.wait_for("CONTAINER")
        window.type("g")
        window.wait_for("3 processes", rf"(?m)^ *{later.pid} busywriter ")

    def test_unknown_group_is_a_usage_error(self):
        done = self.zctrace("top", "--by", "colour")
        self.assertEqual(done.returncode, 2)
        self.assertIn("process, name, unit, container", done.stderr)

    def test_enter_opens_the_rows(self):
        window = self.busy(columns=120)
        window.type("n")
        window.wait_for(r"busywriter.*\n.*copier")
        window.type("Enter")
        window.wait_for(r"write +user.dev ", rf"busywriter {self.writer.pid}", "SYSCALL", "FLOW",
                        "CALLS/s", "BYTES/s", "P50", "P99", "OFF-CPU", absent=["copier"])
        window.type("Escape")
        window.wait_for("copier")
        window.type("Down", "Enter")
        window.wait_for(r"copy_file_range +file.file")
        window.type("BSpace")
        window.wait_for("2 processes")

    def test_f_lists_files(self):
        window = self.busy(columns=80, rows=24)
        window.type("n", "Down", "f")  # the copier
        source = self.directory / "source"
        window.wait_for(rf"copier {self.copier.pid}, files", "FILE", "READ/s", "MAPPED",
                        rf"(?m)^\S*/{source.name} +[\d.]+[KM]", "Esc back", "p peers")
        self.assertLessEqual(max(map(len, self.lines(window))), 80)
        window.type("/", "s", "o", "u", "r", "c", "e", "Enter")
        window.wait_for("filter: source", r"(?m)^\S*/source +[\d.]+[KM]")
        window.type("Escape", "t")
        window.wait_for("totals", r"(?m)^\S*/source +[\d.]+[KMG]")
        window.type("Enter")
        window.wait_for("copy_file_range")
        window.type("BSpace")
        window.wait_for("2 processes")

    def test_p_lists_peers_and_then_ports(self):
        sender = self.start_named("talker", TALKER)
        window = self.busy(f"-p {self.writer.pid},{sender.pid} -i 200ms")
        window.type("n")
        window.wait_for(r"busywriter.*\n.*talker")
        window.type("Down", "p")
        window.wait_for(rf"talker {sender.pid}, peers", r"tcp +127\.0\.0\.1:\d+ - 127\.0\.0\.1:\d+ ",
                        "SENT/s", "p ports")
        window.type("p")
        window.wait_for("ports", r"tcp \d+ +client", r"tcp \d+ +server")

    def test_without_files(self):
        window = self.busy(f"{self.targets} -i 200ms --no-files")
        window.type("f")
        window.wait_for("not counted, because of --no-files")

    def test_pause(self):
        window = self.busy()
        own = self.pid_of_top(window)

        def reads():
            text = pathlib.Path(f"/proc/{own}/io").read_text()
            return int(re.search(r"syscr: (\d+)", text)[1])

        window.type("Space")
        paused = window.wait_for("PAUSED", "Space resume")
        self.copier.kill()
        self.copier.wait()
        # Counting continues meanwhile.
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
