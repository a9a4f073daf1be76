"""zctrace killed, stopped, hung up, out of room, at every stage: nobody but zctrace notices, and
nothing of it is left. The stages are counted in BPF objects that it holds, not in time."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import threading
import urllib.request

from harness import PATIENCE_S, ZCTRACE, Report, TestCase, children, is_running
from kernel_objects import (assert_loaded, bpf_objects_of, count_bpf_objects_of,
                            wait_until_unloaded)

# One run of each kind; long enough to be met in the one with the probes.
COMPARE = ["compare", "--runs", "1", "--warmup", "0", "--methods", "read_write/4K"]
SMALL = ["--size", "64K"]
LARGE = ["--size", "32M"]


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def capabilities_of(pid):
    return re.search(r"CapEff:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]


def writes_to(pid, descriptor):
    """Whether its main thread sleeps in a call whose first argument is this descriptor."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()
        return len(fields) > 1 and fields[1] == hex(descriptor)
    return False


class Digest:
    """sha256sum between two pipes: it ends with the right sum if it read on, whatever happened."""

    BLOCK = 200_003  # more than a pipe holds: it is taken in, or feed() does not return

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
        def is_empty():
            left = bytearray(4)
            fcntl.ioctl(self.process.stdin, termios.FIONREAD, left)
            return not any(left)

        self.test.wait_until(is_empty, "the target has read all")

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
            return self.begin_in_terminal(self.words(command, pid))[0]
        streams.setdefault("stdout", subprocess.DEVNULL)
        streams.setdefault("stderr", subprocess.DEVNULL)
        return self.start([ZCTRACE, *self.words(command, pid)], start_new_session=True, **streams)

    def begin_in_terminal(self, words):
        """In a session and on a terminal of its own, whose other side is the second result."""
        ours, theirs = pty.openpty()
        process = self.start([ZCTRACE, *words], stdin=theirs, stdout=theirs, stderr=theirs,
                             start_new_session=True, env={**os.environ, "TERM": "xterm"},
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        terminal = Screen(ours)
        self.addCleanup(terminal.close)
        return process, terminal

    # --- stages ----------------------------------------------------------------------------

    def wait_until_observing(self, process):
        """It gives up its capabilities when all is attached, and opens the gate only then."""
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
        """begin()'s process, stopped once it holds so many BPF objects, and these."""
        for _ in range(10):
            process = begin()
            self.wait_until(lambda: process.poll() is not None or
                            count_bpf_objects_of(process.pid) >= objects, f"{objects} objects")
            self.stop(process)
            # On a busy machine it may have ended before it was looked at again.
            if process.poll() is None:
                return process, bpf_objects_of(process.pid)
            self.path.unlink(missing_ok=True)
        self.fail(f"never seen with {objects} BPF objects")

    def stages(self):
        """Numbers of BPF objects held, from before the first to all."""
        if not hasattr(Faults, "all_objects"):
            target = self.start(["cat"], stdin=subprocess.PIPE)
            attached = self.begin("attach", target.pid)
            self.wait_until_observing(attached)
            Faults.all_objects = count_bpf_objects_of(attached.pid)
            attached.kill()
        every = Faults.all_objects
        self.assertGreater(every, 12)
        # 1: before the maps are made; then programs; then links.
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
    """The other side of a terminal: takes all that is written, until it is closed."""

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
            except OSError:  # EIO: nobody has it any more
                return

    def type(self, text):
        os.write(self.descriptor, text)

    def close(self):
        """As a window that is closed: its other side hangs up."""
        if self.descriptor < 0:
            return
        os.write(self.stop_writer, b"x")
        self.thread.join()
        for descriptor in (self.descriptor, self.stop_reader, self.stop_writer):
            os.close(descriptor)
        self.descriptor = -1


class Killed(Faults):
    """SIGKILL at every stage."""

    def check_while_loading(self, command):
        target = Digest(self)
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, ids = self.begin_and_stop(lambda: self.begin(command, target.pid),
                                                   objects)
                target.feed()
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                target.feed()
        target.assert_right()

    def test_attach_while_loading(self):
        self.check_while_loading("attach")

    def test_top_while_loading(self):
        self.check_while_loading("top")

    def test_export_while_loading(self):
        self.check_while_loading("export")

    def test_compare_while_loading(self):
        self.check_while_loading("compare")

    def test_run_while_loading_never_runs_the_command(self):
        ran = self.directory / "ran"
        words = [ZCTRACE, "run", "-q", "--json", self.path, "--", "touch", ran]
        at_the_gate = 0
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, ids = self.begin_and_stop(
                    lambda: self.start(words, start_new_session=True), objects)
                released = capabilities_of(process.pid) != capabilities_of("self")
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                if not released:
                    at_the_gate += 1
                    self.assertFalse(ran.exists())
                ran.unlink(missing_ok=True)
        self.assertGreater(at_the_gate, 0)

    def test_while_observing(self):
        target = Digest(self)
        for command in ("attach", "top", "export"):
            with self.subTest(command):
                process = self.begin(command, target.pid)
                self.wait_until_observing(process)
                ids = bpf_objects_of(process.pid)
                assert_loaded(self, ids)
                target.feed()
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                target.feed()
        target.assert_right()

    def test_compare_while_counting(self):
        process, ids = self.begin_and_stop(lambda: self.begin("compare", None), self.stages()[-1])
        process.kill()
        process.wait(PATIENCE_S)
        self.assert_nothing_left(process, ids)

    def test_run_while_observing_lets_the_command_go_on(self):
        target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
        self.wait_until_observing(target.process)
        target.feed()
        ids = bpf_objects_of(target.pid)
        (child,) = children(target.pid)
        target.process.kill()
        target.process.wait(PATIENCE_S)
        wait_until_unloaded(self, ids)
        self.assertTrue(is_running(child))
        target.feed()
        target.assert_right(status=None)
        self.assert_gone(child)

    def test_export_leaves_its_port_to_the_next_one(self):
        target = Digest(self)
        address = "127.0.0.1:0"
        for _ in range(2):
            process = self.start([ZCTRACE, "export", "-p", target.pid, "--listen", address],
                                 stderr=subprocess.PIPE, text=True)
            line = self.wait_for_line(process.stderr, "serving")
            address = re.search(r"http://([\d.:]+)/", line)[1]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://{address}/metrics", timeout=PATIENCE_S) as answer:
                self.assertIn(b"zctrace_build_info", answer.read())
            process.kill()
            process.wait(PATIENCE_S)
        target.assert_right()


class Stopped(Faults):
    """SIGSTOP delays zctrace and nobody else; nothing is lost meanwhile."""

    def test_attach_while_loading(self):
        target = Digest(self)
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, _ = self.begin_and_stop(lambda: self.begin("attach", target.pid), objects)
                target.feed()
                process.send_signal(signal.SIGCONT)
                self.wait_until_observing(process)
                process.terminate()
                self.assertEqual(process.wait(PATIENCE_S), 0)
                Report(self.path.read_text())
        target.assert_right()

    def test_run_while_loading(self):
        for objects in self.stages():
            with self.subTest(objects=objects):
                target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
                self.begin_and_stop(lambda: target.process, objects)
                target.process.send_signal(signal.SIGCONT)
                target.feed()
                target.assert_right()
                report = Report(self.path.read_text())
                self.assertEqual(report.bytes("read", "pipe", "user"), target.fed)

    def test_attach_while_observing_counts_what_the_target_does_meanwhile(self):
        target = Digest(self)
        target.feed()
        target.wait_until_all_is_read()
        before = target.fed
        process = self.begin("attach", target.pid)
        self.wait_until_observing(process)
        self.stop(process)
        target.feed()
        target.assert_right()
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed - before)
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertEqual(report.process(target.pid)["exit_code"], 0)

    def test_run_while_observing_lets_the_command_end(self):
        target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
        self.wait_until_observing(target.process)
        target.feed()
        (child,) = children(target.pid)
        self.stop(target.process)
        target.assert_right(status=None)
        self.assert_gone(child)
        target.process.send_signal(signal.SIGCONT)
        self.assertEqual(target.process.wait(PATIENCE_S), 0)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed)

    def test_top_goes_on(self):
        target = Digest(self)
        process, terminal = self.begin_in_terminal(self.words("top", target.pid))
        self.wait_until(lambda: b"sha256sum" in terminal.text, "top shows the target")
        self.stop(process)
        target.feed()
        process.send_signal(signal.SIGCONT)
        terminal.type(b"q")
        self.assertEqual(process.wait(PATIENCE_S), 0)
        target.assert_right()

    def test_compare_while_counting(self):
        process, _ = self.begin_and_stop(lambda: self.begin("compare", None), self.stages()[-1])
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        (row,) = Report(self.path.read_text())["methods"]
        self.assertTrue(row["verified"])
        self.assertEqual(row["syscalls"], 2 * (32 << 20) // 4096 + 1)


class FullPipe(Faults):
    """The report goes into a pipe that is full already: there zctrace waits, at its last stage."""

    def full_pipe(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b" " * 4096)
        # The flag is the pipe's, also for whoever inherits it.
        os.set_blocking(writer, True)
        return os.fdopen(reader, "rb"), writer


class WritingTheReport(FullPipe):
    def writing(self, command):
        """zctrace while it waits for somebody to read its report, and the pipe's end."""
        reader, writer = self.full_pipe()
        self.addCleanup(reader.close)
        self.target = None
        if command == "attach":
            self.target = Digest(self)
            words = ["attach", "-p", self.target.pid, "-d", "100ms"]
        elif command == "run":
            words = ["run"]
        else:
            words = [*COMPARE, *SMALL]
        words += ["-q", "--json", "-"] + (["--", "true"] if command == "run" else [])
        process = self.start([ZCTRACE, *words], stdout=writer, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
        os.close(writer)
        self.wait_until(lambda: writes_to(process.pid, 1) or process.poll() is not None,
                        "zctrace writes its report")
        return process, reader

    def check_each(self, what_happens):
        for command in ("run", "attach", "compare"):
            with self.subTest(command):
                process, reader = self.writing(command)
                ids = bpf_objects_of(process.pid)
                if self.target:
                    self.target.feed()
                what_happens(process, reader)
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                if self.target:
                    self.target.feed()
                    self.target.assert_right()

    def test_killed(self):
        self.check_each(lambda process, _: process.kill())

    def test_pipe_that_is_closed(self):
        def close(process, reader):
            reader.close()
            self.assertEqual(process.wait(PATIENCE_S), 1)
            self.assertEqual(process.stderr.read().splitlines()[-1],
                             "zctrace: cannot write to standard output: Broken pipe")

        self.check_each(close)

    def test_stopped_and_continued(self):
        def stop(process, reader):
            self.stop(process)
            process.send_signal(signal.SIGCONT)
            Report(reader.read().decode().lstrip())
            self.assertEqual(process.wait(PATIENCE_S), 0)

        self.check_each(stop)


class FullDisk(Faults):
    """A report for which there is no room is an error, and no half of one stays."""

    def in_small_space(self, command, room):
        """Runs `command` where self.directory has `room` for data. What is in there afterwards."""
        script = ('mount -t tmpfs -o size=16k none "$1" && head -c "$2" /dev/zero >"$1/filler" &&'
                  ' cd "$1" && shift 2 && { "$@"; echo status=$?; ls; cat report.json 2>/dev/null; }')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.directory,
                               str(16384 - room), ZCTRACE, *map(str, command)], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertIn("status=", done.stdout, done.stderr)
        output, _, rest = done.stdout.partition("status=")
        status, *files = rest.splitlines()
        return int(status), output, files, done.stderr

    def check(self, command, room):
        status, output, files, errors = self.in_small_space(command, room)
        self.assertEqual(status, 1)
        self.assertEqual(files, ["filler"])
        self.assertEqual(errors.splitlines()[-1],
                         "zctrace: cannot write 'report.json': No space left on device")
        return output

    def test_run(self):
        # 4096: the first page finds room, the rest does not.
        for room in (0, 4096):
            output = self.check(["run", "-q", "--json", "report.json", "-e", "%all", "--", "seq",
                                 "3"], room)
            self.assertEqual(output, "1\n2\n3\n")

    def test_attach(self):
        target = Digest(self)
        self.check(["attach", "-q", "-p", target.pid, "-d", "100ms", "--json", "report.json"], 0)
        target.feed()
        target.assert_right()

    def test_attach_keeps_the_intervals_that_found_room(self):
        target = Digest(self)
        status, _, files, errors = self.in_small_space(
            ["attach", "-q", "-p", target.pid, "-i", "20ms", "--json", "report.json"], 8192)
        self.assertEqual(status, 1)
        self.assertIn("No space left on device", errors)
        self.assertEqual(files[:2], ["filler", "report.json"])
        for line in files[2:]:
            self.assertEqual(Report(line)["command"], "attach")
        target.feed()
        target.assert_right()

    def test_compare(self):
        output = self.check([*COMPARE, *SMALL, "--json", "report.json"], 0)
        # The table still is what it would have been.
        self.assertIn("read_write", output)

    def test_report_of_before_makes_room_for_nothing(self):
        script = f"echo kept >report.json; exec {ZCTRACE} run -q --json report.json -- true"
        # Its room is the new one's, which needs more: an empty file, not a half.
        done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=8k none "$1" && '
                               f'cd "$1" && head -c 4096 /dev/zero >filler && sh -c "{script}"; '
                               'echo $?; wc -c <report.json', "sh", self.directory], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.stdout.split(), ["1", "0"], done.stderr)


class HungUp(Faults):
    """The terminal goes away. zctrace ends, reports to files, and leaves the others alone."""

    def hang_up_and_wait(self, process, terminal):
        ids = bpf_objects_of(process.pid)
        terminal.close()
        status = process.wait(PATIENCE_S)
        self.assertGreaterEqual(status, 0, "died of a signal")
        wait_until_unloaded(self, ids)
        self.wait_until(lambda: not list(self.session_of(process.pid)), "all are gone")
        return status

    def check(self, command, target):
        words = [word for word in self.words(command, target.pid) if word != "-q"]
        for objects in self.stages()[1::2]:
            with self.subTest(command, objects=objects):
                begun = []

                def begin():
                    begun.append(self.begin_in_terminal(words))
                    return begun[-1][0]

                process, _ = self.begin_and_stop(begin, objects)
                target.feed()
                self.hang_up_and_wait(process, begun[-1][1])
                target.feed()

    def test_attach(self):
        target = Digest(self)
        self.check("attach", target)
        target.wait_until_all_is_read()
        before = target.fed
        process, terminal = self.begin_in_terminal(["attach", "-p", target.pid, "--json",
                                                    self.path])
        self.wait_until_observing(process)
        target.feed()
        target.wait_until_all_is_read()
        self.hang_up_and_wait(process, terminal)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed - before)
        target.assert_right()

    def test_top_and_export(self):
        target = Digest(self)
        for command in ("top", "export"):
            self.check(command, target)
            process, terminal = self.begin_in_terminal(self.words(command, target.pid))
            self.wait_until_observing(process)
            self.hang_up_and_wait(process, terminal)
        target.assert_right()

    def test_compare(self):
        words = ["1000" if word == "1" else word for word in COMPARE]
        process, terminal = self.begin_in_terminal([*words, *LARGE])
        self.wait_until(lambda: b"round 1" in terminal.text, "the first round")
        self.assertEqual(self.hang_up_and_wait(process, terminal), 128 + signal.SIGHUP)

    def test_run_reports_on_a_command_that_goes_on(self):
        sum_path = self.directory / "sum"
        fifo = self.make_fifo()
        process, terminal = self.begin_in_terminal(
            ["run", "--json", self.path, "--", "sh", "-c",
             f"trap '' HUP; sha256sum <{fifo} >{sum_path}; echo done >>{sum_path}"])
        self.wait_until_observing(process)
        with open(fifo, "wb") as feed:
            feed.write(b"x" * 100_003)
            feed.flush()
            ids = bpf_objects_of(process.pid)
            terminal.close()
            process.wait(PATIENCE_S)
            wait_until_unloaded(self, ids)
            report = Report(self.path.read_text())
            self.assertIsNone(report["exit_code"])
            self.assertEqual(report.bytes("read", "pipe", "user"), 100_003)
            feed.write(b"x" * 100_003)
        self.wait_until(lambda: "done" in sum_path.read_text(), "the command ends")
        self.assertEqual(sum_path.read_text().split()[0], hashlib.sha256(b"x" * 200_006).hexdigest())


class NobodyListens(Faults):
    """Standard error is gone: what zctrace has to say is not worth ending for."""

    def test_export_serves_without_a_word(self):
        target = Digest(self)
        reader, writer = os.pipe()
        os.close(reader)
        process = self.begin("export", target.pid, stderr=writer)
        os.close(writer)
        self.wait_until_observing(process)
        target.feed()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        target.assert_right()

    def test_table_that_cannot_be_written_does_not_cost_the_file(self):
        with open("/dev/full", "w") as full:
            done = self.zctrace("run", "--json", self.path, "--", "true", stderr=full)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(Report(self.path.read_text())["exit_code"], 0)
