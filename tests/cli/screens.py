# SPDX-License-Identifier: MIT
"""`zctrace top` in a terminal, beside processes that write and copy."""

import os
import pathlib
import socket
import sys
import threading

from harness import TestCase
from paths import ZCTRACE, tool
from processes import children
from terminal import Terminal

# Writes at a moderate rate; its name is that of the link that starts it.
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
# Sends its file into a socket, which no CPU copies.
SENDER = """
import os, sys, time
source = os.open(sys.argv[1], os.O_RDONLY)
sink = int(sys.argv[2])
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    os.sendfile(sink, source, 0, 100003)
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

    def observe_a_sender(self):
        """Instead of the copier, one that sends."""
        drained, sink = socket.socketpair()
        for end in (drained, sink):
            self.addCleanup(end.close)

        def drain():
            while drained.recv(1 << 20):
                pass

        thread = threading.Thread(target=drain)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(sink.shutdown, socket.SHUT_WR)
        sender = self.start_named("sender", SENDER, self.directory / "source", sink.fileno(),
                                  pass_fds=[sink.fileno()])
        self.targets = f"-p {self.writer.pid},{sender.pid}"

    def start_named(self, name, program, *arguments, **options):
        link = self.directory / name
        if not link.exists():
            link.symlink_to(os.path.realpath(sys.executable))
        process = self.start([link, "-c", program, *arguments], stdout=-1, text=True, **options)
        self.wait_for_line(process.stdout, "ready")
        return process

    def top(self, options=None, **terminal):
        """The window of top once it shows figures. The shell records the terminal's settings before
        and after."""
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
        # It writes into the directory, so it must end before the directory is removed.
        self.addCleanup(lambda: self.assert_gone((self.directory / "shell").read_text().strip()))
        return Terminal(self, f"sh {script}", **terminal)

    def busy(self, options=None, **terminal):
        window = self.top(options, **terminal)
        # A small window truncates names.
        window.wait_for(r"busywri\S* +\d{3}")
        return window

    @staticmethod
    def lines(window):
        return window._tmux("capture-pane", "-p").splitlines()

    def pid_of_top(self, window):
        pid = int(window._tmux("display-message", "-p", "#{pane_pid}"))
        # top itself may have a child that reads /proc.
        while pathlib.Path(f"/proc/{pid}/comm").read_text() != "zctrace\n":
            (pid,) = self.wait_until(lambda pid=pid: children(pid), "the shell starts top")
        return pid

    def assert_restored(self, window, status=0, last_table=False):
        """The settings, the screen and the cursor are as they were before; below them there may be
        the last table."""
        text = window.wait_for("status=")
        self.assertIn(f"status={status}", text)
        self.assertIn("on the screen before", text)
        (self.assertIn if last_table else self.assertNotIn)("CALLS", "\n".join(self.lines(window)))
        self.assertEqual((self.directory / "after").read_text(),
                         (self.directory / "before").read_text())
        state = window._tmux("display-message", "-p",
                             "#{alternate_on} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag}")
        self.assertEqual(state.split(), ["0", "1", "0", "0"])
