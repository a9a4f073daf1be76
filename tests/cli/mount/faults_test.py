# SPDX-License-Identifier: MIT
"""`zctrace mount` stopped, hung up or out of space: readers and writers get the right bytes or an
error."""

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import unittest

from faults import FullPipe
from mount_faults import MountFaults
from mounts import mounts_at
from paths import PATIENCE_S, ZCTRACE
from processes import writes_to
from report import Report


class Stopped(MountFaults):
    def test_reader_waits_and_gets_the_right_bytes(self):
        data = self.file()
        process = self.begin_mount("--cache", "none")
        self.wait_until(lambda: (self.point / "file").exists(), "it serves")
        reader = self.start(["sha256sum", self.point / "file"], stdout=subprocess.PIPE, text=True)
        self.stop(process)
        process.send_signal(signal.SIGCONT)
        line = reader.communicate(timeout=PATIENCE_S)[0]
        self.assertEqual(line.split()[0], hashlib.sha256(data).hexdigest())
        self.assertEqual(reader.returncode, 0)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assert_unmounted(process)


class WhileProgramsStart(MountFaults):
    """A reader of /proc waits while the process execs with dirty pages, that is, for our answers."""

    def test_serving_ends(self):
        below = self.source / "below"
        below.mkdir()
        for options in ([], ["--threads", "2"]):
            for _ in range(3):
                process = self.begin_mount(*options)
                self.wait_until(lambda: mounts_at(self.point), "it is mounted")
                user = self.start([self.program("dirty_exec"), self.point / "below", "1000"],
                                  stderr=subprocess.DEVNULL)
                self.wait_until(lambda: (below / "ahead-5").exists(), "programs begin")
                process.send_signal(signal.SIGINT)
                self.wait_until(lambda: not mounts_at(self.point), "it is detached")
                process.send_signal(signal.SIGINT)  # it does not wait for its users
                self.assertEqual(process.wait(PATIENCE_S), 0)
                self.assertNotEqual(user.wait(PATIENCE_S), 0)
                for file in below.iterdir():
                    file.unlink()


class WritingTheReport(MountFaults, FullPipe):
    def writing(self):
        reader, writer = self.full_pipe()
        self.addCleanup(reader.close)
        process = self.begin_mount("-q", "--json", "-", "-d", "200ms", stdout=writer,
                                   stderr=subprocess.PIPE, text=True)
        os.close(writer)
        self.wait_until(lambda: writes_to(process.pid, 1), "it writes its report")
        return process, reader

    def test_killed(self):
        process, _ = self.writing()
        process.kill()
        process.wait(PATIENCE_S)
        self.assert_unmounted(process)

    def test_readers_get_an_error_while_the_report_is_written(self):
        self.file()
        pipe, writer = self.full_pipe()
        self.addCleanup(pipe.close)
        process = self.begin_mount("-q", "--json", "-", "--cache", "none", stdout=writer)
        os.close(writer)
        self.wait_until(lambda: (self.point / "file").exists(), "it serves")
        reader = self.start_reader(self.point / "file")
        self.addCleanup(process.kill)  # before the reader ends: its last close would wait for zctrace
        process.terminate()
        self.wait_until(lambda: writes_to(process.pid, 1), "it writes its report")
        self.ask(reader)
        self.assertEqual(self.answer(reader), errno.ENOTCONN)
        self.assertEqual(Report(pipe.read().decode().lstrip())["command"], "mount")
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assert_unmounted(process)

    def test_closed_pipe(self):
        process, reader = self.writing()
        reader.close()
        self.assertEqual(process.wait(PATIENCE_S), 1)
        self.assertNotIn("cannot write", process.stderr.read())
        self.assert_unmounted(process)

    def test_stopped_and_continued(self):
        process, reader = self.writing()
        self.stop(process)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(Report(reader.read().decode().lstrip())["command"], "mount")
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assert_unmounted(process)


class FullDisk(MountFaults):
    def test_report_without_space(self):
        with open("/dev/full", "wb") as full:
            process = self.begin_mount("-d", "200ms", "--json", "/dev/full", "--csv",
                                       self.directory / "csv", stdout=full, stderr=subprocess.PIPE,
                                       text=True)
        self.assertEqual(process.wait(PATIENCE_S), 1)
        self.assertIn("No space left on device", process.stderr.read())
        self.assertTrue((self.directory / "csv").read_text())
        self.assert_unmounted(process)

    @unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
    def test_writer_gets_an_error_when_the_source_is_full(self):
        script = ('mount -t tmpfs -o size=64k none "$1" && { "$3" mount "$1" "$2" -q -d 60s & } &&'
                  ' until mountpoint -q "$2"; do sleep 0.01; done;'
                  ' head -c 100000 /dev/zero >"$2/file"; echo status=$?; wc -c <"$2/file";'
                  ' rm "$2/file"; until [ "$(stat -f -c %f "$1")" -gt 0 ]; do sleep 0.01; done;'
                  ' echo fits >"$2/other"; cat "$1/other"; kill -INT $!; wait $!;'
                  ' echo status=$?')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.source, self.point,
                               ZCTRACE], text=True, capture_output=True, check=False,
                              timeout=PATIENCE_S)
        self.assertEqual(done.stdout.split(), ["status=1", "65536", "fits", "status=0"],
                         done.stderr)
        self.assertIn("No space left on device", done.stderr)


class HungUp(MountFaults):
    def test_mount_is_unmounted_and_reports_to_the_file(self):
        process = self.begin_in_terminal(["mount", self.source, self.point, "--json", self.path])
        self.addCleanup(self.unmount)
        self.wait_until(lambda: b"reports" in process.screen.text, "it serves")
        self.assertLessEqual(max(map(len, process.screen.text.split(b"\r\n"))), 80)
        with contextlib.suppress(FileNotFoundError):
            (self.point / "none").stat()
        process.screen.close()
        self.assertGreaterEqual(process.wait(PATIENCE_S), 0, "died of a signal")
        self.assert_unmounted(process)
        self.assertEqual(Report(self.path.read_text())["command"], "mount")
