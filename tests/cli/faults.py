# SPDX-License-Identifier: MIT
"""A target that shows whether it was disturbed, and zctrace stopped at a stage of its life.
Stages are counted in BPF objects that it holds, not in time."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import pty
import select
import signal
import subprocess
import termios
import threading

from harness import TestCase
from kernel_objects import bpf_objects_of, count_bpf_objects_of, wait_until_unloaded
from paths import PATIENCE_S, ZCTRACE
from processes import capabilities_of, state_of

# One run of each kind, long enough for the test to see the one with the probes.
COMPARE = ["compare", "--runs", "1", "--warmup", "0", "--methods", "read_write/4K"]
SMALL = ["--size", "64K"]
LARGE = ["--size", "32M"]


def is_empty(pipe):
    left = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, left)
    return not any(left)


class Digest:
    """sha256sum between two pipes: its sum is right only if it read everything, undisturbed."""

    BLOCK = 200_003  # more than a pipe holds: feed() returns only if the target reads

    def __init__(self, test, *prefix):
        self.test = test
        self.process = test.start([*prefix, "sha256sum"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.hash = hashlib.sha256()
        self.fed = 0
        os.set_blocking(self.process.stdin.fileno(), False)

    def feed(self):
        block = hashlib.shake_128(str(self.fed).encode()).digest(self.BLOCK)
        self.hash.update(block)
        self.fed += len(block)

        def is_written():
            nonlocal block
            with contextlib.suppress(BlockingIOError):
                block = block[os.write(self.process.stdin.fileno(), block):]
            return not block

        self.test.wait_until(is_written, "the target reads on")

    def wait_until_all_is_read(self):
        """Also waits until it sleeps in the next read, so that its last read is counted."""
        self.test.wait_until(lambda: is_empty(self.process.stdin) and state_of(self.pid) == "S",
                             "the target has read all")

    def assert_right(self, status=0):
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.test.assertEqual(line.split()[0].decode(), self.hash.hexdigest())
        if status is not None:
            self.test.assertEqual(self.process.wait(PATIENCE_S), status)


class Faults(TestCase):
    """zctrace at a stage of its life."""

    def setUp(self):
        super().setUp()
        self.path = self.directory / "report.json"

    def words(self, command, pid):
        return {"attach": ["attach", "-q", "-p", pid, "--json", self.path],
                "export": ["export", "-p", pid, "--listen", "127.0.0.1:0"],
                "top": ["top", "-p", pid],
                "compare": [*COMPARE, *LARGE, "-q", "--json", self.path]}[command]

    def begin(self, command, pid, **streams):
        if command == "top":
            return self.begin_in_terminal(self.words(command, pid))
        streams.setdefault("stdout", subprocess.DEVNULL)
        streams.setdefault("stderr", subprocess.DEVNULL)
        return self.start([ZCTRACE, *self.words(command, pid)], start_new_session=True, **streams)

    def begin_in_terminal(self, words):
        """Starts zctrace in a session and on a terminal of its own; `screen` is the other side."""
        ours, theirs = pty.openpty()
        process = self.start([ZCTRACE, *words], stdin=theirs, stdout=theirs, stderr=theirs,
                             start_new_session=True, env={**os.environ, "TERM": "xterm"},
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        process.screen = Screen(ours)
        self.addCleanup(process.screen.close)
        return process

    # --- stages ----------------------------------------------------------------------------

    def wait_until_observing(self, process):
        """zctrace drops its capabilities once everything is attached, and then opens the gate."""
        own = capabilities_of("self")

        def observes():
            self.assertIsNone(process.poll())
            return capabilities_of(process.pid) != own

        self.wait_until(observes, "zctrace observes")

    def stop(self, process):
        process.send_signal(signal.SIGSTOP)
        self.wait_until(lambda: process.poll() is not None or state_of(process.pid) == "T",
                        "zctrace stops")

    def begin_and_stop(self, begin, objects):
        """The process of begin(), stopped once it holds `objects` BPF objects, and these objects."""
        for _ in range(10):
            process = begin()
            self.wait_until(lambda: process.poll() is not None or
                            count_bpf_objects_of(process.pid) >= objects, f"{objects} objects")
            self.stop(process)
            # On a busy machine it may have ended in the meantime.
            if process.poll() is None:
                return process, bpf_objects_of(process.pid)
            self.path.unlink(missing_ok=True)
        self.fail(f"never seen with {objects} BPF objects")

    def stages(self):
        """Numbers of BPF objects to stop at, from none to all but one."""
        if not hasattr(Faults, "all_objects"):
            target = self.start(["cat"], stdin=subprocess.PIPE)
            attached = self.begin("attach", target.pid)
            self.wait_until_observing(attached)
            Faults.all_objects = count_bpf_objects_of(attached.pid)
            attached.kill()
        every = Faults.all_objects
        self.assertGreater(every, 12)
        # At 1 the maps are not made yet; programs and then links follow.
        return [0, 1, every // 3, every // 2, every * 3 // 4, every - 1]

    # --- what must hold afterwards -----------------------------------------------------------

    def assert_nothing_left(self, process, ids, but=()):
        wait_until_unloaded(self, ids)
        self.wait_until(lambda: set(self.session_of(process.pid)) <= set(but),
                        "all that zctrace started is gone")
        if self.path.exists():
            self.assertEqual(self.path.read_text(), "")

    @staticmethod
    def session_of(leader):
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                state, _, _, session = entry.read_text().rsplit(")", 1)[1].split()[:4]
                if int(session) == leader and state not in "ZX":
                    yield int(entry.parent.name)


class Screen:
    """The other side of a terminal: reads all that is written until it is closed."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.stop_reader, self.stop_writer = os.pipe()
        self.text = b""
        self.thread.start()

    def drain(self):
        while True:
            ready, _, _ = select.select([self.descriptor, self.stop_reader], [], [])
            if self.stop_reader in ready:
                return
            try:
                self.text += os.read(self.descriptor, 65536)
            except OSError:  # EIO: no process has it open any more
                return

    def type(self, text):
        os.write(self.descriptor, text)

    def close(self):
        """Hangs up, as closing a terminal window does."""
        if self.descriptor < 0:
            return
        os.write(self.stop_writer, b"x")
        self.thread.join()
        for descriptor in (self.descriptor, self.stop_reader, self.stop_writer):
            os.close(descriptor)
        self.descriptor = -1


class FullPipe(Faults):
    """The report goes into a full pipe, where zctrace waits in its last stage."""

    def full_pipe(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b" " * 4096)
        # The flag belongs to the pipe, so a child that inherits it sees it too.
        os.set_blocking(writer, True)
        return os.fdopen(reader, "rb"), writer
